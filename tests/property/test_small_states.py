"""States that keep next to nothing decide as exact ones do: what they let go, the journal tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from foreword.app import evaluate_triggers
from foreword.domain import state
from foreword.domain.facts import Fact
from foreword.domain.instants import HOUR
from foreword.domain.rulebook import Rulebook
from foreword.domain.signals import log, seen, times
from tests.property.histories import described, histories
from tests.property.road import Road, in_batches
from tests.property.rulebooks import rulebooks
from tests.property.test_fold_against_the_model import (
    ALL_THERE,
    afterwards,
    compare_afterwards,
    modelled,
    waits,
)


@contextmanager
def budget(of: int, state_bytes: int | None) -> Iterator[None]:
    """Each memory keeps `of` times or values where no threshold needs more, in a state of so many bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(times, "EXACT", of)
        patch.setattr(times, "TILES", of)
        patch.setattr(seen, "MOST_VALUES", of)
        patch.setattr(log, "MOST_VALUES", of)
        patch.setattr(log, "_WORTH_DROPPING", of)
        patch.setattr(state, "REMEMBERED_FOR", 1)
        patch.setattr(state, "FEWEST_REMEMBERED", of)
        patch.setattr(state, "MOST_REMEMBERED", of)
        if state_bytes is not None:
            patch.setattr(evaluate_triggers, "MOST_STATE_BYTES", state_bytes)
        yield


budgets = st.integers(1, 3)
limits = st.sampled_from((None, None, 150, 300))


@given(rulebooks(), histories(most=16), described(), waits, st.booleans(), budgets, limits)
def test_small_states_decide_what_the_model_decides(
    rulebook: Rulebook,
    facts: Sequence[Fact],
    profile: Sequence[Fact],
    more: int,
    warm: bool,
    of: int,
    state_bytes: int | None,
) -> None:
    everything = [*profile, *facts]
    end = facts[-1].occurred_at + more * HOUR
    note(f"budget {of}, {state_bytes}")
    with budget(of, state_bytes):
        road = Road(rulebook, warm)
        road.in_time(everything)
        road.wait(end)
    assert road.decided() == modelled(rulebook, everything, end)


@given(
    rulebooks(pauses=False),
    histories(most=16),
    described(),
    afterwards,
    waits,
    budgets,
    limits,
    st.data(),
)
def test_small_states_end_in_the_same_signals_in_any_order(
    rulebook: Rulebook,
    facts: Sequence[Fact],
    profile: Sequence[Fact],
    later: Sequence[Fact],
    more: int,
    of: int,
    state_bytes: int | None,
    data: st.DataObject,
) -> None:
    arrivals = data.draw(st.permutations([*profile, *facts]))
    note(f"budget {of}, {state_bytes}")
    with budget(of, state_bytes):
        road = Road(rulebook)
        for batch in in_batches(data, arrivals):
            road.arrive(batch, ALL_THERE)
        compare_afterwards(road, arrivals, later, more)
