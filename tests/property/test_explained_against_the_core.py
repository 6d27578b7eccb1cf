"""What `explain` tells of random customers under random rulebooks is what the core finds itself."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, note
from hypothesis import strategies as st

from foreword.domain import json_text
from foreword.domain.consent import Consents
from foreword.domain.core import Core
from foreword.domain.decisions import Decision
from foreword.domain.facts import CUSTOMER_UPDATED, Fact
from foreword.domain.fold import retrace
from foreword.domain.instants import HOUR, Instant
from foreword.domain.profiles import Profile
from foreword.domain.replay import once, replay
from foreword.domain.rulebook import Rulebook
from foreword.explaining.ahead import HORIZON
from foreword.explaining.customer import Customer
from foreword.explaining.explain import explain
from foreword.explaining.explanation import Explanation, Truth, to_json
from tests.property.histories import BASE, LAST_HOUR, histories, retractions, updates
from tests.property.rulebooks import rulebooks
from tests.property.told import told
from tests.reference.writing import CUSTOMER

moments = st.builds(
    lambda hour, edge: BASE + hour * HOUR + edge, st.integers(0, LAST_HOUR + 8), st.integers(-1, 1)
)


def customer_of(facts: Sequence[Fact]) -> Customer:
    """Of whom nothing is recorded."""
    profile = Profile(CUSTOMER)
    for fact in facts:
        if fact.type == CUSTOMER_UPDATED:
            profile = profile.merge(fact)
    return Customer(CUSTOMER, facts, profile, (), Consents(CUSTOMER))


def settled(rulebook: Rulebook) -> Rulebook:
    """Deadlines are decided as they fall due, as a replay decides them."""
    return rulebook.model_copy(update={"policy": rulebook.policy.model_copy(update={"settle": 0})})


def explained(rulebook: Rulebook, facts: Sequence[Fact], at: Instant) -> Explanation:
    note(told(rulebook, facts))
    explanation = explain(rulebook, customer_of(facts), at)
    assert json_text.loads(json_text.dumps(to_json(explanation)))["customer_id"] == CUSTOMER
    return explanation


@given(rulebooks(), histories(), updates(), moments, st.data())
def test_signals_and_conditions_are_told_as_the_core_finds_them(
    rulebook: Rulebook, facts: Sequence[Fact], written: Sequence[Fact], at: Instant, data: st.DataObject
) -> None:
    back = data.draw(st.just([]) | retractions(facts, BASE + LAST_HOUR * HOUR))
    everything = [*facts, *written, *back]
    known = [fact for fact in everything if fact.occurred_at <= at]
    core = Core(rulebook)
    walk = retrace(core, customer_of(known).profile, known, at)
    for rule in explained(rulebook, everything, at).rules:
        compiled = core.rules[rule.rule]
        for case in rule.cases:
            values = compiled.values(walk, at, case.case)
            assert [signal.value for signal in case.signals] == list(values)
            assert all((signal.undefined is None) is (signal.value is not None) for signal in case.signals)
            assert all(signal.value == signal.events for signal in case.signals if signal.kind == "count")
            if case.when.truth is not Truth.ASKS_EVENT:
                holds = compiled.holds(None, at, walk.profile(at), values)
                assert (case.when.truth is Truth.TRUE) is holds or "event" in case.when.text
            assert case.when.truth is Truth.TRUE or any(needed.gate == "when" for needed in case.needed)


@given(rulebooks(pauses=False), histories(), updates(), moments)
def test_rises_and_what_comes_next_are_those_of_the_replay(
    rulebook: Rulebook, facts: Sequence[Fact], written: Sequence[Fact], at: Instant
) -> None:
    rulebook = settled(rulebook)
    everything = [*facts, *written]
    known = [fact for fact in everything if fact.occurred_at <= at]
    happens = replay(Core(rulebook).as_live(), CUSTOMER, {}, once(known), end=at + HORIZON).decisions
    for rule in explained(rulebook, everything, at).rules:
        for case in rule.cases:
            of = [one for one in happens if (one.rule, one.case) == (rule.rule, case.case)]
            before, ahead = [one for one in of if one.at <= at], [one for one in of if one.at > at]
            rises = [(rise.at, rise.signals, rise.outcome == "fired") for rise in case.rises]
            assert rises == [(one.at, one.signals, _fires(one)) for one in before]
            fires = next((place for place, one in enumerate(ahead) if _fires(one)), len(ahead))
            assert case.next.at == (ahead[fires].at if fires < len(ahead) else None)
            assert [one.at for one in case.next.skipped] == [one.at for one in ahead[:fires]]


def _fires(decision: Decision) -> bool:
    return decision.reason is None
