"""Signals over values: every value of the window with its time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact, InvalidOperation
from typing import Any

from foreword.domain import json_text
from foreword.domain.condition_values import ARITHMETIC, divide, subtract
from foreword.domain.errors import ConditionError, NeedsJournal
from foreword.domain.instants import Duration, Instant
from foreword.domain.rulebook import (
    AggregateSignal,
    ChangeSignal,
    DistinctSignal,
    EventFilter,
    Expression,
    LastSignal,
    WillingnessSignal,
)
from foreword.domain.signals.packing import (
    identity,
    pack_numbers,
    pack_times,
    unpack_numbers,
    unpack_times,
)
from foreword.domain.signals.tracker import Part, Tracker

MOST_VALUES = 200
"""A stored memory holds no more values; what is older is let go, and the journal is asked while it matters."""


NEVER_REACHED: Instant = 2**62

_WORTH_DROPPING = 64
"""Values that left the window are forgotten many at a time."""

_WIDE = Context(prec=200, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[InvalidOperation, Inexact])
_ROUNDING = Context(prec=200, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[InvalidOperation])


class Log:
    """Values in order of their times. `gone_through` is the time of the newest value that was let go, if any.

    `total` is the sum of the values from `start` up to (not including) `end`, which move with the window.
    (Defaults of the class: one is made for every customer.)
    """

    gone_through: Instant | None = None
    start = 0
    end = 0
    total: Any = 0

    def __init__(self, times: list[Instant], values: list[Any]) -> None:
        self.times = times
        self.values = values

    def drop(self, many: int) -> None:
        """Forget the oldest values. They are out of every window, or `move_to` begins anew."""
        del self.times[:many], self.values[:many]
        self.start, self.end = self.start - many, self.end - many
        if self.start < 0:
            self.start = self.end = 0
            self.total = 0

    def move_to(self, t: Instant, lo: Instant) -> tuple[Any, int]:
        """The sum of the values in (lo, t], and how many they are; `t` and `lo` only ever grow."""
        if self.gone_through is not None and self.gone_through > lo:
            raise NeedsJournal(f"values up to {self.gone_through} are not kept")
        times, values, total = self.times, self.values, self.total
        start, end = self.start, self.end
        try:
            while end < len(times) and times[end] <= t:
                total = plus(total, values[end])
                end += 1
            while start < end and times[start] <= lo:
                total = minus(total, values[start])
                start += 1
        except Inexact:  # too far apart to be taken away again: added anew at the next question
            self.start = self.end = 0
            self.total = 0
            inside = values[bisect_right(times, lo) : bisect_right(times, t)]
            return total_of(inside), len(inside)
        self.start, self.end, self.total = start, end, total
        return total, end - start

    def just_before(self, t: Instant, lo: Instant) -> tuple[Any, int]:
        """The sum of the values in [lo, t), and how many they are."""
        if self.gone_through is not None and self.gone_through >= lo:
            raise NeedsJournal(f"values up to {self.gone_through} are not kept")
        total, many = self.move_to(t, lo)
        if self.end == 0 and many:
            inside = self.inside_before(lo, t)
            return total_of(inside), len(inside)
        at = self.end - 1
        while at >= self.start and self.times[at] == t:
            total, many, at = minus(total, self.values[at]), many - 1, at - 1
        at = self.start - 1
        while at >= 0 and self.times[at] == lo:
            total, many, at = plus(total, self.values[at]), many + 1, at - 1
        return total, many

    def inside(self, lo: Instant, hi: Instant) -> list[Any]:
        """The values in (lo, hi]; raises NeedsJournal where one of them was let go."""
        if self.gone_through is not None and self.gone_through > lo:
            raise NeedsJournal(f"values up to {self.gone_through} are not kept")
        return self.values[bisect_right(self.times, lo) : bisect_right(self.times, hi)]

    def inside_before(self, lo: Instant, hi: Instant) -> list[Any]:
        """The values in [lo, hi)."""
        if self.gone_through is not None and self.gone_through >= lo:
            raise NeedsJournal(f"values up to {self.gone_through} are not kept")
        return self.values[bisect_left(self.times, lo) : bisect_left(self.times, hi)]


class LogTracker(Tracker):
    """`of_values` makes the signal's value of those in a window."""

    numeric = True

    def __init__(self, within: Duration, keep: Duration) -> None:
        self.within = within
        self.keep = max(keep, within)

    def of_values(self, values: Sequence[Any]) -> Any:
        raise NotImplementedError

    def start(self) -> Log:
        return Log([], [])

    def add(self, memory: Log, t: Instant, value: Any) -> None:
        kind = type(value)
        if kind is not Decimal and kind is not int and not self._holds(value):
            return
        memory.times.append(t)
        memory.values.append(value)

    def _holds(self, value: Any) -> bool:
        """Whether something else than a number is a value: times are none of an event, and no state holds them."""
        return not self.numeric and not isinstance(value, datetime | timedelta)

    def value(self, memory: Log, t: Instant, first_event: Instant | None) -> Any:
        self.prune(memory, t)
        return self.between(memory, t - self.within, t)

    def before(self, memory: Log, t: Instant, first_event: Instant | None) -> Any:
        return self.between_before(memory, t - self.within, t)

    def between(self, memory: Log, lo: Instant, hi: Instant) -> Any:
        """The value in (lo, hi]."""
        return self.of_values(memory.inside(lo, hi))

    def between_before(self, memory: Log, lo: Instant, hi: Instant) -> Any:
        """The value in [lo, hi)."""
        return self.of_values(memory.inside_before(lo, hi))

    def prune(self, memory: Log, t: Instant) -> None:
        lo = t - self.keep
        if memory.times and memory.times[0] < lo:
            memory.drop(bisect_left(memory.times, lo))
        if memory.gone_through is not None and memory.gone_through < lo:
            memory.gone_through = None

    def pack(self, memory: Log, t: Instant) -> Any:
        self.prune(memory, t)
        self._compact(memory)
        if not memory.times and memory.gone_through is None:
            return None
        values = (
            pack_numbers(memory.values) if self.numeric else [json_text.dumps(it) for it in memory.values]
        )
        packed = [pack_times(memory.times), *values]
        return packed if memory.gone_through is None else {"g": memory.gone_through, "l": packed}

    def unpack(self, packed: Any) -> Log:
        gone_through = None
        if isinstance(packed, dict):
            gone_through, packed = packed["g"], packed["l"]
        values = unpack_numbers(packed[1:]) if self.numeric else [json_text.loads(it) for it in packed[1:]]
        log = Log(unpack_times(packed[0]), values)
        log.gone_through = gone_through
        return log

    def _compact(self, memory: Log) -> None:
        excess = len(memory.times) - MOST_VALUES
        if excess > 0:
            memory.gone_through = memory.times[excess - 1]
            memory.drop(excess)


