"""Each operator and function on each pair of values: no chance here, all of them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from foreword.authoring.cel_parser import InvalidCondition
from tests.property.cel import google_cel, ours
from tests.property.cel.worlds import World

MISSING = object()
VALUES: tuple[Any, ...] = (
    MISSING, None, True, False, 0, 1, -7, 3, "", "a", "b", "1", "true", "ä", "😀", [], [1], [True], ["a"], [None],
    [[1], "a"], {}, {"a": 1}, {"a": True}, {"a": 1, "b": None}, {"b": 1},
)  # fmt: skip
HALVES = (Decimal("0.5"), Decimal("1.0"), Decimal("-7.0"))
LITERALS = (
    "null", "true", "0", "1", "-7", "0.5", "1.0", '"a"', '""', "[]", "[1]", '["a", "b"]', "[true, null]",
    'timestamp("2026-03-02T09:00:00Z")', 'duration("1h")', "event.data", "lists.codes", "hit", "contacts",
    "silence",
)  # fmt: skip
COMPARISONS = ("{} == {}", "{} != {}", "{} < {}", "{} <= {}", "{} > {}", "{} >= {}", "{} in {}")
RECKONINGS = ("{} + {}", "{} - {}", "{} * {}", "{} % {}")
OTHERS = (
    "{}[{}]", "{}.contains({})", "{}.startsWith({})", "{}.endsWith({})", "{} && {}", "{} || {}", "{} ? {} : false",
    "!({} == {})", "[{}] == [{}]", "size({}) == size({})", "-{} == -{}", "!{} == !{}", "has({}.a) == has({}.b)",
)  # fmt: skip


@pytest.mark.parametrize("form", COMPARISONS + RECKONINGS + OTHERS)
def test_it_answers_as_cel_does(form: str) -> None:
    numbers = () if form in RECKONINGS else HALVES  # CEL has no sum of an int and a double
    values = (*VALUES, *numbers)
    literals = [literal for literal in LITERALS if numbers or literal not in ("0.5", "1.0")]
    asked = 0
    for source in accepted(form, literals):
        for x, y in product(
            values, values if "event.data.x" in source and "event.data.y" in source else (0,)
        ):
            world = of(x, y) if "event.data.x" in source else of(y, x)
            answer = google_cel.answer(source, world)
            assert ours.looked_up(source, world) == answer, (source, x, y)
            assert ours.truths(source, world) == [answer == ("boolean", True)] * 3, (source, x, y)
            asked += 1
    assert asked >= len(values) ** 2


def accepted(form: str, literals: list[str]) -> Iterator[str]:
    """The form with two unknown values, and with one and each literal that its types allow."""
    yield form.format("event.data.x", "event.data.y")
    for literal in literals:
        for source in (form.format("event.data.x", literal), form.format(literal, "event.data.y")):
            try:
                ours.checked(source)
            except InvalidCondition:
                continue
            yield source


def of(x: Any, y: Any) -> World:
    data = {name: value for name, value in (("x", x), ("y", y)) if value is not MISSING}
    signals = {"contacts": 1, "hit": True}
    return World(data=data, profile={}, signals=signals, type="Asked", source="shop", at=0)
