"""`replay` with `Contacting` does with every message what the reference model of the whole policy does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given, note
from hypothesis import strategies as st

from foreword.domain.facts import Fact
from foreword.domain.instants import HOUR
from foreword.domain.rulebook import Rulebook
from tests.property.histories import histories, profiles, updates
from tests.property.policies import changes_of_mind, contacting_rulebooks, people
from tests.property.told import told
from tests.reference import contacted
from tests.reference.contacting import Person

MORE = st.sampled_from((0, 1, 3, 8, 30, 100))


@given(contacting_rulebooks(), histories(most=14), changes_of_mind(), profiles, people, MORE)
def test_every_message_ends_as_the_model_says(
    rulebook: Rulebook,
    facts: Sequence[Fact],
    changes: Sequence[Fact],
    profile: Mapping[str, Any],
    person: Person,
    more: int,
) -> None:
    history = [*facts, *changes]
    note(told(rulebook, history))
    expected = contacted.model(rulebook, history, profile, person, more * HOUR)
    assert contacted.core(rulebook, history, profile, person, more * HOUR) == expected


def _asked_at_events(rulebook: Rulebook) -> bool:
    """A schedule goes on in the zone that the profile named when it was last asked."""
    return all(rule.evaluate is None for rule in rulebook.rules)


@given(
    contacting_rulebooks().filter(_asked_at_events),
    histories(most=10),
    updates(),
    changes_of_mind(),
    people,
    MORE,
)
def test_the_same_where_events_tell_the_profile(
    rulebook: Rulebook,
    facts: Sequence[Fact],
    profile: Sequence[Fact],
    changes: Sequence[Fact],
    person: Person,
    more: int,
) -> None:
    history = [*facts, *profile, *changes]
    note(told(rulebook, history))
    expected = contacted.model(rulebook, history, None, person, more * HOUR)
    assert contacted.core(rulebook, history, None, person, more * HOUR) == expected
