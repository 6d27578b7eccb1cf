"""What binds tighter, and what means nothing at all: parentheses, blanks, line ends and comments."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreword.authoring.cel_parser import InvalidCondition
from tests.property.cel import google_cel, ours
from tests.property.cel.layout import Layout
from tests.property.cel.trees import Trees
from tests.property.cel.worlds import World, worlds

WORLD = World(
    data={"b": True, "n": 2, "m": {"x": {"x": True}}},
    profile={},
    signals={"contacts": 3, "hit": True},
    type="Asked",
    source="shop",
    at=0,
)


@given(st.integers(1, 2**64), st.integers(0, 5), st.booleans())
def test_what_means_nothing_changes_no_tree(seed: int, depth: int, doubles: bool) -> None:
    trees = Trees(seed, doubles=doubles)
    for _ in range(8):
        tree = trees.any(depth)
        plain = Layout(0).text(tree)
        for layout in (Layout(seed), Layout(seed, parentheses=1)):
            assert parsed(layout.text(tree)) == parsed(plain), plain


def parsed(source: str) -> Any:
    return flat(ours.checked(source).tree)


def flat(tree: Any) -> Any:
    """`(a && b) && c` is `a && b && c`, and `-(7)` is `-7`."""
    if not isinstance(tree, list):
        return tree
    symbol, *operands = map(flat, tree)
    if symbol in ("&&", "||") and operands[0][0] == symbol:
        operands[:1] = operands[0][1:]
    if symbol == "neg" and operands[0][0] == "number":
        return ["number", f"-{operands[0][1]}".removeprefix("--")]
    return [symbol, *operands]


@given(st.integers(1, 5), st.integers(1, 5), worlds())
def test_a_sign_may_repeat_itself(nots: int, minuses: int, world: World) -> None:
    for source in (
        f"{'!' * nots}(has(event.data.b) && hit)",
        f"{'-' * minuses}contacts",
        f"{' - ' * minuses}1",
        f"contacts {'-' * minuses}1",
    ):
        assert ours.looked_up(source, world) == google_cel.answer(source, world)


@pytest.mark.parametrize(
    "wrapped",
    [
        "!({})",
        "({}) == true",
        "true != ({})",
        "({}) && hit",
        "hit && ({})",
        "({}) || !hit",
        "!hit || ({})",
        "({}) ? hit : !hit",
        "hit ? ({}) : !hit",
        "!hit ? hit : ({})",
        "(({}) ? 1 : 2) < event.data.n",
        "event.data.n > (({}) ? 1 : 2)",
        "(({}) ? event.data.n : contacts) <= event.data.n",
        "-(({}) ? event.data.n : contacts) <= 1 + event.data.n % 3",
        "[{}][0]",
        "true in [{}]",
        "size([{}]) == 1",
        '(({}) ? event.type : "b").contains("s")',
        'timestamp(({}) ? "2026-03-02T09:00:00Z" : event.type) > event.occurred_at',
        'event.occurred_at + duration(({}) ? "1h" : event.type) > event.occurred_at',
        "({} ? event.data.m : profile).x.x",
        "has(({} ? event.data.m : profile).x.x)",
        '({} ? event.data.m : profile)["x"]["x"]',
    ],
)
def test_what_nests_as_deep_as_it_may_still_runs(wrapped: str) -> None:
    """Google's CEL nests less deep: it says what one level makes of true and of false."""
    source, true = "event.data.b", True
    levels = 0
    while (deeper := wrapped.replace("{}", source)) and nests(deeper):
        (_, true) = google_cel.answer(wrapped.replace("{}", "true" if true else "false"), WORLD)
        source, levels = deeper, levels + 1
    assert levels > 10
    assert ours.looked_up(source, WORLD) == ("boolean", true)
    assert ours.truths(source, WORLD) == [true] * 3


def nests(source: str) -> bool:
    try:
        ours.checked(source)
    except InvalidCondition as error:
        if "nests deeper" in error.message:
            return False
        raise
    return True
