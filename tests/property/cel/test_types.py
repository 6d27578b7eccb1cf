"""What CEL's type checker refuses is refused at load: of expressions whose numbers are all ints.

We refuse more: what CEL lets pass because a value is unknown, and can have no answer whatever it is (`x < null`).
"""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreword.authoring.cel_parser import InvalidCondition
from tests.property.cel import google_cel, ours
from tests.property.cel.layout import Layout
from tests.property.cel.trees import COMPARISONS, METHODS, Tree, atom

ATOMS = (
    "true", "hit", "1", "contacts", '"a"', "event.type", "null", "silence", 'duration("1h")', "event.occurred_at",
    'timestamp("2026-03-02T09:00:00Z")', "product", "event.data.x", "profile.x", "lists.codes", "event.data",
    "profile", '["a", "b"]', "[1, 2]", "[]", "[product]", "[event.type]", "[contacts, 1]",
)  # fmt: skip


EACH_TYPE = (
    "true", "1", '"a"', "null", "silence", "event.occurred_at", "product", "lists.codes", "event.data", "[1]", "[]",
)  # fmt: skip
BINARY = (*COMPARISONS, "+", "-", "*", "/", "%", "in", "&&", "||")
CONTAINERS = tuple(atom(text) for text in ("lists.codes", "event.data", "product", "profile.x"))


def any_tree(random: Random, depth: int) -> Tree:
    """Of whatever types."""
    if depth <= 0 or random.random() < 0.15:
        return atom(random.choice(ATOMS))
    one, two, three = (any_tree(random, depth - 1) for _ in range(3))
    made: tuple[Tree, ...] = (
        [random.choice("!-"), one],
        [random.choice(BINARY), one, two],
        ["?:", one, two, three],
        ["in", one, random.choice(CONTAINERS)],
        ["method", random.choice(METHODS), one, two],
        [random.choice(("call", "method")), "size", one],
        ["call", random.choice(("duration", "timestamp")), one],
        [".", one, "x"],
        ["[]", one, two],
    )
    return random.choice(made)


@given(st.integers(0, 2**64), st.integers(1, 3))
def test_type_errors_are_refused_as_cel_refuses_them(seed: int, depth: int) -> None:
    random = Random(seed)
    for _ in range(8):
        source = Layout(0).text(any_tree(random, depth))
        refused_where_cel_refuses(source)


@pytest.mark.parametrize("symbol", BINARY)
def test_each_operator_of_each_two_types(symbol: str) -> None:
    for one, two in product(EACH_TYPE, EACH_TYPE):
        refused_where_cel_refuses(f"{one} {symbol} {two}")


def refused_where_cel_refuses(source: str) -> None:
    if google_cel.is_refused(source):
        with pytest.raises(InvalidCondition):
            ours.checked(source)
