"""What each signal is worth, sentence by sentence (rules.md, Signals and Windows)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

import pytest

from foreword.domain.facts import Fact
from foreword.domain.instants import DAY, HOUR
from foreword.domain.rulebook import (
    AggregateSignal,
    BaselineSignal,
    ChangeSignal,
    CountSignal,
    DistinctSignal,
    EachSignal,
    LastSignal,
    RatioSignal,
    Signal,
    SinceSignal,
    WillingnessSignal,
)
from tests.reference.engines import Engine
from tests.reference.writing import book, cel, event, fact, rule

UNDEFINED = "undefined"
A = event("A")
X = cel("event.data.x")


def value(
    decided: Engine,
    signal: Signal,
    facts: Sequence[Fact],
    at: float,
    *,
    more: dict[str, Signal] | None = None,
) -> Any:
    """The signal's value at an hour, asked by an event that concerns no signal."""
    signals = {"s": signal, **(more or {}), "probe": EachSignal(of=event("Probe"))}
    example = book(rule("probe", signals, repeat=True))
    (decision,) = decided(example, [*facts, fact(at, "Probe")], {"segment": "retail"})
    return decision.signals.get("s", UNDEFINED)


def test_a_count_is_of_the_events_in_the_window_and_0_when_there_are_none(decided: Engine) -> None:
    count = CountSignal(of=A, within=5 * HOUR)
    assert value(decided, count, [fact(1), fact(2), fact(2), fact(3, "B")], 4) == 3
    assert value(decided, count, [fact(3, "B")], 4) == 0


def test_a_window_is_open_on_the_left_and_closed_on_the_right(decided: Engine) -> None:
    count = CountSignal(of=A, within=5 * HOUR)
    assert value(decided, count, [fact(0)], 5) == 0, "an event exactly W old is out"
    assert value(decided, count, [fact(0.001)], 5) == 1
    assert value(decided, count, [fact(5)], 5) == 1


def test_a_count_begins_anew_after_the_latest_reset(decided: Engine) -> None:
    count = CountSignal(of=A, within=9 * HOUR, reset=event("R"))
    assert value(decided, count, [fact(1), fact(2, "R"), fact(3), fact(4)], 5) == 2
    assert value(decided, count, [fact(1), fact(2, "R")], 5) == 0
    assert value(decided, count, [fact(2), fact(2, "R"), fact(2)], 2) == 1, "by receipt at one time"


def test_a_where_applies_to_every_type_of_an_event_and_never_to_reset(decided: Engine) -> None:
    count = CountSignal(of=event("A", "B", where="event.data.x > 1"), reset=event("R"))
    assert value(decided, count, [fact(0, x=1), fact(1, x=2), fact(2, "B", x=1), fact(3, "B", x=2)], 4) == 2
    assert value(decided, count, [fact(1, x=2), fact(2, "R", x=0)], 4) == 0


def test_a_star_is_any_event_but_customer_updated_and_forewords_own(decided: Engine) -> None:
    count = CountSignal(of=event(), within=9 * HOUR)
    facts = [fact(0), fact(1, "B"), fact(2, "CustomerUpdated", x=1), fact(3, "MessageSent")]
    assert value(decided, count, facts, 4) == 3, "the probe is one too"
    named = CountSignal(of=event("MessageSent", "CustomerUpdated"), within=9 * HOUR)
    assert value(decided, named, facts, 4) == 2


def test_a_signal_without_within_looks_back_over_the_retention(decided: Engine) -> None:
    signals: dict[str, Signal] = {"s": CountSignal(of=A), "probe": EachSignal(of=event("Probe"))}
    example = book(rule("probe", signals, repeat=True), retention=5 * DAY)
    (decision,) = decided(example, [fact(0), fact(1), fact(5 * 24, "Probe")])
    assert decision.signals["s"] == 1


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("sum", Decimal("6.3")), ("average", Decimal("2.1")), ("min", Decimal("0.1")), ("max", 5)],
)
def test_aggregates_ignore_missing_values(
    decided: Engine, kind: Literal["sum", "average", "min", "max"], expected: Any
) -> None:
    signal = AggregateSignal(kind=kind, value=X, of=A, within=9 * HOUR)
    facts = [fact(0, x=1.2), fact(1), fact(2, x=0.1), fact(3, x="text"), fact(4, x=5), fact(5, x=None)]
    assert value(decided, signal, facts, 6) == expected


