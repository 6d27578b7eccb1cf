"""What a rule decides of customers beside their peers, when all of them are at hand."""

from __future__ import annotations

import statistics
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreword.domain.core import Core
from foreword.domain.instants import DAY, HOUR
from foreword.domain.peer_values import PeerValue
from foreword.domain.peers import Comparison, comparisons, peers_decisions
from foreword.domain.peers_lines import value_line, value_of
from foreword.domain.peers_statistics import Statistic
from foreword.domain.rulebook import LastSignal, Mode, PeersSignal, Rule, Rulebook, Signal, SinceSignal
from tests.reference.rules import SEND, name, number, tree, types
from tests.reference.rules import rule as rule_of

VALUE = tree(["field", ["field", name("event"), "data"], "value"])
CLASS = tree(["field", ["field", name("event"), "data"], "class"])
BEHIND = ["<=", name("behind"), ["neg", number("5")]]


def a_rule(when: Any = BEHIND, re_eligible_after: int | None = None, **peers: Any) -> Rule:
    """Five or more behind the median of its class, each day; two are enough for a class."""
    settings = {"statistic": "median", "at_least": 2, "period": DAY, **peers}
    signals: dict[str, Signal] = {
        "value": LastSignal(kind="last", value=VALUE, of=types("Valued")),
        "quiet": SinceSignal(of=types("Called")),
        "behind": PeersSignal(signal="value", cohort=CLASS, **settings),
    }
    return rule_of("behind", signals, when, re_eligible_after)


def core_of(*rules: Rule) -> Core:
    return Core(Rulebook(generation="test", rules=rules)).as_live()


