"""What a moment waits for."""

from __future__ import annotations

from foreword.domain.instants import format_duration, format_instant
from foreword.domain.rulebook import (
    AbsenceSignal,
    DateSignal,
    EachSignal,
    FirstTimeSignal,
    SequenceSignal,
)
from foreword.explaining.explanation import AllOf, Change, Step
from foreword.explaining.made_of import MadeOf
from foreword.explaining.thresholds import types_of
from foreword.explaining.words import event_words, lasting_words, quoted
from foreword.explaining.written import shown


def moment_step(made: MadeOf) -> Change | None:
    """None for a signal that is no moment."""
    match made.signal:
        case EachSignal(of=of):
            return Step(f"1 {event_words(of)}", 1, types_of(of))
        case FirstTimeSignal(of=of, value=value):
            seen = dict.fromkeys(shown(one.value) for one in reversed(made.evidence))
            known = f" (seen: {', '.join(seen)})" if seen else ""
            window = format_duration(made.within or 0)
            words = f"1 {event_words(of)} with a {quoted(value)} not seen within {window}{known}"
            return Step(words, 1, types_of(of))
        case AbsenceSignal():
            return _absence(made, made.signal)
        case SequenceSignal():
            return _sequence(made, made.signal)
        case DateSignal(value=value):
            if made.waits:
                return Step(f"its time comes at {format_instant(made.waits[0])}", time=made.waits[0])
            return Step(f"{quoted(value)} would have to give a date that is still ahead")
    return None


def _absence(made: MadeOf, signal: AbsenceSignal) -> Change:
    if not made.waits:
        words = f"1 {event_words(signal.after)}, and then no {event_words(signal.absence)} {lasting_words(signal)}"
        return Step(words, 1, types_of(signal.after))
    due = made.waits[0]
    return Step(f"no {event_words(signal.absence)} up to and including {format_instant(due)}", time=due)


def _sequence(made: MadeOf, signal: SequenceSignal) -> Change:
    """Each step strictly later than the one before, the last no later than the window after the first."""
    done = made.steps
    many = 0 if done is None else done.many
    steps = tuple(Step(f"1 {event_words(step)}", 1, types_of(step)) for step in signal.steps[many:])
    if done is None:
        order = Step(
            f"in this order, each later than the one before, within {format_duration(signal.within)}"
        )
        return AllOf((*steps, order))
    last = done.begun + signal.within
    after = f"in this order, the first of them later than {format_instant(done.reached)}"
    return AllOf((*steps, Step(f"{after}, and all by {format_instant(last)}", until=last)))
