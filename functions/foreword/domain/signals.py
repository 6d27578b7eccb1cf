"""What each kind of signal remembers of one customer, and its value at an instant.

A tracker holds no customer: it works on `memory`, a JSON value kept in the customer's state, so one compiled
rulebook serves all. Facts come in the order of rules.md (event time, then first receipt); whoever calls must
rebuild from the journal where one comes late.

Values are asked for at `t`, or just before it (`before=True`): in the limit an event at exactly `t - W` is
still inside the window and one at `t` is not yet there (rules.md, Windows and Firing).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from foreword.domain.condition_values import divide, subtract
from foreword.domain.conditions import Compiled, compile_expression, holds
from foreword.domain.errors import ConditionError
from foreword.domain.facts import CUSTOMER_UPDATED, OWN_TYPES, Fact
from foreword.domain.instants import Duration, Instant, parse_instant, to_instant
from foreword.domain.rulebook import (
    AbsenceSignal,
    ChangeSignal,
    CountSignal,
    EachSignal,
    EventFilter,
    RatioSignal,
    Signal,
)

Names = Mapping[str, Any]
"""What an expression may name at an evaluation: `event`, `profile`, `lists` and the rule's signals."""

Memory = dict[str, Any]

LATEST_DEADLINE: Instant = parse_instant("9999-01-01T00:00:00Z")
"""A deadline beyond it is none: the calendar must hold what is added to it."""


class Filter:
    """A compiled EVENT: which facts a signal sees."""

    def __init__(self, event: EventFilter) -> None:
        self.types = None if event.types is None else frozenset(event.types)
        self._where: Compiled | None = None if event.where is None else compile_expression(event.where)

    def may_match(self, event_type: str) -> bool:
        if self.types is None:
            return event_type != CUSTOMER_UPDATED and event_type not in OWN_TYPES
        return event_type in self.types

    def matches(self, fact: Fact, names: Names) -> bool:
        return self.may_match(fact.type) and (self._where is None or holds(self._where, names))


class Tracker(ABC):
    """One signal of one rule, compiled. A `moment` is true at its instant alone."""

    moment = False
    filters: tuple[Filter, ...]

    @abstractmethod
    def start(self) -> Memory:
        """The memory of a customer of whom nothing is known."""

    @abstractmethod
    def apply(self, memory: Memory, fact: Fact, names: Names) -> bool:
        """Take the fact in; True where it matched an EVENT of this signal."""

    @abstractmethod
    def value(self, memory: Memory, t: Instant, *, before: bool = False) -> Any:
        """The value at `t` (or just before it), None while undefined. `t` is never before the last fact."""


class _Times:
    """Sorted times of events, as far back as the window reaches."""

    def __init__(self, window: Duration) -> None:
        self._window = window

    def add(self, times: list[Instant], t: Instant) -> None:
        times.append(t)
        # One at exactly t - W is out at t, and still in just before t.
        del times[: bisect_left(times, t - self._window)]

    def count(self, times: list[Instant], t: Instant, *, before: bool) -> int:
        """How many stand in (t - W, t], or just before t in [t - W, t)."""
        side = bisect_left if before else bisect_right
        return side(times, t) - side(times, t - self._window)


class CountTracker(Tracker):
    def __init__(self, signal: CountSignal, retention: Duration) -> None:
        self._of = Filter(signal.of)
        self._reset = None if signal.reset is None else Filter(signal.reset)
        self._times = _Times(signal.within or retention)
        self.filters = (self._of,) if self._reset is None else (self._of, self._reset)

    def start(self) -> Memory:
        return {"times": []}

    def apply(self, memory: Memory, fact: Fact, names: Names) -> bool:
        # A reset event counts from the next one on, and is itself not counted.
        if self._reset is not None and self._reset.matches(fact, names):
            memory["times"] = []
            return True
        if self._of.matches(fact, names):
            self._times.add(memory["times"], fact.occurred_at)
            return True
        return False

    def value(self, memory: Memory, t: Instant, *, before: bool = False) -> Any:
        return self._times.count(memory["times"], t, before=before)


class RatioTracker(Tracker):
    def __init__(self, signal: RatioSignal, retention: Duration) -> None:
        self._of = Filter(signal.of)
        self._to = Filter(signal.to)
        self._at_least = signal.at_least
        self._times = _Times(signal.within or retention)
        self.filters = (self._of, self._to)

    def start(self) -> Memory:
        return {"of": [], "to": []}

    def apply(self, memory: Memory, fact: Fact, names: Names) -> bool:
        matched = False
        for name, event in (("of", self._of), ("to", self._to)):
            if event.matches(fact, names):
                self._times.add(memory[name], fact.occurred_at)
                matched = True
        return matched

    def value(self, memory: Memory, t: Instant, *, before: bool = False) -> Any:
        whole = self._times.count(memory["to"], t, before=before)
        if whole == 0 or whole < self._at_least:
            return None
        return Decimal(self._times.count(memory["of"], t, before=before)) / whole


