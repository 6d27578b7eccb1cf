"""A signal against its own windows before."""

from __future__ import annotations

from typing import Any, Protocol

from foreword.domain.between import Between
from foreword.domain.condition_values import ARITHMETIC, divide, subtract
from foreword.domain.errors import ConditionError, NeedsJournal
from foreword.domain.instants import Duration, Instant
from foreword.domain.rulebook import BaselineSignal
from foreword.domain.signals.tracker import Memory, Part, Tracker


class Windowed(Protocol):
    """A tracker that can be asked for any window."""

    within: Duration
    parts: tuple[Part, ...]
    keep: Duration

    def start(self) -> Memory: ...
    def between(self, memory: Memory, lo: Instant, hi: Instant) -> Any: ...
    def between_before(self, memory: Memory, lo: Instant, hi: Instant) -> Any: ...
    def pack(self, memory: Memory, t: Instant) -> Any: ...
    def unpack(self, packed: Any) -> Memory: ...


class BaselineTracker(Tracker):
    """Its memory is that of the signal it compares, kept for `versus` windows more."""

    number = True

    def __init__(self, signal: BaselineSignal, compared: Windowed) -> None:
        self._compared = compared
        self._versus = signal.versus
        self._zscore = signal.compared_as == "zscore"
        self.keep = compared.keep
        self.parts = compared.parts

    def __getattr__(self, name: str) -> Any:
        """What the compared signal does with a fact."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._compared, name)

    def start(self) -> Memory:
        return self._compared.start()

    def value(self, memory: Memory, t: Instant, first_event: Instant | None) -> Any:
        if first_event is None or first_event > t - (self._versus + 1) * self._compared.within:
            return None
        return self._compare(memory, t, self._compared.between)

    def before(self, memory: Memory, t: Instant, first_event: Instant | None) -> Any:
        if first_event is None or first_event >= t - (self._versus + 1) * self._compared.within:
            return None
        return self._compare(memory, t, self._compared.between_before)

    def pack(self, memory: Memory, t: Instant) -> Any:
        return self._compared.pack(memory, t)

    def unpack(self, packed: Any) -> Memory:
        return self._compared.unpack(packed)

    def _compare(self, memory: Memory, t: Instant, value_in: Any) -> Any:
        within = self._compared.within
        windows = [value_in(memory, t - (i + 1) * within, t - i * within) for i in range(self._versus + 1)]
        if any(isinstance(value, Between) for value in windows):
            raise NeedsJournal("a window of the baseline is not known exactly")
        if any(value is None for value in windows):
            return None
        try:
            return self._against(windows[0], windows[1:])
        except (ConditionError, ArithmeticError, TypeError):
            return None  # not numbers, or beyond what a decimal holds

    def _against(self, now: Any, past: list[Any]) -> Any:
        mean = divide(_sum(past), len(past))
        if not self._zscore:
            return None if mean == 0 else subtract(divide(now, mean), 1)
        if len(past) < 2:
            return None
        squares = [ARITHMETIC.power(subtract(value, mean), 2) for value in past]
        deviation = ARITHMETIC.sqrt(divide(_sum(squares), len(past) - 1))
        return None if deviation == 0 else divide(subtract(now, mean), deviation)


def _sum(values: list[Any]) -> Any:
    total: Any = 0
    for value in values:
        total = ARITHMETIC.add(total, value)
    return total
