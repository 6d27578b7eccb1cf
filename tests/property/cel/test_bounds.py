"""A number of which only bounds are known answers as the number itself would, or asks for the journal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreword.domain.between import between
from foreword.domain.errors import NeedsJournal
from tests.property.cel import ours
from tests.property.cel.layout import Layout
from tests.property.cel.trees import Trees
from tests.property.cel.worlds import World, worlds

slack = st.none() | st.integers(0, 4)


@given(st.integers(0, 2**64), st.integers(0, 4), worlds(), slack, slack)
def test_bounds_decide_as_the_number_would(
    seed: int, depth: int, world: World, below: int | None, above: int | None
) -> None:
    trees = Trees(seed, doubles=False, signals=("contacts", "share", "hit"))
    bounded = replace(world, signals={**world.signals, **within(world, below, above)})
    for _ in range(8):
        source = Layout(0).text(trees.boolean(depth))
        try:
            truths = ours.truths(source, bounded)
        except NeedsJournal:
            continue
        assert truths == ours.truths(source, world), source


@pytest.mark.parametrize(
    "source",
    [
        'event.data.l[contacts] == "a"',
        "contacts in event.data.l",
        "[event.data.n] == [contacts]",
        "contacts + 1 == 2 || contacts < 1",
        "contacts % 2 == 1",
        "-contacts == -1",
        "(hit ? contacts : 0) == event.data.n",
    ],
)
def test_what_the_bounds_leave_open_asks_for_the_journal(source: str) -> None:
    world = World(
        {"l": ["a", "a", 1], "n": 1}, {}, {"contacts": between(0, 2), "hit": True}, "Asked", "shop", 0
    )
    with pytest.raises(NeedsJournal):
        ours.truths(source, world)


def within(world: World, below: int | None, above: int | None) -> dict[str, Any]:
    """The number signals, each known to be so much less or more at the most; None is no bound."""
    return {
        name: between(
            None if below is None else world.signals[name] - below,
            None if above is None else world.signals[name] + above,
        )
        for name in ("contacts", "share")
        if name in world.signals
    }
