"""The functions of CEL that conditions may call, and how the others are refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foreword.authoring.cel_types import (
    BOOLEAN,
    DURATION,
    ELEMENTS,
    LIST,
    MAP,
    NUMBER,
    STRING,
    TIMESTAMP,
    CelType,
)
from foreword.authoring.suggest import did_you_mean
from foreword.domain import condition_values
from foreword.domain.errors import ConditionError
from foreword.domain.instants import HOUR, parse_duration


@dataclass(frozen=True, slots=True)
class Function:
    """`takes` names the types allowed for each argument, the receiver of a method first."""

    form: str
    takes: tuple[tuple[CelType, ...], ...]
    gives: CelType


_SIZED = (STRING, LIST, *ELEMENTS, MAP)

PLAIN: Mapping[str, Function] = {
    "size": Function("size(x)", (_SIZED,), NUMBER),
    "duration": Function('duration("72h")', ((STRING, DURATION),), DURATION),
    "timestamp": Function('timestamp("2026-03-02T09:00:00Z")', ((STRING, TIMESTAMP),), TIMESTAMP),
}
METHODS: Mapping[str, Function] = {
    "size": Function("x.size()", (_SIZED,), NUMBER),
    "contains": Function('x.contains("part")', ((STRING,), (STRING,)), BOOLEAN),
    "startsWith": Function('x.startsWith("part")', ((STRING,), (STRING,)), BOOLEAN),
    "endsWith": Function('x.endsWith("part")', ((STRING,), (STRING,)), BOOLEAN),
}
_MACROS = frozenset(
    {"all", "exists", "exists_one", "existsOne", "map", "filter", "transformList", "transformMap"}
)


def refusal(name: str, known: Mapping[str, Function]) -> str:
    """Why a call of `name` is refused."""
    if name == "matches":
        return (
            "matches() is not supported: a condition holds no regular expressions; "
            "use contains, startsWith or endsWith"
        )
    if name in _MACROS:
        return f"CEL's macro {name}() is not supported in a condition"
    other = METHODS if known is PLAIN else PLAIN
    if name in other:
        return f"'{name}' is written {other[name].form}"
    hint = did_you_mean(name, (*known, "has"))
    supported = ", ".join(("has", *dict.fromkeys((*PLAIN, *METHODS))))
    return f"the function {name}() is not supported in a condition{hint or f'; supported are: {supported}'}"


def constant_problem(node: list[Any]) -> str | None:
    """What is wrong with duration("...") or timestamp("...") of a constant, if anything."""
    match node:
        case ["call", "duration", ["string", text]]:
            convert: Any = condition_values.duration
        case ["call", "timestamp", ["string", text]]:
            convert = condition_values.timestamp
        case _:
            return None
    try:
        convert(text)
    except ConditionError as error:
        return f"{error}{_in_hours(node[1], text)}"
    return None


def _in_hours(function: str, text: str) -> str:
    """The days and weeks that the rest of a rule knows, as CEL writes them."""
    try:
        length = parse_duration(text) if function == "duration" else 0
    except ValueError:
        return ""
    return f"; CEL's largest unit is h: write {length // HOUR}h" if length else ""