class ExtremeTracker(LogTracker):
    """min and max."""

    number = True

    def __init__(self, signal: AggregateSignal, retention: Duration, keep: Duration = 0) -> None:
        super().__init__(signal.within or retention, keep)
        self._pick: Any = min if signal.kind == "min" else max
        self.parts = (Part(signal.of, "add", "value", signal.value),)

    def of_values(self, values: Sequence[Any]) -> Any:
        return self._pick(values, default=None)


class SumTracker(LogTracker):
    """sum, and willingness, which is a sum of scores. The sum of the window moves along with it."""

    number = True
    defined = True

    def __init__(self, parts: tuple[Part, ...], within: Duration, keep: Duration = 0) -> None:
        super().__init__(within, keep)
        self.parts = parts

    def of_values(self, values: Sequence[Any]) -> Any:
        return rounded(total_of(values))

    def value(self, memory: Log, t: Instant, first_event: Instant | None) -> Any:
        lo = t - self.within
        at, start = memory.end, memory.start
        if at + 1 == len(memory.times) and memory.times[start] > lo and memory.gone_through is None:
            # One more has come, and nothing has left the window.
            try:
                memory.total = plus(memory.total, memory.values[at])
            except Inexact:
                pass
            else:
                memory.end = at + 1
                return self.of_total(memory.total, at + 1 - start)
        total, many = memory.move_to(t, lo)
        if start > _WORTH_DROPPING:
            self.prune(memory, t)
        return self.of_total(total, many)

    def before(self, memory: Log, t: Instant, first_event: Instant | None) -> Any:
        return self.of_total(*memory.just_before(t, t - self.within))

    def of_total(self, total: Any, many: int) -> Any:
        return total if type(total) is int else rounded(total)


def first_reaching(memory: Log, t: Instant, within: Duration, least: int) -> Instant:
    """When the sum over the last `within` is at least `least` if nothing more comes: `t`, or as values leave.

    Where that is never, a time after all of them. Raises NeedsJournal where a value of the window was let go.
    """
    inside = memory.inside(t - within, t)
    total = total_of(inside)
    if total >= least:
        return t
    times = memory.times[bisect_right(memory.times, t) - len(inside) :]
    for at, (seen, value) in enumerate(zip(times, inside, strict=False)):
        total = minus(total, value)
        if total >= least and (at + 1 == len(inside) or times[at + 1] > seen):
            return seen + within
    return NEVER_REACHED


class AverageTracker(SumTracker):
    defined = False

    def of_values(self, values: Sequence[Any]) -> Any:
        return self.of_total(total_of(values), len(values))

    def of_total(self, total: Any, many: int) -> Any:
        total = rounded(total)
        return divide(total, many) if many and total is not None else None


