"""A number of which only bounds are known: what a compacted memory can still say of a window.

A comparison that the bounds decide has its answer; any other raises NeedsJournal, and the journal tells exactly.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

from foreword.domain.errors import NeedsJournal

Number: TypeAlias = int | Decimal


class Between:
    """`low <= x <= high`; None is no bound. Low and high differ: a number that is known is that number."""

    __slots__ = ("high", "low")

    def __init__(self, low: Number | None, high: Number | None) -> None:
        self.low = low
        self.high = high

    def __repr__(self) -> str:
        return f"Between({self.low}, {self.high})"

    def __ge__(self, other: Number) -> bool:
        if self.low is not None and self.low >= other:
            return True
        if self.high is not None and self.high < other:
            return False
        raise self._undecided()

    def __gt__(self, other: Number) -> bool:
        if self.low is not None and self.low > other:
            return True
        if self.high is not None and self.high <= other:
            return False
        raise self._undecided()

    def __le__(self, other: Number) -> bool:
        return not self > other

    def __lt__(self, other: Number) -> bool:
        return not self >= other

    def __eq__(self, other: object) -> bool:
        if isinstance(other, int | Decimal) and (
            (self.low is not None and self.low > other) or (self.high is not None and self.high < other)
        ):
            return False
        raise self._undecided()

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]  # equal only to what is not known yet

    def _undecided(self) -> NeedsJournal:
        return NeedsJournal(f"the value lies between {self.low} and {self.high}, and the journal knows where")


def between(low: Number | None, high: Number | None) -> Number | Between:
    """The number itself where both bounds are it."""
    return low if low is not None and low == high else Between(low, high)