def value(
    customer_id: str, at: int, own: int | str, cohort: str = '"a', profile: dict[str, Any] | None = None
) -> PeerValue:
    measured = own if isinstance(own, int) else Decimal(own)
    signals = {"value": measured}
    return PeerValue(customer_id, "behind", at // DAY * DAY, at, measured, cohort, signals, profile or {})


def decided(rule: Rule, values: list[PeerValue], end: int = 100 * DAY) -> list[tuple[str, int, str]]:
    return [
        (decision.customer_id, decision.at, decision.reason or "fires")
        for decision in peers_decisions(core_of(rule), rule.rule, values, end)
    ]


def day(number: int, **own: int | str) -> list[PeerValue]:
    """Each customer's value of a day, given in its eighth hour."""
    return [value(customer_id, number * DAY + 8 * HOUR, one) for customer_id, one in own.items()]


def test_whoever_is_behind_rises_at_the_time_of_the_own_value() -> None:
    assert decided(a_rule(), day(0, a=10, b=20, c=21)) == [("a", 8 * HOUR, "fires")]


def test_a_decision_has_the_signals_and_the_close_from_which_it_expires() -> None:
    [found] = peers_decisions(core_of(a_rule()), "behind", day(3, a=10, b=20, c=21), 100 * DAY)
    assert found.signals == {"value": 10, "behind": Decimal(-10)}
    assert (found.episode, found.case) == ("1970-01-04T08:00:00.000000Z", None)
    assert (found.sends, found.expires_from) == ((0,), 4 * DAY)


def test_who_stays_behind_does_not_rise_again() -> None:
    values = [*day(0, a=10, b=20, c=21), *day(1, a=9, b=20, c=21)]
    assert decided(a_rule(), values) == [("a", 8 * HOUR, "fires")]


def test_who_caught_up_may_fall_behind_again() -> None:
    values = [*day(0, a=10, b=20, c=21), *day(1, a=20, b=20, c=21), *day(2, a=10, b=20, c=21)]
    assert decided(a_rule(), values) == [("a", 8 * HOUR, "fires"), ("a", 2 * DAY + 8 * HOUR, "fires")]


def test_a_period_without_a_value_leaves_the_truth_as_it_was() -> None:
    values = [*day(0, a=10, b=20, c=21), *day(1, b=20, c=21), *day(2, a=10, b=20, c=21)]
    assert decided(a_rule(), values) == [("a", 8 * HOUR, "fires")]


def test_a_cohort_too_small_is_not_evaluated_and_leaves_the_truth_as_it_was() -> None:
    rule = a_rule(at_least=3)
    assert decided(rule, day(0, a=10, b=20)) == []
    values = [*day(0, a=10, b=20, c=21), *day(1, a=90, b=20), *day(2, a=10, b=20, c=21)]
    assert decided(rule, values) == [("a", 8 * HOUR, "fires")]


def test_cohorts_are_apart() -> None:
    others = [value("x", 9 * HOUR, 2, '"b'), value("y", 9 * HOUR, 3, '"b')]
    assert decided(a_rule(), [*day(0, a=10, b=20, c=21), *others]) == [("a", 8 * HOUR, "fires")]


def test_the_last_value_of_a_period_counts_in_whatever_order_they_are_given() -> None:
    late = value("a", 9 * HOUR, 20)
    for values in ([*day(0, a=10, b=20, c=21), late], [late, *day(0, a=10, b=20, c=21)]):
        assert decided(a_rule(), values) == []
    values = [*day(0, b=20, c=21), value("a", 9 * HOUR, 20), value("a", 9 * HOUR, 10)]
    assert decided(a_rule(), values) == [("a", 9 * HOUR, "fires")]


def test_the_last_period_closes_though_it_is_not_over_and_nothing_counts_behind_the_end() -> None:
    values = [*day(2, a=10, b=20, c=21), value("a", 2 * DAY + 20 * HOUR, 21)]
    assert decided(a_rule(), values, end=2 * DAY + 8 * HOUR) == [("a", 2 * DAY + 8 * HOUR, "fires")]
    [found] = peers_decisions(core_of(a_rule()), "behind", values, 2 * DAY + 8 * HOUR)
    assert found.expires_from == 2 * DAY + 8 * HOUR
    assert decided(a_rule(), values, end=2 * DAY + 7 * HOUR) == []


def test_a_rise_within_the_pause_is_skipped_and_one_at_its_end_is_not() -> None:
    rule = a_rule(re_eligible_after=48)
    values = [
        *day(0, a=10, b=20, c=21),
        *day(1, a=20, b=20, c=21),
        *(value(one, 2 * DAY + 8 * HOUR - 1, own) for one, own in {"a": 10, "b": 20, "c": 21}.items()),
        *day(3, a=20, b=20, c=21),
        *day(4, a=10, b=20, c=21),
    ]
    assert decided(rule, values) == [
        ("a", 8 * HOUR, "fires"),
        ("a", 2 * DAY + 8 * HOUR - 1, "NOT_RE_ELIGIBLE"),
        ("a", 4 * DAY + 8 * HOUR, "fires"),
    ]
    assert decided(rule, [*values[:6], *day(2, a=10, b=20, c=21)])[1] == ("a", 2 * DAY + 8 * HOUR, "fires")


def test_who_is_not_eligible_is_skipped_by_what_the_comparison_says() -> None:
    rule = a_rule().model_copy(update={"eligible": tree([">", name("behind"), ["neg", number("8")]])})
    assert decided(rule, day(0, a=8, b=20, c=21, d=14, e=22)) == [
        ("a", 8 * HOUR, "NOT_ELIGIBLE"),
        ("d", 8 * HOUR, "fires"),
    ]


def test_only_the_sends_whose_if_holds_are_named() -> None:
    far = SEND.model_copy(update={"condition": tree(["<", name("behind"), ["neg", number("8")]])})
    rule = a_rule().model_copy(update={"sends": (far, SEND)})
    near = day(0, a=14, b=20, c=21)
    [found] = peers_decisions(core_of(rule), "behind", near, DAY)
    assert found.sends == (1,)
    [found] = peers_decisions(core_of(rule), "behind", day(0, a=10, b=20, c=21), DAY)
    assert found.sends == (0, 1)


def test_alone_without_oneself_there_is_nothing_to_compare_with() -> None:
    rule = a_rule(["||", BEHIND, [">", name("value"), number("50")]], at_least=1, excluding_self=True)
    values = [value("a", HOUR, 10), value("b", HOUR, 90, '"b')]
    [found] = peers_decisions(core_of(rule), "behind", values, DAY)
    assert (found.customer_id, found.signals) == ("b", {"value": 90})


@pytest.mark.parametrize("other", ["10", True, None])
def test_what_is_no_number_is_compared_with_nothing(other: Any) -> None:
    odd = value("d", HOUR, 1)._replace(value=other)
    assert decided(a_rule(at_least=3), [*day(0, a=10, b=20), odd]) == []


def test_a_rule_without_peers_is_not_asked() -> None:
    plain = rule_of("behind", {}, ["bool", True], None)
    with pytest.raises(ValueError, match="no peers signal"):
        peers_decisions(core_of(plain), "behind", [], DAY)


def test_comparisons_are_those_of_rules_that_are_more_than_drafts() -> None:
    draft = a_rule().model_copy(update={"rule": "draft", "mode": Mode.DRAFT})
    shadow = a_rule().model_copy(update={"rule": "shadow", "mode": Mode.SHADOW})
    plain = rule_of("plain", {}, ["bool", True], None)
    assert list(comparisons([draft, shadow, plain])) == ["shadow"]
    found = Comparison.of(
        a_rule(statistic="p90", excluding_self=True).model_copy(update={"digest": "12345678abc"})
    )
    assert found == Comparison("behind", "12345678", "behind", Statistic(90, excluding_self=True), 2, DAY)


def test_a_value_is_the_same_when_it_is_read_again() -> None:
    known = value("a", 9 * HOUR, "1.50", profile={"vip": True, "of": {"x": [1, None]}})
    known = known._replace(signals={"value": Decimal("1.50"), "quiet": timedelta(hours=3)})
    assert value_of(a_rule(), 0, value_line(known)) == known


small = st.integers(0, 12)
histories = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.integers(0, 96), small, st.sampled_from(['"x', '"y'])),
    max_size=60,
)


