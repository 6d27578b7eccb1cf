"""What a rule waits for after it has fired: the events that cancel, that end a hold, that count as a success."""

from __future__ import annotations

from dataclasses import dataclass

from foreword.authoring.experiments import read_experiment
from foreword.authoring.fields import Fields, Source
from foreword.authoring.holds import read_hold
from foreword.authoring.sends import ReadSend
from foreword.authoring.signals.values import Context, event
from foreword.domain.rulebook import EventFilter, Experiment, Hold


@dataclass(frozen=True, slots=True)
class Awaited:
    """`unless` has one element for each send."""

    exceptions: EventFilter | None = None
    hold: Hold | None = None
    experiment: Experiment | None = None
    unless: tuple[EventFilter | None, ...] = ()


def read_awaited(context: Context, fields: Fields, sends: tuple[ReadSend, ...]) -> Awaited:
    """What is wrong is left in the source's errors. The events' conditions see no signals."""
    source: Source = context.source
    exceptions: EventFilter | None = None
    hold: Hold | None = None
    experiment: Experiment | None = None
    with source.collecting():
        if "exceptions" in fields.values:
            exceptions = event(context, fields.values["exceptions"])
    with source.collecting():
        if "hold" in fields.values:
            hold = read_hold(context, fields.values["hold"])
    with source.collecting():
        if "experiment" in fields.values:
            experiment = read_experiment(context, fields.values["experiment"])
    return Awaited(exceptions, hold, experiment, tuple(_unless(context, send) for send in sends))


def _unless(context: Context, send: ReadSend) -> EventFilter | None:
    with context.source.collecting():
        if send.unless is not None:
            return event(context, send.unless)
    return None
