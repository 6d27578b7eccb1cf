"""Peers, sentence by sentence (rules.md, Cohorts)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from foreword.domain.facts import Fact
from foreword.domain.instants import DAY
from foreword.domain.rulebook import CountSignal, LastSignal, PeersSignal, Rule, Signal
from tests.reference.cohorts import Customer, decide_cohorts
from tests.reference.writing import T, book, cel, event, fact, rule

A = event("A")
OWN = LastSignal(kind="last", value=cel("event.data.x"), of=A, within=5 * DAY)


def peers_rule(when: str = "p < 0", signals: Mapping[str, Signal] | None = None, **more: Any) -> Rule:
    options = {"statistic": "median", "at_least": 2, "excluding_self": False} | {
        name: more.pop(name) for name in ("statistic", "at_least", "excluding_self") if name in more
    }
    peers = PeersSignal(signal="own", cohort=cel("event.data.group"), period=DAY, **options)
    return rule(when, {"own": OWN, "p": peers, **(signals or {})}, **more)


def decided(
    example: Rule, facts: Mapping[str, Sequence[Fact]], end: int = T + 30 * DAY
) -> list[tuple[str, float, Any]]:
    """(customer, hour, own value minus the statistic) of all rises."""
    customers = {name: Customer({}, of) for name, of in facts.items()}
    found = decide_cohorts(book(example), example.rule, customers, end)
    return sorted(
        (name, (decision.at - T) / 3_600_000_000, decision.signals["p"])
        for name, decisions in found.items()
        for decision in decisions
    )


def a(hours: float, x: Any, group: str = "g") -> Fact:
    return fact(hours, x=x, group=group)


def test_the_value_is_the_customers_own_minus_the_statistic_of_its_cohort() -> None:
    facts = {"1": [a(1, 1)], "2": [a(2, 3)], "3": [a(3, 7)], "4": [a(4, 0, "h")], "5": [a(5, 1, "h")]}
    assert decided(peers_rule(), facts) == [("1", 1, -2), ("4", 4, Decimal("-0.5"))]


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        ("median", Decimal("-1.5")),
        ("mean", -3),
        ("min", 0),
        ("max", -9),
        ("p5", Decimal("-0.15")),
        ("p75", Decimal("-3.75")),
        ("p95", Decimal("-7.95")),
    ],
)
def test_the_statistics_are_exact_percentiles_by_linear_interpolation(statistic: str, expected: Any) -> None:
    facts = {str(x): [a(x, x)] for x in (1, 2, 3, 10)}
    example = peers_rule("p < 100", statistic=statistic)
    assert ("1", 1, expected) in decided(example, facts)


def test_excluding_self_compares_with_the_others_alone() -> None:
    facts = {"1": [a(1, 1)], "2": [a(2, 3)], "3": [a(3, 7)]}
    assert decided(peers_rule(excluding_self=True), facts) == [("1", 1, -4), ("2", 2, -1)]


def test_fewer_than_at_least_self_counted_are_not_evaluated() -> None:
    facts = {"1": [a(1, 1)], "2": [a(2, 3)]}
    assert decided(peers_rule(at_least=3), facts) == []
    assert len(decided(peers_rule(at_least=2, excluding_self=True), facts)) == 1


def test_each_customer_counts_by_its_last_value_of_the_period() -> None:
    facts = {"1": [a(1, 9), a(5, 1)], "2": [a(2, 3), a(23.999, 4)], "3": [a(3, 3), a(24, 0)]}
    assert decided(peers_rule(), facts) == [("1", 5, -2)], "at is the time of the customer's own value"


def test_a_customer_without_a_value_in_the_period_is_not_compared() -> None:
    facts = {"1": [a(1, 1)], "2": [a(2, 3)], "3": [a(30, 5)]}
    assert decided(peers_rule(at_least=3), facts) == []


def test_it_rises_against_the_customers_previous_evaluated_period() -> None:
    low = {"1": [a(day * 24 + 1, 1) for day in (0, 1, 2, 3)]}
    # No comparison on the third day: the fourth is against the second.
    facts = {**low, "2": [a(2, 3), a(26, 3), a(74, 3)]}
    assert decided(peers_rule(), facts) == [("1", 1, -1)]
    risen = {**low, "2": [a(2, 3), a(26, 0), a(74, 3)]}
    assert decided(peers_rule(), risen) == [
        ("1", 1, -1),
        ("1", 73, -1),
        ("2", 26, Decimal("-0.5")),
    ]


def test_repeat_takes_every_true_close_for_a_rise() -> None:
    facts = {"1": [a(1, 1), a(25, 1)], "2": [a(2, 3), a(26, 3)]}
    assert [hour for _, hour, _ in decided(peers_rule(repeat=True), facts)] == [1, 25]


def test_the_other_signals_are_as_of_the_customers_own_value() -> None:
    signals = {"n": CountSignal(of=event("B"))}
    facts = {"1": [fact(0, "B"), a(1, 1), fact(2, "B")], "2": [a(2, 3)]}
    assert len(decided(peers_rule("p < 0 && n == 1", signals), facts)) == 1


def test_the_last_partial_period_is_closed_at_the_end() -> None:
    facts = {"1": [a(1, 1), a(30, 5)], "2": [a(2, 3), a(31, 0)]}
    at_its_start = T + DAY
    assert decided(peers_rule(), facts, at_its_start) == [("1", 1, -1)]
    assert len(decided(peers_rule(), facts, T + 31 * DAY // 24)) == 2


def test_re_eligibility_is_from_the_times_of_the_customers_own_values() -> None:
    example = peers_rule(repeat=True, re_eligible_after="1d")
    facts = {"1": [a(2, 1), a(25, 1), a(50, 1)], "2": [a(day * 24, 3) for day in (0, 1, 2)]}
    customers = {name: Customer({}, of) for name, of in facts.items()}
    found = decide_cohorts(book(example), example.rule, customers, T + 9 * DAY)
    assert [decision.reason for decision in found["1"]] == [None, "NOT_RE_ELIGIBLE", None]
