"""A rule's signal documents -> trackers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from foreword.domain.instants import Duration
from foreword.domain.rulebook import (
    AbsenceSignal,
    AggregateSignal,
    BaselineSignal,
    ChangeSignal,
    CountSignal,
    DateSignal,
    DistinctSignal,
    EachSignal,
    FirstTimeSignal,
    LastSignal,
    RatioSignal,
    SequenceSignal,
    Signal,
    SinceSignal,
    WillingnessSignal,
)
from foreword.domain.signals.baseline import BaselineTracker
from foreword.domain.signals.deadlines import AbsenceTracker, DateTracker
from foreword.domain.signals.latest import EachTracker, LastTracker, SinceTracker
from foreword.domain.signals.log import (
    ChangeTracker,
    DistinctLogTracker,
    FirstTracker,
    LastLogTracker,
    aggregate,
    willingness,
)
from foreword.domain.signals.seen import DistinctTracker, FirstTimeTracker
from foreword.domain.signals.sequence import SequenceTracker
from foreword.domain.signals.times import CountTracker, RatioTracker
from foreword.domain.signals.tracker import Tracker


def build(
    signal: Signal,
    signals: Mapping[str, Signal],
    retention: Duration,
    *,
    enough: int | None = None,
    keep_event: bool = False,
) -> Tracker:
    """The tracker of one signal; one without `within` looks back over `retention`.

    `signals` are all of the rule's, for a baseline to find its own; `enough` is how many decide every condition
    that names a count or distinct signal; `keep_event` says whether a deadline has to remember its fact.
    A `peers` signal has no tracker: ValueError.
    """
    match signal:
        case CountSignal():
            return CountTracker(signal, retention, enough=enough)
        case DistinctSignal():
            return DistinctTracker(signal, retention, enough)
        case LastSignal(kind="last"):
            return LastTracker(signal, retention)
        case SinceSignal():
            return SinceTracker(signal, retention)
        case EachSignal():
            return EachTracker(signal)
        case FirstTimeSignal():
            return FirstTimeTracker(signal, retention)
        case AbsenceSignal():
            return AbsenceTracker(signal, keep_event=keep_event)
        case SequenceSignal():
            return SequenceTracker(signal)
        case DateSignal():
            return DateTracker(signal)
        case ChangeSignal():
            return ChangeTracker(signal, retention)
        case WillingnessSignal():
            return willingness(signal)
        case BaselineSignal():
            compared: Any = signals[signal.signal]
            if compared.within is None:
                raise ValueError(f"a baseline needs a window, and {signal.signal} has none")
            windows: Any = _windowed(compared, retention, (signal.versus + 1) * compared.within)
            return BaselineTracker(signal, windows)
    return _windowed(signal, retention, 0)


def _windowed(signal: Signal, retention: Duration, keep: Duration) -> Tracker:
    """A tracker that can be asked for any window of the last `keep`."""
    match signal:
        case CountSignal():
            return CountTracker(signal, retention, keep)
        case RatioSignal():
            return RatioTracker(signal, retention, keep)
        case AggregateSignal():
            return aggregate(signal, retention, keep)
        case DistinctSignal():
            return DistinctLogTracker(signal, retention, keep)
        case LastSignal(kind="first"):
            return FirstTracker(signal, retention, keep)
        case LastSignal():
            return LastLogTracker(signal, retention, keep)
    raise ValueError(f"a signal of kind {signal.kind} cannot be kept so")
