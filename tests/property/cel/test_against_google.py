"""Conditions mean what Google's CEL says they mean, wherever rules.md does not say otherwise.

rules.md differs on purpose in numbers alone: each is the decimal of its text. `tests.property.cel.trees` says how
the random conditions keep to what both agree on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from tests.property.cel import google_cel, ours
from tests.property.cel.google_cel import ERROR, Answer
from tests.property.cel.layout import Layout
from tests.property.cel.trees import Tree, Trees
from tests.property.cel.worlds import SIGNALS, World, worlds

NEVER_KEPT = ("null", "timestamp", "duration")
"""No value of a signal: as if it were missing."""

TRUE = ("boolean", True)


@dataclass(frozen=True)
class Questions:
    """Each of the texts is asked of each of the worlds."""

    sources: tuple[str, ...]
    doubles: bool
    worlds: list[World]


def questions(
    make: Callable[[Trees, int], Tree], signals: Sequence[str] = tuple(SIGNALS)
) -> st.SearchStrategy[Questions]:
    """Eight texts of the trees that are made to some depth."""

    def asked(seed: int, depth: int, doubles: bool, of: list[World]) -> Questions:
        trees, layout = Trees(seed, doubles=doubles, signals=signals), Layout(seed)
        return Questions(tuple(layout.text(make(trees, depth)) for _ in range(8)), doubles, of)

    return st.booleans().flatmap(
        lambda doubles: st.builds(
            asked,
            st.integers(0, 2**64),
            st.integers(0, 5),
            st.just(doubles),
            st.lists(worlds(doubles=doubles), min_size=1, max_size=3),
        )
    )


@given(questions(Trees.any))
def test_values_and_errors_are_those_of_cel(asked: Questions) -> None:
    for source, world, answer in answered(asked):
        assert ours.looked_up(source, world) == answer, source


@given(questions(Trees.boolean))
def test_a_rules_conditions_hold_where_cel_says_true(asked: Questions) -> None:
    for source, world, answer in answered(asked):
        assert ours.truths(source, world) == [answer == TRUE] * 3, source


@given(questions(Trees.logic))
def test_errors_are_absorbed_where_cel_absorbs_them(asked: Questions) -> None:
    for source, world, answer in answered(asked):
        assert ours.looked_up(source, world) == answer, source
        assert ours.truths(source, world) == [answer == TRUE] * 3, source


@given(questions(Trees.boolean, signals=()))
def test_an_event_matches_where_cel_says_true(asked: Questions) -> None:
    for source, world, answer in answered(asked):
        assert ours.matches(source, world) == (answer == TRUE), source


@given(questions(Trees.any, signals=()))
def test_a_signal_keeps_the_value_that_cel_gives(asked: Questions) -> None:
    for source, world, answer in answered(asked):
        expected = ERROR if answer[0] in NEVER_KEPT else answer
        assert ours.kept(source, world) == expected, source


def answered(asked: Questions) -> Iterator[tuple[str, World, Answer]]:
    for source in asked.sources:
        for world in asked.worlds:
            yield source, world, google_cel.answer(source, world, doubles=asked.doubles)
