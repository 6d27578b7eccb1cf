"""Held against numbers that others have published."""

from __future__ import annotations

import pytest

from foreword.experiments.statistics import Rate, difference, mismatch


@pytest.mark.parametrize(
    ("rate", "base", "low", "high"),
    [
        (Rate(56, 70), Rate(48, 80), 0.0524, 0.3339),
        (Rate(9, 10), Rate(3, 10), 0.1705, 0.8090),
        (Rate(6, 7), Rate(2, 7), 0.0582, 0.8062),
        (Rate(5, 56), Rate(0, 29), -0.0381, 0.1926),
        (Rate(0, 10), Rate(0, 20), -0.1611, 0.2775),
        (Rate(10, 10), Rate(0, 20), 0.6791, 1.0000),
        (Rate(10, 10), Rate(0, 10), 0.6075, 1.0000),
    ],
)
def test_the_interval_is_that_of_newcombe(rate: Rate, base: Rate, low: float, high: float) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), table II, method 10."""
    found = difference(rate, base)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.0001)
    assert found.difference == pytest.approx(rate.rate - base.rate)


def test_the_p_value_is_that_of_the_physicians_health_study() -> None:
    """Myocardial infarctions, placebo and aspirin (New England Journal of Medicine 321, 1989): chi-square 25.01."""
    found = difference(Rate(189, 11_034), Rate(104, 11_037))
    assert found.p_value == pytest.approx(5.692e-7, rel=0.001)
    assert (found.low, found.high) == pytest.approx((0.0047, 0.0108), abs=0.0001)


def test_small_numbers_are_tested_exactly() -> None:
    """Fisher's own lady tasting tea: 3 of 4 cups against 1 of 4."""
    assert difference(Rate(3, 4), Rate(1, 4)).p_value == pytest.approx(0.4857, abs=0.0001)


@pytest.mark.parametrize(("rate", "base"), [(Rate(0, 9), Rate(0, 7)), (Rate(9, 9), Rate(7, 7))])
def test_where_all_or_none_convert_there_is_no_difference(rate: Rate, base: Rate) -> None:
    assert difference(rate, base).p_value == 1


def test_a_mismatch_of_the_sample_ratio_is_found_as_in_the_book() -> None:
    """Kohavi, Tang and Xu, Trustworthy Online Controlled Experiments (2020), chapter 3: p = 1.8e-6."""
    assert mismatch([821_588, 815_482], [0.5, 0.5]) == pytest.approx(1.8e-6, rel=0.05)
    assert mismatch([50, 950], [0.05, 0.95]) == pytest.approx(1)
