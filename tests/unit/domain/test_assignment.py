"""Assignment is sticky, uniform, monotone and independent between rules."""

from __future__ import annotations

import math
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreword.domain.assignment import in_holdout, in_rule_holdout, variant_of

MANY = 20_000
CUSTOMERS = [f"c-{number}" for number in range(MANY)]
HELD, OF_RULE, CALM = (
    ["c-7", "c-12", "c-13", "c-45", "c-55", "c-64", "c-74", "c-90"],
    ["c-5", "c-23"],
    ["c-0", "c-2", "c-3", "c-4", "c-5", "c-7", "c-9"],
)
HALVES = {"calm": Decimal("0.5"), "direct": Decimal("0.5")}

shares = st.decimals(min_value=0, max_value=1, places=6)
ids = st.text(min_size=1, max_size=20)


def near(found: int, share: float, of: int = MANY) -> bool:
    """Within five standard deviations of a binomial: wrong once in a million."""
    return abs(found - of * share) <= 5 * math.sqrt(of * share * (1 - share))


@pytest.mark.parametrize("share", ["0.005", "0.02", "0.05", "0.3", "0.5"])
def test_a_share_holds_about_so_many_customers(share: str) -> None:
    part = Decimal(share)
    assert near(sum(in_holdout(customer, part) for customer in CUSTOMERS), float(part))
    assert near(sum(in_rule_holdout(customer, "stuck", part) for customer in CUSTOMERS), float(part))


def test_places_are_uniform_over_a_hundred_cells() -> None:
    """Chi-square with 99 degrees of freedom: 160 is exceeded with a probability of 1 in 10,000."""
    hundred = {f"v{cell:02}": Decimal("0.01") for cell in range(100)}
    counts = Counter(variant_of(customer, "stuck", hundred) for customer in CUSTOMERS)
    assert counts.keys() == hundred.keys()
    expected = MANY / 100
    assert sum((count - expected) ** 2 / expected for count in counts.values()) < 160


def test_nothing_and_everything_are_exact() -> None:
    assert not any(in_holdout(customer, Decimal(0)) for customer in CUSTOMERS)
    assert all(in_holdout(customer, Decimal(1)) for customer in CUSTOMERS)


@given(ids, ids, shares, shares)
def test_a_growing_share_keeps_who_is_in(customer: str, rule: str, one: Decimal, other: Decimal) -> None:
    smaller, larger = sorted((one, other))
    assert in_holdout(customer, smaller) <= in_holdout(customer, larger)
    assert in_rule_holdout(customer, rule, smaller) <= in_rule_holdout(customer, rule, larger)


@given(ids, ids, st.sampled_from(["0.2", "0.5", "0.7"]))
def test_the_order_of_variants_moves_nobody(customer: str, rule: str, share: str) -> None:
    variants = {"calm": Decimal(share), "direct": 1 - Decimal(share)}
    backwards = dict(reversed(variants.items()))
    assert variant_of(customer, rule, variants) == variant_of(customer, rule, backwards)


def test_a_growing_first_variant_takes_customers_and_gives_none_away() -> None:
    wider = {"calm": Decimal("0.7"), "direct": Decimal("0.3")}
    for customer in CUSTOMERS[:2000]:
        if variant_of(customer, "stuck", HALVES) == "calm":
            assert variant_of(customer, "stuck", wider) == "calm"


def test_rules_and_purposes_are_independent_of_one_another() -> None:
    half = Decimal("0.5")
    asked = [
        [in_holdout(customer, half) for customer in CUSTOMERS],
        [in_rule_holdout(customer, "stuck", half) for customer in CUSTOMERS],
        [in_rule_holdout(customer, "other", half) for customer in CUSTOMERS],
        [variant_of(customer, "stuck", HALVES) == "calm" for customer in CUSTOMERS],
        [variant_of(customer, "other", HALVES) == "calm" for customer in CUSTOMERS],
    ]
    for number, one in enumerate(asked):
        for other in asked[:number]:
            assert near(sum(a and b for a, b in zip(one, other, strict=True)), 0.25)


def test_names_do_not_run_into_one_another() -> None:
    pairs = [("ab", "c"), ("a", "bc"), ("a1:b", "c"), ("a", "1:bc")]
    found = {tuple(in_rule_holdout(c, f"{r}{n}", Decimal("0.5")) for n in range(64)) for c, r in pairs}
    assert len(found) == len(pairs)


def test_who_is_where_stays_so_with_every_release() -> None:
    """These are promises: a change of the hash would move every customer of every running experiment."""
    held = [customer for customer in CUSTOMERS[:100] if in_holdout(customer, Decimal("0.05"))]
    of_rule = [
        customer for customer in CUSTOMERS[:100] if in_rule_holdout(customer, "stuck", Decimal("0.05"))
    ]
    calm = [customer for customer in CUSTOMERS[:10] if variant_of(customer, "stuck", HALVES) == "calm"]
    assert held == HELD
    assert of_rule == OF_RULE
    assert calm == CALM


def test_without_variants_there_is_none_and_short_shares_leave_nobody_out() -> None:
    assert variant_of("c-1", "stuck", {}) is None
    thirds = dict.fromkeys(("a", "b", "c"), Decimal("0.3333"))
    assert {variant_of(customer, "stuck", thirds) for customer in CUSTOMERS} == {"a", "b", "c"}