@pytest.mark.parametrize("kind", ["average", "min", "max"])
def test_an_empty_sum_is_0_and_the_other_aggregates_are_undefined(
    decided: Engine, kind: Literal["average", "min", "max"]
) -> None:
    assert value(decided, AggregateSignal(kind="sum", value=X, of=A, within=HOUR), [fact(0, x=1)], 1) == 0
    signal = AggregateSignal(kind=kind, value=X, of=A, within=HOUR)
    assert value(decided, signal, [fact(0, x=1), fact(1)], 1) == UNDEFINED


def test_an_aggregate_is_of_an_expression(decided: Engine) -> None:
    signal = AggregateSignal(kind="sum", value=cel("event.data.x * event.data.y - 1"), of=A, within=9 * HOUR)
    assert value(decided, signal, [fact(0, x=2, y=3), fact(1, x=1), fact(2, x=0.5, y=3)], 3) == Decimal("5.5")


def test_distinct_is_the_number_of_different_values_and_0_when_there_are_none(decided: Engine) -> None:
    signal = DistinctSignal(value=X, of=A, within=5 * HOUR)
    facts = [fact(0, x="a"), fact(1, x="b"), fact(2, x="a"), fact(3, x=1), fact(3, x=1.0), fact(4)]
    assert value(decided, signal, facts, 4) == 3
    assert value(decided, signal, facts, 6) == 2, "the latest a is still in the window, b is not"
    assert value(decided, signal, [fact(0)], 1) == 0


def test_last_and_first_are_by_event_time(decided: Engine) -> None:
    facts = [fact(4), fact(3, x="late"), fact(2, x="mid"), fact(1, x="early"), fact(3, x="later")]
    assert value(decided, LastSignal(kind="last", value=X, of=A), facts, 5) == "later"
    assert value(decided, LastSignal(kind="first", value=X, of=A), facts, 5) == "early"
    assert value(decided, LastSignal(kind="first", value=X, of=A, within=3 * HOUR), facts, 4) == "mid"
    assert value(decided, LastSignal(kind="last", value=X, of=A, within=HOUR), facts, 5) == UNDEFINED


def test_a_ratio_is_undefined_while_there_are_too_few(decided: Engine) -> None:
    signal = RatioSignal(of=event("B"), to=A, at_least=2, within=9 * HOUR)
    assert value(decided, signal, [fact(0), fact(1, "B")], 2) == UNDEFINED
    assert value(decided, signal, [fact(0), fact(1, "B"), fact(1)], 2) == Decimal("0.5")
    assert value(decided, signal, [fact(0), fact(1, "B"), fact(1)], 9) == UNDEFINED


def test_a_ratio_of_nothing_is_undefined_whatever_it_needs(decided: Engine) -> None:
    signal = RatioSignal(of=event("B"), to=A, at_least=0, within=9 * HOUR)
    assert value(decided, signal, [fact(1, "B")], 2) == UNDEFINED


def test_since_is_the_time_since_the_latest_such_event(decided: Engine) -> None:
    assert value(decided, SinceSignal(of=A), [fact(0), fact(1), fact(2, "B")], 4) == "10800s"
    assert value(decided, SinceSignal(of=A), [fact(2, "B")], 4) == UNDEFINED
    assert value(decided, SinceSignal(of=A, within=3 * HOUR), [fact(1)], 4) == UNDEFINED


