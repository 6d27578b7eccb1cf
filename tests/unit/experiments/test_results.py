"""Who is in which arm, who converted, and what is told of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

import pytest

from foreword.domain.assignment import in_holdout
from foreword.domain.exposures import Exposure
from foreword.domain.facts import Fact
from foreword.domain.instants import DAY, HOUR, Instant
from foreword.domain.rulebook import EventFilter, Experiment, Expression, Goal
from foreword.experiments.arms import Entered, arms_of, entered
from foreword.experiments.gathering import gather_conversions, gather_customers
from foreword.experiments.results import results

T: Instant = 1_772_000_000_000_000
GOAL = Goal(event=EventFilter(types=("OrderPlaced",)), within=14 * DAY)
PLAIN = Experiment(holdout=Decimal("0.05"), goal=GOAL)
HALVES = {"calm": Decimal("0.5"), "direct": Decimal("0.5")}
VARIANTS = Experiment(holdout=Decimal("0.1"), variants=HALVES, goal=GOAL)


def exposure(
    customer: str, reason: str | None = "SENT", variant: str | None = None, at: Instant = T
) -> Exposure:
    return Exposure(customer, at, reason, variant)


def test_the_arms_are_the_holdout_and_the_variants_or_whoever_is_treated() -> None:
    assert arms_of(PLAIN) == {"holdout": Decimal("0.05"), "treated": Decimal("0.95")}
    assert arms_of(VARIANTS) == {
        "holdout": Decimal("0.1"),
        "calm": Decimal("0.45"),
        "direct": Decimal("0.45"),
    }
    assert arms_of(Experiment(variants=HALVES)) == HALVES


def test_whoever_was_decided_for_is_in_an_arm_whatever_became_of_the_message() -> None:
    found = entered(
        [
            exposure("held", "HELD_OUT"),
            exposure("sent", "SENT", "calm"),
            exposure("declined", "NO_CONSENT", "direct"),
            exposure("under-way", None, "direct"),
        ],
        VARIANTS,
    )
    assert {customer: one.arm for customer, one in found.items()} == {
        "held": "holdout",
        "sent": "calm",
        "declined": "direct",
        "under-way": "direct",
    }


@pytest.mark.parametrize("reason", ["NOT_ELIGIBLE", "NOT_RE_ELIGIBLE", "TOO_LATE", "SHADOW"])
def test_what_ended_before_the_holdout_is_in_no_arm(reason: str) -> None:
    assert entered([exposure("c", reason)], PLAIN) == {}


def test_the_first_exposure_counts_and_a_later_one_elsewhere_is_told() -> None:
    moved = [exposure("c", "HELD_OUT", at=T + DAY), exposure("c", "SENT", at=T)]
    assert entered(moved, PLAIN) == {"c": Entered("treated", T, crossed=True)}
    again = [exposure("c", "SENT", at=T), exposure("c", "CAPPED", at=T + DAY)]
    assert entered(again, PLAIN) == {"c": Entered("treated", T, crossed=False)}


def test_a_critical_message_of_a_decision_that_is_held_out_changes_no_arm() -> None:
    both = [exposure("c", "SENT"), exposure("c", "HELD_OUT")]
    assert entered(both, PLAIN) == {"c": Entered("holdout", T, crossed=False)}


def test_arms_of_an_earlier_experiment_are_left_out() -> None:
    assert entered([exposure("c", "SENT", "bold"), exposure("d", "SENT", None)], VARIANTS) == {}
    assert entered([exposure("c", "HELD_OUT")], Experiment(variants=HALVES, goal=GOAL)) == {}


def customers(**arms: int) -> dict[str, Entered]:
    return {f"{arm}-{n}": Entered(arm, T, crossed=False) for arm, many in arms.items() for n in range(many)}


def converting(at: Instant = T + DAY, **arms: int) -> dict[str, list[Instant]]:
    return {f"{arm}-{n}": [at, at + HOUR] for arm, many in arms.items() for n in range(many)}


def test_each_arm_is_compared_with_the_holdout() -> None:
    told = results(
        VARIANTS,
        GOAL,
        customers(holdout=100, calm=450, direct=450),
        converting(holdout=10, calm=90, direct=45),
        T + 15 * DAY,
    )
    assert [(arm.arm, arm.exposed, arm.converted, arm.rate) for arm in told.arms] == [
        ("holdout", 100, 10, 0.1),
        ("calm", 450, 90, 0.2),
        ("direct", 450, 45, 0.1),
    ]
    holdout, calm, direct = told.arms
    assert holdout.compared is None
    assert calm.compared is not None
    assert direct.compared is not None
    assert [calm.lift, direct.lift] == pytest.approx([1, 0])
    assert calm.compared.low > 0
    assert calm.compared.p_value == pytest.approx(0.0190, abs=0.0001)  # z = 0.1 / 0.04264
    assert direct.compared.low < 0 < direct.compared.high
    assert (told.waiting, told.is_mismatched) == (0, False)


def test_without_a_holdout_the_first_variant_is_compared_with() -> None:
    experiment = Experiment(variants={"direct": Decimal("0.5"), "calm": Decimal("0.5")}, goal=GOAL)
    told = results(experiment, GOAL, customers(direct=10, calm=10), converting(calm=5), T)
    assert [(arm.arm, arm.compared is None) for arm in told.arms] == [("direct", True), ("calm", False)]
    assert told.arms[1].lift is None  # nobody converted in the first


@pytest.mark.parametrize(
    ("at", "counts"), [(T, 0), (T + 1, 1), (T + 14 * DAY, 1), (T + 14 * DAY + 1, 0), (T - DAY, 0)]
)
def test_a_conversion_comes_after_the_exposure_and_within_the_goals_time(at: Instant, counts: int) -> None:
    told = results(PLAIN, GOAL, customers(treated=1), {"treated-0": [at]}, T)
    assert told.arms[1].converted == counts


def test_whoever_has_not_had_the_whole_time_is_counted_as_waiting() -> None:
    assert results(PLAIN, GOAL, customers(treated=3), {}, T + 14 * DAY - 1).waiting == 3
    assert results(PLAIN, GOAL, customers(treated=3), {}, T + 14 * DAY).waiting == 0


def test_arms_that_are_not_as_large_as_their_shares_are_a_mismatch() -> None:
    assert not results(PLAIN, GOAL, customers(holdout=60, treated=940), {}, T).is_mismatched
    assert results(PLAIN, GOAL, customers(holdout=90, treated=910), {}, T).is_mismatched


def test_before_anybody_is_exposed_there_are_no_figures() -> None:
    told = results(PLAIN, GOAL, {}, {}, T)
    assert [(arm.rate, arm.lift, arm.compared) for arm in told.arms] == [(None, None, None)] * 2
    assert (told.mismatch, told.is_mismatched) == (None, False)
    alone = results(PLAIN, GOAL, customers(treated=1), {}, T)
    assert alone.arms[1].compared is None


# ---- out of the history


class History:
    def __init__(self, *pages: list[Exposure]) -> None:
        self.pages = pages

    def exposures(self, rule: str) -> Iterator[list[Exposure]]:
        assert rule == "stuck"
        yield from self.pages


class Journals:
    def __init__(self, facts: Mapping[str, list[Fact]]) -> None:
        self.facts = facts

    def read(self, customer_id: str) -> list[Fact]:
        return self.facts.get(customer_id, [])


def fact(customer: str, kind: str, at: Instant, retracts: str | None = None, **data: object) -> Fact:
    return Fact("shop", f"{kind}-{at}-{retracts}", kind, customer, at, at, data, retracts)


def test_the_pages_of_the_history_come_together_without_the_global_control_group() -> None:
    share = Decimal("0.5")
    names = [f"c-{number}" for number in range(20)]
    told: list[int] = []
    found = gather_customers(
        "stuck",
        PLAIN,
        History([exposure(name) for name in names[:10]], [], [exposure(name) for name in names[10:]]),
        share,
        told.append,
    )
    assert set(found) == {name for name in names if not in_holdout(name, share)}
    assert told[-1] == len(found) < 20
    assert len(told) == 3


def test_conversions_are_the_goals_events_that_still_stand() -> None:
    large = Expression(
        source="event.data.amount > 10 && profile.segment == 'retail'",
        tree=[
            "&&",
            [">", ["field", ["field", ["name", "event"], "data"], "amount"], ["number", "10"]],
            ["==", ["field", ["name", "profile"], "segment"], ["string", "retail"]],
        ],
    )
    goal = Goal(event=EventFilter(types=("OrderPlaced",), where=large), within=DAY)
    facts = [
        fact("c", "CustomerUpdated", T, segment="retail"),
        fact("c", "OrderPlaced", T + 1, amount=11),
        fact("c", "OrderPlaced", T + 2, amount=9),
        fact("c", "OrderPlaced", T + 3, amount=12),
        fact("c", "OrderPlaced", T + 4, retracts=f"OrderPlaced-{T + 3}-None"),
        fact("c", "OrderReturned", T + 5, amount=11),
        fact("c", "CustomerUpdated", T + 6, segment="staff"),
        fact("c", "OrderPlaced", T + 7, amount=11),
    ]
    told: list[tuple[int, int]] = []
    found = gather_conversions(
        goal,
        customers(treated=1) | {"c": Entered("treated", T, False)},
        Journals({"c": facts}),
        {},
        lambda *at: told.append(at),
    )
    assert found == {"treated-0": [], "c": [T + 1]}
    assert told == [(1, 2), (2, 2)]
