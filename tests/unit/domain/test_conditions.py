"""Conditions: decimals, times, types, and CEL's errors. Trees are made by the real checker."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreword.authoring.cel import Scope, check_expression
from foreword.domain.conditions import compile_expression, holds, root_names
from foreword.domain.errors import ConditionError
from foreword.domain.rulebook import Expression

NAMES: Mapping[str, Any] = {
    "event": {
        "type": "OrderPlaced",
        "source": "shop",
        "occurred_at": datetime(2026, 3, 2, 9, tzinfo=UTC),
        "data": {
            "amount": Decimal("19.90"),
            "count": 3,
            "half": Decimal("0.5"),
            "vip": True,
            "code": "E11",
            "nothing": None,
            "tags": ["a", "b", 1],
            "nested": {"x": Decimal(1)},
            "promised": "2026-03-05T10:00:00+01:00",
            "huge": Decimal("1e999999"),
        },
    },
    "profile": {"segment": "retail"},
    "lists": {"codes": ("E10", "E11")},
    "contacts": 3,
    "share": Decimal("0.5"),
    "late": True,
}
SCOPE = Scope(
    signals={
        "contacts": "number",
        "share": "number",
        "late": "boolean",
        "undefined": "number",
        "unset": "boolean",
    },
    lists=frozenset({"codes", "gone"}),
)


def value_of(source: str) -> Any:
    every_type = (
        "boolean",
        "number",
        "string",
        "timestamp",
        "duration",
        "list",
        "list of strings",
        "map",
        "null",
    )
    return compile_expression(check_expression(source, SCOPE, every_type))(NAMES)


def is_true(source: str) -> bool:
    return holds(compile_expression(check_expression(source, SCOPE)), NAMES)


@pytest.mark.parametrize(
    "source",
    [
        "0.1 + 0.2 == 0.3",
        "1 / 4 == 0.25",
        "7 % 3 == 1",
        "-7 % 3 == -1",
        "3 == 3.0",
        "contacts >= 3 && contacts < 3.5",
        "share * 2 == 1",
        "event.data.amount > 19.89 && event.data.amount <= 19.9",
        "event.data.huge > 1",
        "0x10 == 16 && 5u == 5",
        'event.data.code in lists.codes && !("E99" in lists.codes)',
        '"a" in event.data.tags && 1.0 in event.data.tags && !(true in event.data.tags)',
        '"amount" in event.data',
        'event.data["code"] == "E11" && event.data.tags[1] == "b"',
        "event.data.nested.x == 1",
        "event.data.nothing == null && has(event.data.nothing)",
        "!has(event.data.missing) && has(profile.segment)",
        'event.data.code.startsWith("E") && event.data.code.endsWith("11") && event.data.code.contains("1")',
        'size(event.data.code) == 3 && event.data.tags.size() == 3 && size("äöü") == 3',
        'event.occurred_at == timestamp("2026-03-02T10:00:00+01:00")',
        'timestamp(event.data.promised) - event.occurred_at == duration("72h")',
        'event.occurred_at + duration("1h30m") < timestamp("2026-03-02T10:30:01Z")',
        'duration("90m") == duration("1h30m") && duration("1500ms") > duration("1.4s")',
        "late ? contacts == 3 : contacts == 0",
        "[1, 2] == [1.0, 2.0] && [1] != [1, 1] && size([]) == 0",
        "[1] + [2] == [1, 2]",
        '"a" + "b" == "ab" && "a" < "b"',
        "false < true",
        'r"\\d" == "\\\\d" && "\\u00e4" == "ä"',
    ],
)
def test_true_conditions(source: str) -> None:
    assert is_true(source)


@pytest.mark.parametrize(
    "source",
    [
        "event.data.vip == 1",
        "event.data.count == true",
        'event.data.count == "3"',
        "1 in [event.data.vip]",
        "event.data.nested == event.data.tags",
        "event.data.nothing == event.data.count",
    ],
)
def test_values_of_different_types_are_unequal(source: str) -> None:
    assert value_of(source) is False


@pytest.mark.parametrize(
    "source",
    [
        "event.data.missing == 1",
        'event.data.missing != "x"',
        "!event.data.missing",
        "undefined >= 0",
        "has(event.data.missing.deeper)",
        "event.data.code > 3",
        "event.data.code + 1 > 0",
        "event.data.count / 0 > 1",
        "event.data.count % 0 == 1",
        "event.data.huge * event.data.huge > 1",
        "event.data.tags[3] == 1",
        "event.data.tags[event.data.amount] == 1",
        'event.data.tags[event.data.half] == "a"',
        "event.data.tags[-event.data.count] == 1",
        "event.data.tags[event.data.huge] == 1",
        "event.data.code.foo == 1",
        "event.data.count ? true : true",
        "1 in event.data.count",
        "size(event.data.count) == 1",
        'event.data.count.startsWith("3")',
        "timestamp(event.data.code) == event.occurred_at",
        'event.occurred_at + duration("99999999h") > event.occurred_at',
        "event.occurred_at + duration(event.data.code) > event.occurred_at",
        '"x" in lists.gone',
        "-event.data.code == 1",
    ],
)
def test_an_error_makes_the_condition_false_and_says_why(source: str) -> None:
    assert not is_true(source)
    with pytest.raises(ConditionError) as failed:
        value_of(source)
    assert str(failed.value)


def test_only_exactly_true_holds() -> None:
    number = compile_expression(Expression(source="1", tree=["number", "1"]))
    assert not holds(number, {})


ERRORS = ["event.data.missing", "undefined > 1", "unset", "1 / 0 > 1", "event.data.count"]


@pytest.mark.parametrize("error", ERRORS)
def test_a_deciding_operand_absorbs_an_error_in_either_order(error: str) -> None:
    assert value_of(f"true || {error}") is True
    assert value_of(f"{error} || true") is True
    assert value_of(f"false && {error}") is False
    assert value_of(f"{error} && false") is False


@pytest.mark.parametrize("error", ERRORS)
def test_an_undecided_operand_leaves_the_error(error: str) -> None:
    for source in (
        f"false || {error}",
        f"{error} || false",
        f"true && {error}",
        f"{error} && true",
        f"!({error})",
    ):
        with pytest.raises(ConditionError):
            value_of(source)


def test_a_choice_evaluates_only_what_it_takes() -> None:
    assert value_of("late ? 1 : 1 / 0") == 1


def test_a_missing_name_is_named() -> None:
    with pytest.raises(ConditionError, match="undefined is undefined"):
        value_of("undefined > 1")
    with pytest.raises(ConditionError, match=r"event\.data\.missing is missing"):
        value_of("event.data.missing > 1")


def test_names_are_only_ever_looked_up() -> None:
    class Lazy(dict[str, Any]):
        def __missing__(self, name: str) -> Any:
            return {"segment": "late"}

    compiled = compile_expression(check_expression('profile.segment == "late"', SCOPE))
    assert holds(compiled, Lazy())


def test_root_names_are_where_the_expression_begins() -> None:
    expression = check_expression(
        "contacts > 1 && (late || event.data.x in lists.codes) && has(profile.y)", SCOPE
    )
    assert root_names(expression) == {"contacts", "late", "event", "lists", "profile"}


@pytest.mark.parametrize(
    "tree",
    [
        [],
        ["eval", ["string", "1"]],
        ["call", "open", ["string", "x"]],
        ["call", "size"],
        ["name", 1],
        ["number", 1],
        ["bool", 1],
        ["&&"],
        ["==", ["null"]],
        "contacts",
        {"name": "contacts"},
    ],
)
def test_a_tree_outside_the_list_is_never_evaluated(tree: Any) -> None:
    with pytest.raises(ValueError, match="not a node"):
        compile_expression(Expression(source="", tree=tree))


decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4)
TRUTHS: dict[str, Any] = {"true": True, "false": False, "1/0 > 0": None}


@given(decimals, decimals)
def test_numbers_are_decimals_of_their_text(left: Decimal, right: Decimal) -> None:
    exact = Context(prec=28)
    names = f"({left:f})", f"({right:f})"
    assert value_of(f"{names[0]} + {names[1]}") == exact.add(left, right)
    assert value_of(f"{names[0]} - {names[1]}") == exact.subtract(left, right)
    assert value_of(f"{names[0]} * {names[1]}") == exact.multiply(left, right)
    assert value_of(f"{names[0]} < {names[1]}") is (left < right)
    if right != 0:
        assert value_of(f"{names[0]} / {names[1]}") == exact.divide(left, right)


def reference(symbol: str, operands: list[Any]) -> Any:
    deciding = symbol == "||"
    if deciding in operands:
        return deciding
    return None if None in operands else not deciding


@given(st.sampled_from(["&&", "||"]), st.lists(st.sampled_from(sorted(TRUTHS)), min_size=2, max_size=5))
def test_the_logic_of_errors_does_not_depend_on_order(symbol: str, operands: list[str]) -> None:
    expected = reference(symbol, [TRUTHS[operand] for operand in operands])
    for ordered in (operands, operands[::-1]):
        try:
            found = value_of(f" {symbol} ".join(f"({operand})" for operand in ordered))
        except ConditionError:
            found = None
        assert found is expected


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=10_000)))
def test_durations_are_exact(length: timedelta) -> None:
    micros = length // timedelta(microseconds=1)
    assert value_of(f'duration("{micros}us")') == length
    assert value_of(f'duration("{micros // 1000}ms{micros % 1000}us")') == length