def aggregate(signal: AggregateSignal, retention: Duration, keep: Duration) -> LogTracker:
    if signal.kind in ("min", "max"):
        return ExtremeTracker(signal, retention, keep)
    kind = SumTracker if signal.kind == "sum" else AverageTracker
    part = Part(signal.of, "add", "value", signal.value)
    return kind((part,), signal.within or retention, keep)


def willingness(signal: WillingnessSignal) -> LogTracker:
    """Each event type adds its score."""
    parts = tuple(
        Part(
            EventFilter(types=(kind,)),
            "add",
            "value",
            Expression(source=str(score), tree=["number", str(score)]),
        )
        for kind, score in signal.scores.items()
    )
    return SumTracker(parts, signal.within)


class FirstTracker(LogTracker):
    """The value of the earliest event in the window."""

    numeric = False

    def __init__(self, signal: LastSignal, retention: Duration, keep: Duration = 0) -> None:
        super().__init__(signal.within or retention, keep)
        self.parts = (Part(signal.of, "add", "value", signal.value),)

    def of_values(self, values: Sequence[Any]) -> Any:
        return values[0] if values else None


class LastLogTracker(FirstTracker):
    """The value of the latest event in any window: what a baseline compares with."""

    def of_values(self, values: Sequence[Any]) -> Any:
        return values[-1] if values else None


class DistinctLogTracker(LogTracker):
    """Different values in any window: what a baseline compares with."""

    number = True
    defined = True
    numeric = False

    def __init__(self, signal: DistinctSignal, retention: Duration, keep: Duration = 0) -> None:
        super().__init__(signal.within or retention, keep)
        self.parts = (Part(signal.of, "add", "value", signal.value),)

    def add(self, memory: Log, t: Instant, value: Any) -> None:
        super().add(memory, t, identity(value))

    def of_values(self, values: Sequence[Any]) -> Any:
        return len(set(values))


class ChangeTracker(LogTracker):
    """value now / the latest value at or before t - over - 1."""

    number = True

    def __init__(self, signal: ChangeSignal, retention: Duration) -> None:
        super().__init__(signal.over + signal.stale_after, 0)
        self._over = signal.over
        self._stale_after = signal.stale_after
        self._retention = retention
        self.parts = (Part(signal.of, "add", "value", signal.value),)

    def value(self, memory: Log, t: Instant, first_event: Instant | None) -> Any:
        then = bisect_right(memory.times, t - self._over) - 1
        found = self._change(memory, t, bisect_right(memory.times, t) - 1, then)
        self.prune(memory, t)
        return found

    def before(self, memory: Log, t: Instant, first_event: Instant | None) -> Any:
        then = bisect_left(memory.times, t - self._over) - 1
        return self._change(memory, t, bisect_left(memory.times, t) - 1, then)

    def prune(self, memory: Log, t: Instant) -> None:
        # The latest value stays, however old it is: it is the value now.
        if len(memory.times) > 1:
            memory.drop(min(bisect_left(memory.times, t - self.keep), len(memory.times) - 1))
        if memory.gone_through is not None and memory.gone_through < t - self.keep:
            memory.gone_through = None

    def _change(self, memory: Log, t: Instant, now: int, then: int) -> Any:
        oldest = t - self._over - self._stale_after
        if now < 0 or memory.times[now] <= t - self._retention:
            return None
        if then < 0 or memory.times[then] < oldest:
            if memory.gone_through is not None and memory.gone_through >= oldest:
                raise NeedsJournal(f"values up to {memory.gone_through} are not kept")
            return None
        if memory.values[then] <= 0:
            return None
        try:
            return subtract(divide(memory.values[now], memory.values[then]), 1)
        except ConditionError:
            # Beyond what a decimal can hold: as undefined as a division by zero.
            return None


def total_of(values: Sequence[Any]) -> Any:
    """As exact as can be, however far apart the values are."""
    total: Any = 0
    try:
        for value in values:
            total = plus(total, value)
    except Inexact:
        total = Decimal(0)
        for value in values:
            total = _ROUNDING.add(total, value)
    return total


def plus(total: Any, value: Any) -> Any:
    """Exact, or Inexact: what is added may be taken away again."""
    return total + value if type(total) is int and type(value) is int else _WIDE.add(total, value)


def minus(total: Any, value: Any) -> Any:
    return total - value if type(total) is int and type(value) is int else _WIDE.subtract(total, value)


def rounded(total: Any) -> Any:
    """To the digits that conditions reckon with; None, undefined, beyond what they can hold."""
    try:
        return total if type(total) is int else ARITHMETIC.plus(total)
    except ArithmeticError:
        return None
