"""Peers compared over all customers decide exactly what the reference model decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given, note
from hypothesis import strategies as st

from foreword.domain.core import Core
from foreword.domain.facts import Fact
from foreword.domain.instants import DAY, HOUR
from foreword.domain.peers import peers_decisions
from foreword.domain.replay import once, replay
from foreword.domain.rulebook import PeersSignal, Rule
from tests.property.histories import histories, profiles
from tests.property.rulebooks import (
    LISTS,
    NUMBERS,
    conditions,
    counts,
    named_by_a_condition,
    sinces,
)
from tests.property.told import told
from tests.reference.cohorts import Customer, decide_cohorts
from tests.reference.engines import comparable, in_order
from tests.reference.writing import book, cel, rule

peers = st.builds(
    PeersSignal,
    signal=st.just("own"),
    cohort=st.sampled_from(("event.data.colour", "profile.segment", "event.type")).map(cel),
    statistic=st.sampled_from(("median", "mean", "min", "max", "p5", "p25", "p90")),
    at_least=st.integers(1, 3),
    period=st.sampled_from((5 * HOUR, 12 * HOUR, DAY)),
    excluding_self=st.booleans(),
)


@st.composite
def peers_rules(draw: st.DrawFn) -> Rule:
    signals: dict[str, Any] = {"own": draw(NUMBERS), "peers": draw(peers)}
    others = draw(st.dictionaries(st.sampled_from(("s0", "s1")), counts | sinces, max_size=2))
    about = st.sampled_from(("peers < 0", "peers > 0", "peers >= 0.5", "peers <= -1", "!(peers > 0)"))
    more = draw(conditions(signals | others, cause=False))
    when = (
        draw(about)
        if draw(st.booleans())
        else f"{draw(about)} {draw(st.sampled_from(('&&', '||')))} ({more})"
    )
    drawn = rule(
        when,
        signals | others,
        name="compared",
        eligible=draw(st.sampled_from(("true", "true", 'profile.segment != "staff"'))),
        re_eligible_after=draw(st.sampled_from((None, "5h", "1d"))),
        repeat=draw(st.booleans()),
    )
    kept = named_by_a_condition(drawn)
    return drawn.model_copy(update={"signals": {"own": signals["own"], **kept, "peers": signals["peers"]}})


@st.composite
def cohorts(draw: st.DrawFn) -> dict[str, Customer]:
    return {
        f"c-{index}": Customer(draw(profiles), of_customer(f"c-{index}", draw(histories(most=6))))
        for index in range(draw(st.integers(1, 5)))
    }


def of_customer(customer_id: str, facts: Sequence[Fact]) -> list[Fact]:
    return [fact._replace(customer_id=customer_id) for fact in facts]


@given(peers_rules(), cohorts(), st.integers(0, 20))
def test_a_cohort_decides_what_the_model_decides(
    compared: Rule, customers: Mapping[str, Customer], more: int
) -> None:
    rulebook = book(compared, lists=LISTS)
    note(told(rulebook, [fact for customer in customers.values() for fact in customer.facts]))
    note(str({customer_id: customer.profile for customer_id, customer in customers.items()}))
    end = max(fact.occurred_at for of in customers.values() for fact in of.facts) + more * HOUR
    core = Core(rulebook).as_live()
    values = [
        value
        for customer_id, of in customers.items()
        for value in replay(core, customer_id, of.profile or {}, once(of.facts), None, end).peer_values
    ]
    found = peers_decisions(core, compared.rule, values, end)
    expected = decide_cohorts(rulebook, compared.rule, customers, end)
    for customer_id in customers:
        ours = in_order(comparable(decision) for decision in found if decision.customer_id == customer_id)
        assert ours == in_order(map(comparable, expected[customer_id]))
