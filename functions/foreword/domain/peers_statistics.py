"""The statistic of a cohort, as each of its members is compared with it.

Reckoned exactly and rounded once, to the digits that conditions compute with. What it needs of the cohort is a
`Standing`: the sum, or a few neighbouring values of the sorted whole, never all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Context, Decimal
from typing import NamedTuple

_ROUNDED = Context(prec=28, traps=[])
_EXACT = Context(prec=100, traps=[])
"""Exact over all values whose magnitudes lie within 65 digits of one another, however many they are."""

_PERCENTILES = {"min": 0, "median": 50, "max": 100}
_PERCENTILE = re.compile(r"p([0-9]{1,2})", re.ASCII)


class Standing(NamedTuple):
    """What of a cohort its statistic is made from.

    `values` are its values in ascending order, those of rank `first` (from 0) and the ranks next to it.
    """

    members: int
    total: Decimal
    first: int = 0
    values: tuple[Decimal, ...] = ()


class Statistic(NamedTuple):
    """A mean, where `percentile` is None, or that percentile (0 to 100) by linear interpolation."""

    percentile: int | None
    excluding_self: bool = False

    @classmethod
    def named(cls, name: str, *, excluding_self: bool = False) -> Statistic:
        """`median`, `mean`, `min`, `max`, or `p5` and the like; raises ValueError for another."""
        if name == "mean":
            return cls(None, excluding_self)
        match = _PERCENTILE.fullmatch(name)
        if match is None and name not in _PERCENTILES:
            raise ValueError(f"{name!r} is no statistic like median, mean, min, max or p95")
        return cls(int(match[1]) if match else _PERCENTILES[name], excluding_self)

    def ranks(self, members: int) -> range:
        """Which values of the sorted cohort it needs, for whichever of its members."""
        others = members - self.excluding_self
        if self.percentile is None or others < 1:
            return range(0)
        low, between = divmod(self.percentile * (others - 1), 100)
        return range(low, low + 1 + (between > 0) + self.excluding_self)

    def of(self, cohort: Standing, own: Decimal) -> Decimal | None:
        """As it is for the member whose value is `own`; None where there is nobody else, or no finite number."""
        others = cohort.members - self.excluding_self
        if others < 1:
            return None
        if self.percentile is None:
            total = _EXACT.subtract(cohort.total, own) if self.excluding_self else cohort.total
            return _finite(_EXACT.divide(total, Decimal(others)))
        low, between = divmod(self.percentile * (others - 1), 100)
        value = self._of_rank(low, cohort, own)
        if between:
            step = _EXACT.subtract(self._of_rank(low + 1, cohort, own), value)
            value = _EXACT.add(value, _EXACT.multiply(step, Decimal(between).scaleb(-2)))
        return _finite(value)

    def _of_rank(self, rank: int, cohort: Standing, own: Decimal) -> Decimal:
        value = cohort.values[rank - cohort.first]
        # With the member taken out, all that stood behind it has moved up by one.
        if self.excluding_self and value >= own:
            value = cohort.values[rank + 1 - cohort.first]
        return value


def standing(statistic: Statistic, values: Iterable[Decimal]) -> Standing:
    """Of a cohort that is here as a whole."""
    ordered = sorted(values)
    ranks = statistic.ranks(len(ordered))
    return Standing(len(ordered), total(ordered), ranks.start, tuple(ordered[ranks.start : ranks.stop]))


def total(values: Iterable[Decimal]) -> Decimal:
    """Of whichever part of a cohort: the order of adding makes no difference (see `_EXACT`)."""
    found = Decimal(0)
    for value in values:
        found = _EXACT.add(found, value)
    return found


def measured(value: Decimal | int) -> Decimal:
    """A value as it is compared: rounded to the digits that conditions compute with."""
    return _ROUNDED.create_decimal(value)


def difference(own: Decimal, statistic: Decimal) -> Decimal | None:
    """None where it is beyond all numbers."""
    return _finite(_ROUNDED.subtract(own, statistic))


def _finite(value: Decimal) -> Decimal | None:
    """Rounded, and as short as it can be written: the same number is the same text, however it was reckoned."""
    rounded = _ROUNDED.plus(value)
    if not rounded.is_finite():
        return None
    short = _ROUNDED.normalize(rounded)
    in_full = 0 <= short.adjusted() < _ROUNDED.prec and int(short.as_tuple().exponent) > 0
    return short.quantize(Decimal(1), context=_ROUNDED) if in_full else short
