"""The semantics of rules.md written as plainly as possible: lists of events, asked anew each time, no state.

The core is held against this model; speed does not matter here, and nothing is shared with the core.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

Time = int


@dataclass(frozen=True)
class Event:
    key: str
    type: str
    at: Time
    value: int = 0


class Signal(Protocol):
    """`value` sees the events applied so far; in the limit just `before` t, windows are half-open the other way."""

    def concerns(self, event: Event) -> bool: ...

    def value(self, events: Sequence[Event], t: Time, before: bool) -> Any: ...


def in_window(event: Event, t: Time, within: int, before: bool) -> bool:
    return t - within <= event.at < t if before else t - within < event.at <= t


@dataclass(frozen=True)
class Count:
    type: str
    within: int
    reset: str | None = None

    def concerns(self, event: Event) -> bool:
        return event.type in (self.type, self.reset)

    def value(self, events: Sequence[Event], t: Time, before: bool) -> Any:
        since = 0
        for index, event in enumerate(events):
            if event.type == self.reset:
                since = index + 1
        return sum(1 for e in events[since:] if e.type == self.type and in_window(e, t, self.within, before))


@dataclass(frozen=True)
class Ratio:
    of: str
    to: str
    at_least: int
    within: int

    def concerns(self, event: Event) -> bool:
        return event.type in (self.of, self.to)

    def value(self, events: Sequence[Event], t: Time, before: bool) -> Any:
        inside = [e.type for e in events if in_window(e, t, self.within, before)]
        if inside.count(self.to) < self.at_least:
            return None
        return Decimal(inside.count(self.of)) / inside.count(self.to)


@dataclass(frozen=True)
class Each:
    type: str

    def concerns(self, event: Event) -> bool:
        return event.type == self.type

    def value(self, events: Sequence[Event], t: Time, before: bool) -> Any:
        return not before and any(e.type == self.type and e.at == t for e in events)


@dataclass(frozen=True)
class Change:
    of: str
    over: int
    stale_after: int

    def concerns(self, event: Event) -> bool:
        return event.type == self.of

    def value(self, events: Sequence[Event], t: Time, before: bool) -> Any:
        mine = [e for e in events if e.type == self.of]
        then = [
            e
            for e in mine
            if (e.at < t - self.over if before else e.at <= t - self.over)
            and e.at >= t - self.over - self.stale_after
        ]
        if not mine or not then or then[-1].value <= 0:
            return None
        return Decimal(mine[-1].value) / then[-1].value - 1


@dataclass(frozen=True)
class Absence:
    absence: str
    after: str
    within: int
    timer: str

    def concerns(self, event: Event) -> bool:
        return event.type in (self.absence, self.after)

    def deadlines(self, events: Sequence[Event]) -> list[tuple[Time, str]]:
        """(deadline, key of the `after` event), of all that are not met or replaced."""
        found = []
        for index, after in enumerate(events):
            if after.type != self.after:
                continue
            deadline = after.at + self.within
            later = [e for e in events[index + 1 :] if e.at <= deadline]
            met = any(e.type == self.absence for e in later)
            replaced = self.timer == "last" and any(e.type == self.after for e in later)
            if not met and not replaced:
                found.append((deadline, after.key))
        return found

    def value(self, events: Sequence[Event], t: Time, before: bool) -> Any:
        return not before and any(deadline == t for deadline, _ in self.deadlines(events))


@dataclass(frozen=True)
class ModelRule:
    """`when` takes the signals' values, None being undefined, and gives exactly true or false."""

    name: str
    signals: dict[str, Signal]
    when: Callable[[dict[str, Any]], bool]
    re_eligible_after: int | None


def decisions(rule: ModelRule, events: Sequence[Event], end: Time) -> list[tuple[Time, str]]:
    """(time, "fired" or "NOT_RE_ELIGIBLE") of every rise up to `end`. `events` stand in their order."""
    # An evaluation: its time, and how many of the events are applied.
    points = [
        (event.at, 0, index + 1)
        for index, event in enumerate(events)
        if any(signal.concerns(event) for signal in rule.signals.values())
    ]
    for signal in rule.signals.values():
        if isinstance(signal, Absence):
            for deadline, _ in signal.deadlines(events):
                points.append((deadline, 1, sum(1 for e in events if e.at <= deadline)))
    rises: list[Time] = []
    for t, at_deadline, applied in sorted(points):
        if t > end or t in rises:
            continue
        earlier = [event for event in events if event.at < t]
        now = {name: s.value(events[:applied], t, False) for name, s in rule.signals.items()}
        if not at_deadline:
            # An event at the very deadline comes first: the deadline is looked at when all of them are there.
            now |= {name: False for name, s in rule.signals.items() if isinstance(s, Absence)}
        was = {name: s.value(earlier, t, True) for name, s in rule.signals.items()}
        if rule.when(now) and not rule.when(was):
            rises.append(t)
    found: list[tuple[Time, str]] = []
    last_fired: Time | None = None
    for t in rises:
        apart = rule.re_eligible_after
        if last_fired is not None and apart is not None and t < last_fired + apart:
            found.append((t, "NOT_RE_ELIGIBLE"))
        else:
            found.append((t, "fired"))
            last_fired = t
    return found
