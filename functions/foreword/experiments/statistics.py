"""Two rates compared, and counts against shares: by statsmodels and SciPy (the extra `results`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from scipy.stats import chisquare, fisher_exact
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

CONFIDENCE = 0.95
FEWEST_EXPECTED = 5
"""Where a cell of the table (converted or not, by arm) expects less, Fisher's exact test takes the place of z."""


class Rate(NamedTuple):
    converted: int
    exposed: int

    @property
    def rate(self) -> float:
        return self.converted / self.exposed


class Difference(NamedTuple):
    """Of two rates: its 95 % interval is Newcombe's hybrid score interval, `p_value` that of there being none."""

    difference: float
    low: float
    high: float
    p_value: float


def difference(rate: Rate, base: Rate) -> Difference:
    """Both must have somebody exposed."""
    low, high = confint_proportions_2indep(
        *rate, *base, method="newcomb", compare="diff", alpha=1 - CONFIDENCE
    )
    return Difference(rate.rate - base.rate, float(low), float(high), _p_value(rate, base))


def _p_value(rate: Rate, base: Rate) -> float:
    converted = rate.converted + base.converted
    exposed = rate.exposed + base.exposed
    if converted in (0, exposed):
        return 1.0
    smallest = min(rate.exposed, base.exposed) * min(converted, exposed - converted) / exposed
    if smallest < FEWEST_EXPECTED:
        table = [[one.converted, one.exposed - one.converted] for one in (rate, base)]
        return float(fisher_exact(table).pvalue)
    _, p_value = proportions_ztest([rate.converted, base.converted], [rate.exposed, base.exposed])
    return float(p_value)


def mismatch(counts: Sequence[int], shares: Sequence[float]) -> float:
    """The p-value of so many in each arm, where each should have its share of them all."""
    total = sum(counts)
    return float(chisquare(counts, [share * total for share in shares]).pvalue)