def test_a_change_is_against_the_latest_value_at_or_before_t_minus_over(decided: Engine) -> None:
    signal = ChangeSignal(value=X, of=A, over=5 * HOUR, stale_after=2 * HOUR)
    facts = [fact(0, x=80), fact(1, x=100), fact(2, x=50), fact(6, x=90)]
    assert value(decided, signal, facts, 6) == Decimal("-0.1")
    assert value(decided, signal, facts, 7) == Decimal("0.8")
    assert value(decided, signal, facts, 9) == Decimal("0.8"), "exactly stale_after before that is not older"
    assert value(decided, signal, facts, 9.001) == UNDEFINED


def test_a_change_is_undefined_without_a_positive_value_then(decided: Engine) -> None:
    signal = ChangeSignal(value=X, of=A, over=5 * HOUR, stale_after=2 * HOUR)
    assert value(decided, signal, [fact(6, x=90)], 6) == UNDEFINED
    assert value(decided, signal, [fact(1, x=0), fact(6, x=90)], 6) == UNDEFINED
    assert value(decided, signal, [fact(0, x=10), fact(1, x=-1), fact(6, x=90)], 6) == UNDEFINED
    assert value(decided, signal, [fact(0, x=10), fact(1), fact(6, x=5)], 6) == Decimal("-0.5")


BASELINE = BaselineSignal(signal="n", versus=2, compared_as="ratio")
PER_HOUR: dict[str, Signal] = {"n": CountSignal(of=A, within=HOUR)}


def test_a_baseline_is_the_value_now_by_the_mean_of_the_windows_before(decided: Engine) -> None:
    # The windows end at 3 and 2; nothing is said of before 1.
    facts = [fact(1, "B"), fact(1.5), fact(2), fact(2.5), fact(3), fact(3), fact(3.5), fact(4)]
    assert value(decided, BASELINE, facts, 4, more=PER_HOUR) == Decimal("-0.2")


def test_a_baseline_needs_the_customers_first_event_of_any_type_to_be_old_enough(decided: Engine) -> None:
    facts = [fact(1.5), fact(2.5), fact(4)]
    assert value(decided, BASELINE, [fact(1, "B"), *facts], 4, more=PER_HOUR) == 0
    assert value(decided, BASELINE, [fact(1.001, "B"), *facts], 4, more=PER_HOUR) == UNDEFINED


def test_a_baseline_is_undefined_where_the_mean_is_0(decided: Engine) -> None:
    assert value(decided, BASELINE, [fact(1), fact(4)], 4, more=PER_HOUR) == UNDEFINED


def test_a_zscore_is_by_the_sample_deviation(decided: Engine) -> None:
    signal = BaselineSignal(signal="n", versus=3, compared_as="zscore")
    before = [fact(0, "B"), fact(0.5), fact(1.5), fact(1.5), fact(2.5), fact(2.5), fact(2.5)]
    assert value(decided, signal, [*before, *[fact(4)] * 1], 4, more=PER_HOUR) == -1
    assert value(decided, signal, before, 4, more=PER_HOUR) == -2
    same = [fact(0, "B"), fact(0.5), fact(1.5), fact(2.5), fact(4)]
    assert value(decided, signal, same, 4, more=PER_HOUR) == UNDEFINED, "no deviation"


def test_a_baseline_is_undefined_where_one_of_the_windows_is(decided: Engine) -> None:
    more: dict[str, Signal] = {"n": AggregateSignal(kind="average", value=X, of=A, within=HOUR)}
    facts = [fact(1, "B"), fact(2, x=2), fact(3, x=4), fact(4, x=6)]
    assert value(decided, BASELINE, facts, 4, more=more) == 1
    assert value(decided, BASELINE, [facts[0], *facts[2:]], 4, more=more) == UNDEFINED


def test_willingness_is_the_sum_of_the_scores_in_the_window(decided: Engine) -> None:
    signal = WillingnessSignal(scores={"A": -3, "B": 4, "MessageClicked": 2}, within=5 * HOUR)
    facts = [fact(0), fact(1), fact(2, "B"), fact(3, "MessageClicked"), fact(4, "C")]
    assert value(decided, signal, facts, 5) == 3
    assert value(decided, signal, [], 5) == 0
