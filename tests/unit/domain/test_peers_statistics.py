from __future__ import annotations

import statistics
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreword.domain.peers_statistics import Statistic, difference, measured, standing

NAMES = ["median", "mean", "min", "max", "p5", "p25", "p37", "p90", "p95"]
values = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4)
cohorts = st.lists(st.one_of(values, st.sampled_from([Decimal(1), Decimal("2.50")])), min_size=1, max_size=40)


def as_a_person_would(name: str, cohort: list[Decimal]) -> Fraction:
    """By the books, in fractions."""
    ordered = sorted(map(Fraction, cohort))
    if name == "mean":
        return statistics.mean(ordered)
    if name == "median":
        return statistics.median(ordered)
    if name in ("min", "max"):
        return ordered[0] if name == "min" else ordered[-1]
    rank = Fraction(int(name[1:]), 100) * (len(ordered) - 1)
    below = int(rank)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (rank - below)


def close(found: Decimal | None, expected: Fraction) -> bool:
    """To 28 digits."""
    assert found is not None
    return abs(Fraction(found) - expected) <= abs(expected) / 10**27


@given(st.sampled_from(NAMES), cohorts)
def test_a_statistic_is_that_of_the_books(name: str, cohort: list[Decimal]) -> None:
    statistic = Statistic.named(name)
    found = standing(statistic, cohort)
    for own in cohort:
        assert close(statistic.of(found, own), as_a_person_would(name, cohort))


@given(st.sampled_from(NAMES), cohorts.filter(lambda cohort: len(cohort) > 1))
def test_excluding_self_is_the_statistic_of_the_others(name: str, cohort: list[Decimal]) -> None:
    statistic = Statistic.named(name, excluding_self=True)
    found = standing(statistic, cohort)
    for at, own in enumerate(cohort):
        others = cohort[:at] + cohort[at + 1 :]
        assert close(statistic.of(found, own), as_a_person_would(name, others))


@pytest.mark.parametrize("name", NAMES)
def test_alone_there_are_no_others_to_be_compared_with(name: str) -> None:
    statistic = Statistic.named(name, excluding_self=True)
    assert statistic.of(standing(statistic, [Decimal(7)]), Decimal(7)) is None
    statistic = Statistic.named(name)
    assert statistic.of(standing(statistic, [Decimal(7)]), Decimal(7)) == 7


@given(st.sampled_from(NAMES), st.booleans(), st.integers(1, 10**9))
def test_of_however_many_members_a_few_values_are_enough(
    name: str, excluding_self: bool, members: int
) -> None:
    assert len(Statistic.named(name, excluding_self=excluding_self).ranks(members)) <= 3


def test_numbers_that_floats_would_lose_are_kept() -> None:
    mean = Statistic.named("mean")
    cohort = [Decimal("1e30"), Decimal("0.1"), Decimal("-1e30"), Decimal("0.2")]
    assert mean.of(standing(mean, cohort), cohort[0]) == Decimal("0.075")


def test_what_is_beyond_all_numbers_is_no_statistic() -> None:
    mean = Statistic.named("mean")
    huge = [Decimal("9e999999"), Decimal("9e999999")]
    assert mean.of(standing(mean, huge), huge[0]) is None
    assert difference(Decimal("9e999999"), Decimal("-9e999999")) is None


def test_a_value_has_the_digits_that_conditions_compute_with() -> None:
    assert measured(Decimal("0." + "1" * 60)) == Decimal("0." + "1" * 28)
    assert measured(10**40 + 1) == 10**40


@pytest.mark.parametrize("name", ["", "average", "p", "p100", "p-5", "P50", "p5.5"])
def test_another_statistic_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no statistic"):
        Statistic.named(name)


@pytest.mark.parametrize(
    ("values", "text"),
    [(["56", "57"], "56.5"), (["1.00", "3.00"], "2"), (["99", "101"], "100"), (["1e30", "1e30"], "1E+30")],
)
def test_a_statistic_is_written_as_short_as_it_can_be(values: list[str], text: str) -> None:
    median = Statistic.named("median")
    cohort = [Decimal(value) for value in values]
    assert str(median.of(standing(median, cohort), cohort[0])) == text
    assert str(difference(Decimal("1.50"), Decimal("0.50"))) == "1"
    assert str(difference(Decimal("1.50"), Decimal("1.5"))) == "0"