class EachTracker(Tracker):
    moment = True

    def __init__(self, signal: EachSignal) -> None:
        self._of = Filter(signal.of)
        self.filters = (self._of,)

    def start(self) -> Memory:
        return {"last": None}

    def apply(self, memory: Memory, fact: Fact, names: Names) -> bool:
        if not self._of.matches(fact, names):
            return False
        memory["last"] = fact.occurred_at
        return True

    def value(self, memory: Memory, t: Instant, *, before: bool = False) -> Any:
        return not before and bool(memory["last"] == t)


class ChangeTracker(Tracker):
    def __init__(self, signal: ChangeSignal, retention: Duration) -> None:
        self._of = Filter(signal.of)
        self._value = compile_expression(signal.value)
        self._over = signal.over
        self._stale_after = signal.stale_after
        self._retention = retention
        self.filters = (self._of,)

    def start(self) -> Memory:
        return {"times": [], "values": []}

    def apply(self, memory: Memory, fact: Fact, names: Names) -> bool:
        if not self._of.matches(fact, names):
            return False
        try:
            value = self._value(names)
        except ConditionError:
            return True
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            memory["times"].append(fact.occurred_at)
            memory["values"].append(value)
            out = bisect_left(memory["times"], fact.occurred_at - self._over - self._stale_after)
            del memory["times"][:out], memory["values"][:out]
        return True

    def value(self, memory: Memory, t: Instant, *, before: bool = False) -> Any:
        times, values = memory["times"], memory["values"]
        side = bisect_left if before else bisect_right
        now = side(times, t) - 1
        then = side(times, t - self._over) - 1
        if now < 0 or then < 0 or times[then] < t - self._over - self._stale_after:
            return None
        if times[now] <= t - self._retention or values[then] <= 0:
            return None
        try:
            return subtract(divide(values[now], values[then]), 1)
        except ConditionError:
            # Beyond what a decimal can hold: as undefined as a division by zero.
            return None


class AbsenceTracker(Tracker):
    """Memory: `pending` deadlines as [deadline, key of the `after` fact, that fact], `rung` = the latest met.

    The fact itself is kept only where the rule's conditions name `event`; None stands there otherwise.
    """

    moment = True

    def __init__(self, signal: AbsenceSignal, *, keep_event: bool) -> None:
        self._keep_event = keep_event
        self._absence = Filter(signal.absence)
        self._after = Filter(signal.after)
        self._within = signal.within
        self._until = None if signal.until is None else compile_expression(signal.until)
        self._newest_only = signal.timer == "last"
        self.filters = (self._absence, self._after)

    def start(self) -> Memory:
        return {"pending": [], "rung": None}

    def apply(self, memory: Memory, fact: Fact, names: Names) -> bool:
        matched = False
        pending: list[Any] = memory["pending"]
        # First what the fact ends, then what it begins: an `after` event is never its own absence.
        if self._absence.matches(fact, names):
            matched = True
            pending = [entry for entry in pending if entry[0] < fact.occurred_at]
        if self._after.matches(fact, names):
            matched = True
            if self._newest_only:
                pending = [entry for entry in pending if entry[0] < fact.occurred_at]
            deadline = self._deadline(fact, names)
            if deadline is not None:
                kept = fact.to_json() if self._keep_event else None
                pending = [*pending, [deadline, fact.key, kept]]
                pending.sort(key=lambda entry: entry[0])
        memory["pending"] = pending
        return matched

    def value(self, memory: Memory, t: Instant, *, before: bool = False) -> Any:
        return not before and bool(memory["rung"] == t)

    def _deadline(self, fact: Fact, names: Names) -> Instant | None:
        if self._within is not None:
            return fact.occurred_at + self._within
        assert self._until is not None  # noqa: S101 - the rulebook holds exactly one of the two
        try:
            moment = self._until(names)
            deadline = to_instant(moment) if isinstance(moment, datetime) else parse_instant(moment)
        except (ConditionError, ValueError, TypeError):
            return None
        return deadline if fact.occurred_at <= deadline <= LATEST_DEADLINE else None


def tracker(signal: Signal, retention: Duration, *, keep_event: bool) -> Tracker:
    """Compile one signal; one without `within` looks back over `retention`.

    `keep_event` says whether the rule's conditions name `event`, which a deadline has to remember then.
    """
    match signal:
        case CountSignal():
            return CountTracker(signal, retention)
        case RatioSignal():
            return RatioTracker(signal, retention)
        case EachSignal():
            return EachTracker(signal)
        case ChangeSignal():
            return ChangeTracker(signal, retention)
        case AbsenceSignal():
            return AbsenceTracker(signal, keep_event=keep_event)
        case _:
            raise ValueError(f"a signal of kind {signal.kind} cannot be kept")