@given(histories, st.sampled_from(["median", "mean", "p25", "max"]), st.booleans(), st.integers(1, 4))
def test_it_decides_as_a_plain_model_does(
    history: list[tuple[str, int, int, str]], named: str, excluding_self: bool, at_least: int
) -> None:
    rule = a_rule(statistic=named, excluding_self=excluding_self, at_least=at_least)
    history = sorted(history, key=lambda entry: entry[1])
    values = [value(who, at * HOUR, own, cohort) for who, at, own, cohort in history]
    found = [
        (d.customer_id, d.at // HOUR) for d in peers_decisions(core_of(rule), "behind", values, 90 * HOUR)
    ]
    assert found == plain_rises([h for h in history if h[1] <= 90], named, excluding_self, at_least)


def plain_rises(
    history: list[tuple[str, int, int, str]], named: str, excluding_self: bool, at_least: int
) -> list[tuple[str, int]]:
    """Day by day, customer by customer."""
    rises, true = [], dict.fromkeys("abcdef", False)
    for today in range(5):
        last = {who: (at, own, cohort) for who, at, own, cohort in history if at // 24 == today}
        before = dict(true)
        for who, (at, own, cohort) in last.items():
            members = [name for name, (_, _, of) in last.items() if of == cohort]
            if len(members) < at_least:
                continue
            others = [last[name][1] for name in members if not (excluding_self and name == who)]
            true[who] = bool(others) and own - plain_statistic(named, others) <= -5
            if true[who] and not before[who]:
                rises.append((who, at))
    return sorted(rises, key=lambda rise: (rise[1], rise[0]))


def plain_statistic(named: str, values: list[int]) -> Fraction:
    if named == "mean":
        return Fraction(sum(values), len(values))
    if named == "median":
        return Fraction(statistics.median(map(Fraction, values)))
    if named == "max":
        return Fraction(max(values))
    ordered = sorted(values)
    rank = Fraction(25 * (len(ordered) - 1), 100)
    low = int(rank)
    return ordered[low] + (ordered[min(low + 1, len(ordered) - 1)] - ordered[low]) * (rank - low)
