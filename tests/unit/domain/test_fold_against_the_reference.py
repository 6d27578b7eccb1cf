"""The fold is held against the plain reference model, under any history, order of arrival and batch cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from foreword.domain.between import Between
from foreword.domain.core import Core
from foreword.domain.facts import Fact
from foreword.domain.fold import rebuild
from foreword.domain.instants import DAY, HOUR
from foreword.domain.profiles import Profile
from foreword.domain.readings import read
from foreword.domain.replay import replay
from foreword.domain.state import State
from tests.fakes.customers import FakeClock, FakeJournal, FakeStates, evaluate_triggers
from tests.reference.rules import MODEL_RULES, RULEBOOK
from tests.reference.semantics import Event, decisions

CUSTOMER = "c-1"
BASE = 20_000 * DAY

# Removing a guard of the fold shows in one history of some hundreds: fewer examples would pass without it.
many = settings(max_examples=3 * settings().max_examples)

histories = st.lists(
    st.tuples(st.integers(0, 24), st.sampled_from("AAABBC"), st.integers(1, 3)), min_size=1, max_size=14
)


def events_of(history: Sequence[tuple[int, str, int]]) -> list[Event]:
    """Sorted by time; equal times keep their order, which is their order of receipt."""
    ordered = sorted(history, key=lambda entry: entry[0])
    return [Event(f"test#{at:02}", kind, hour, value) for at, (hour, kind, value) in enumerate(ordered)]


def facts_of(events: Sequence[Event]) -> list[Fact]:
    return [
        Fact(
            source="test",
            id=event.key.removeprefix("test#"),
            type=event.type,
            customer_id=CUSTOMER,
            occurred_at=BASE + event.at * HOUR,
            received_at=BASE + event.at * HOUR + at,
            data={"value": event.value},
        )
        for at, event in enumerate(events)
    ]


def signals_of(core: Core, state: State, rule: str) -> dict[str, Any]:
    """As of the last fact or deadline."""
    readings = [it for it in read(core, state, state.position[0]) if it.rule == rule]
    return {name: value for it in readings for name, value in it.signals.items()}


def agree(one: Any, other: Any) -> bool:
    """Small memories know some values within bounds only."""
    if not isinstance(one, Between) and not isinstance(other, Between):
        return bool(one == other)
    first, second = bounds(one), bounds(other)
    return bool(max(first[0], second[0]) <= min(first[1], second[1]))


def bounds(value: Any) -> tuple[Any, Any]:
    return (value.low, value.high) if isinstance(value, Between) else (value, value)


@many
@given(histories, st.integers(0, 8))
def test_decisions_in_order_are_those_of_the_model(history: list[tuple[int, str, int]], more: int) -> None:
    events = events_of(history)
    end = events[-1].at + more
    core = Core(RULEBOOK).as_live()
    decided = replay(core, CUSTOMER, {}, facts_of(events), None, BASE + end * HOUR).decisions
    for rule in MODEL_RULES:
        expected = decisions(rule, events, end)
        found = [((d.at - BASE) // HOUR, d.reason or "fired") for d in decided if d.rule == rule.name]
        assert found == expected, rule.name


@many
@given(histories, st.data())
def test_any_order_duplication_and_batching_ends_in_the_same_signals(
    history: list[tuple[int, str, int]], data: st.DataObject
) -> None:
    facts = facts_of(events_of(history))
    core = Core(RULEBOOK)
    journal, states = FakeJournal(), FakeStates()
    clock = FakeClock(BASE + 25 * HOUR)
    evaluate = evaluate_triggers(core, clock, states, journal)
    arrivals = data.draw(st.permutations(facts + data.draw(st.lists(st.sampled_from(facts), max_size=6))))
    decided: list[tuple[str, int]] = []
    while arrivals:
        size = data.draw(st.integers(1, len(arrivals)))
        batch, arrivals = arrivals[:size], arrivals[size:]
        for fact in batch:
            journal.add(fact)
        evaluated = evaluate(CUSTOMER, batch)
        decided += [(decision.rule, decision.at) for decision in evaluated.decisions]
    end = BASE + 60 * HOUR
    clock.instant = end
    evaluated = evaluate(CUSTOMER, [])
    decided += [(decision.rule, decision.at) for decision in evaluated.decisions]

    stored = states.state_of(CUSTOMER)
    plain = rebuild(core, None, Profile(CUSTOMER), facts, facts, end).state
    assert stored.due_by == plain.due_by
    for name in core.rules:
        found, expected = signals_of(core, stored, name), signals_of(core, plain, name)
        assert found.keys() == expected.keys(), name
        for signal, value in found.items():
            assert agree(value, expected[signal]), (name, signal, value, expected[signal])
    assert len(decided) == len(set(decided)), "a rise was decided twice"
    assert len(states.messages) == len({message.message_id for message in states.messages})


@many
@given(histories)
def test_a_redelivered_history_changes_and_decides_nothing(history: list[tuple[int, str, int]]) -> None:
    facts = facts_of(events_of(history))
    core = Core(RULEBOOK)
    journal, states = FakeJournal(), FakeStates()
    evaluate = evaluate_triggers(core, FakeClock(BASE + 60 * HOUR), states, journal)
    for fact in facts:
        journal.add(fact)
    evaluate(CUSTOMER, facts)
    before: State = states.state_of(CUSTOMER)
    again = evaluate(CUSTOMER, facts)
    assert again.decisions == ()
    assert states.state_of(CUSTOMER) == before
