"""However facts arrive, the fold ends where the reference model is, and never decides an episode twice.

Signals are compared by what comes after: once all facts are there, whatever their order was, a further history
that comes in order and in time is decided exactly as the model decides it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, note
from hypothesis import strategies as st

from foreword.domain.facts import Fact
from foreword.domain.instants import DAY, HOUR, MINUTE
from foreword.domain.rulebook import Policy, Rulebook
from tests.property.histories import BASE, LAST_HOUR, described, histories, retractions, updates
from tests.property.road import Road, in_batches
from tests.property.rulebooks import rulebooks
from tests.property.told import told
from tests.reference.engines import Decided, comparable, in_order
from tests.reference.firing import decide
from tests.reference.writing import CUSTOMER

ALL_THERE = BASE + LAST_HOUR * HOUR + HOUR // 2
"""When the facts of a history have come, whatever their order."""

LATER = LAST_HOUR + 1
"""The first hour of what comes afterwards in order and in time."""

afterwards = histories(since=LATER * HOUR, first=500, most=8)
waits = st.sampled_from((0, 3, 30, 80))


def modelled(
    rulebook: Rulebook,
    facts: Sequence[Fact],
    end: int,
    after: int | None = None,
) -> list[Decided]:
    note(told(rulebook, facts))
    found = in_order(map(comparable, decide(rulebook, CUSTOMER, None, facts, None, end)))
    return [decided for decided in found if after is None or decided.at > after]


@given(rulebooks(), histories(), described(), waits, st.booleans())
def test_facts_in_order_and_in_time_decide_what_the_model_decides(
    rulebook: Rulebook, facts: Sequence[Fact], profile: Sequence[Fact], more: int, warm: bool
) -> None:
    road = Road(rulebook, warm)
    everything = [*profile, *facts]
    road.in_time(everything)
    end = facts[-1].occurred_at + more * HOUR
    road.wait(end)
    assert road.decided() == modelled(rulebook, everything, end)


@given(rulebooks(), histories(), updates(), waits)
def test_a_profile_that_changes_decides_what_the_model_decides(
    rulebook: Rulebook, facts: Sequence[Fact], changes: Sequence[Fact], more: int
) -> None:
    road = Road(rulebook)
    everything = sorted([*facts, *changes], key=lambda fact: fact.order)
    road.in_time(everything)
    end = everything[-1].occurred_at + more * HOUR
    road.wait(end)
    assert road.decided() == modelled(rulebook, everything, end)


@given(rulebooks(pauses=False), histories(), described(), waits, st.data())
def test_deadlines_that_settle_decide_the_same_later(
    rulebook: Rulebook, facts: Sequence[Fact], profile: Sequence[Fact], more: int, data: st.DataObject
) -> None:
    settling = with_policy(rulebook, settle=5 * MINUTE)
    road = Road(settling)
    everything = sorted([*profile, *facts], key=lambda fact: fact.order)
    for fact in everything:
        road.arrive([fact], fact.occurred_at)
    end = facts[-1].occurred_at + more * HOUR
    road.wait(end + 5 * MINUTE)
    decided = [decision for decision in road.decided() if decision.at <= end]
    assert decided == modelled(settling, everything, end)


@given(
    rulebooks(pauses=False),
    histories(),
    updates(),
    afterwards,
    waits,
    st.sampled_from((7 * DAY, 2 * HOUR)),
    st.booleans(),
    st.booleans(),
    st.data(),
)
def test_any_order_duplication_and_batching_ends_in_the_same_signals(
    rulebook: Rulebook,
    facts: Sequence[Fact],
    changes: Sequence[Fact],
    later: Sequence[Fact],
    more: int,
    allowed_lateness: int,
    received_late: bool,
    warm: bool,
    data: st.DataObject,
) -> None:
    everything = [*facts, *changes]
    again = data.draw(st.lists(st.sampled_from(everything), max_size=5))
    arrivals = data.draw(st.permutations([*everything, *again]))
    if received_late:
        received = {fact.key: ALL_THERE - 1000 + at for at, fact in reversed([*enumerate(arrivals)])}
        arrivals = [fact._replace(received_at=received[fact.key]) for fact in arrivals]
    lenient = with_policy(rulebook, allowed_lateness=allowed_lateness)
    road = Road(lenient, warm)
    for batch in in_batches(data, arrivals):
        road.arrive(batch, ALL_THERE)
    compare_afterwards(road, arrivals, later, more)


@given(rulebooks(pauses=False), histories(), described(), afterwards, waits, st.data())
def test_a_retracted_fact_is_as_if_it_had_never_come(
    rulebook: Rulebook,
    facts: Sequence[Fact],
    profile: Sequence[Fact],
    later: Sequence[Fact],
    more: int,
    data: st.DataObject,
) -> None:
    taken_back = data.draw(retractions(facts, ALL_THERE))
    arrivals = data.draw(st.permutations([*profile, *facts, *taken_back]))
    road = Road(rulebook)
    for batch in in_batches(data, arrivals):
        road.arrive(batch, ALL_THERE)
    compare_afterwards(road, arrivals, later, more)
    gone = {fact.retracts for fact in taken_back}
    never_came = [fact for fact in [*profile, *facts] if fact.id not in gone]
    end = later[-1].occurred_at + more * HOUR
    # The clock may begin with another fact, which matters to dates alone.
    start = min(fact.occurred_at for fact in arrivals)
    assert decide(rulebook, CUSTOMER, None, [*never_came, *later], start, end) == decide(
        rulebook, CUSTOMER, None, [*arrivals, *later], start, end
    )


@given(rulebooks(pauses=False), histories(), updates(), afterwards, waits, st.booleans(), st.data())
def test_a_redelivered_history_changes_and_decides_nothing(
    rulebook: Rulebook,
    facts: Sequence[Fact],
    changes: Sequence[Fact],
    later: Sequence[Fact],
    more: int,
    warm: bool,
    data: st.DataObject,
) -> None:
    arrivals = data.draw(st.permutations([*facts, *changes]))
    road = Road(rulebook, warm)
    for batch in in_batches(data, arrivals):
        road.arrive(batch, ALL_THERE)
    decisions = list(road.decisions)
    for batch in in_batches(data, data.draw(st.permutations(arrivals))):
        road.arrive(batch, ALL_THERE)
    assert road.decisions == decisions
    compare_afterwards(road, arrivals, later, more)
    decisions = list(road.decisions)
    for batch in in_batches(data, data.draw(st.permutations([*arrivals, *later]))):
        road.arrive(batch, road.clock.instant)
    assert road.decisions == decisions


def compare_afterwards(
    road: Road,
    arrived: Sequence[Fact],
    later: Sequence[Fact],
    more: int,
) -> None:
    road.in_time(later)
    end = later[-1].occurred_at + more * HOUR
    road.wait(end)
    expected = modelled(road.rulebook, [*arrived, *later], end, ALL_THERE)
    assert road.decided(ALL_THERE) == expected


def with_policy(rulebook: Rulebook, **changes: Any) -> Rulebook:
    policy = Policy(**{**dict(rulebook.policy), **changes})
    return rulebook.model_copy(update={"policy": policy})
