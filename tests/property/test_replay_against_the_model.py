"""`replay` decides exactly what the reference model decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given, note
from hypothesis import strategies as st

from foreword.domain.facts import Fact
from foreword.domain.instants import HOUR
from foreword.domain.rulebook import Rulebook
from tests.property.histories import histories, profiles
from tests.property.rulebooks import rulebooks
from tests.property.told import told
from tests.reference import engines


@given(
    rulebooks(), histories(), profiles, st.sampled_from((0, 1, 3, 8, 30, 100)), st.sampled_from((0, 5, 30))
)
def test_replay_decides_what_the_model_decides(
    rulebook: Rulebook, facts: Sequence[Fact], profile: Mapping[str, Any], more: int, earlier: int
) -> None:
    start = facts[0].occurred_at - earlier * HOUR
    end = facts[-1].occurred_at + more * HOUR
    note(told(rulebook, facts))
    expected = engines.model(rulebook, facts, profile, start, end)
    assert engines.core(rulebook, facts, profile, start, end) == expected


@given(rulebooks(most=1), histories(), profiles, st.data())
def test_replay_takes_facts_in_any_order_and_each_once(
    rulebook: Rulebook, facts: Sequence[Fact], profile: Mapping[str, Any], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(facts), max_size=4))
    # A redelivery is received later, whatever it says.
    late = [fact._replace(received_at=fact.received_at + HOUR, data={}) for fact in again]
    shuffled = data.draw(st.permutations([*facts, *late]))
    note(told(rulebook, facts))
    assert engines.core(rulebook, shuffled, profile) == engines.model(rulebook, facts, profile)
