"""CEL conditions walked as plain trees: no compiling, nothing shared with the core but the trees themselves.

Numbers are decimals of 28 digits. What is missing, undefined or of the wrong type raises `Missing`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, DecimalException, DivisionByZero, InvalidOperation, Overflow
from fractions import Fraction
from typing import Any, TypeAlias

from foreword.domain.rulebook import Expression

Micros: TypeAlias = int | Fraction
"""Microseconds: whole ones, or half of one where a limit just before an instant is meant."""

DECIMAL = Context(prec=28, traps=[DivisionByZero, InvalidOperation, Overflow])

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Missing(Exception):
    """A CEL error: a condition that ends in it is false."""


@dataclass(frozen=True, order=True)
class Time:
    micros: Micros


@dataclass(frozen=True, order=True)
class Span:
    micros: Micros


def holds(expression: Expression, names: Mapping[str, Any]) -> bool:
    """True for exactly true: an error is false."""
    return value_or_none(expression, names) is True


def value_or_none(expression: Expression, names: Mapping[str, Any]) -> Any:
    """The expression's value, None for an error as for null."""
    try:
        return evaluate(expression.tree, names)
    except Missing:
        return None


def names_in(expression: Expression) -> set[str]:
    """Every name that the expression begins a path from."""

    def walk(tree: Any) -> set[str]:
        if not isinstance(tree, list):
            return set()
        if tree and tree[0] == "name":
            return {tree[1]}
        return {name for part in tree for name in walk(part)}

    return walk(expression.tree)


def evaluate(tree: Any, names: Mapping[str, Any]) -> Any:
    node, *operands = tree
    match node:
        case "number":
            return Decimal(operands[0])
        case "string" | "bool":
            return operands[0]
        case "null":
            return None
        case "list":
            return [evaluate(element, names) for element in operands]
        case "name":
            return _plain(_look_up(names, operands[0]))
        case "field":
            return _plain(_look_up(evaluate(operands[0], names), operands[1]))
        case "has":
            container = evaluate(operands[0], names)
            if not isinstance(container, Mapping):
                raise Missing(operands)
            return operands[1] in container
        case "index":
            return _element(evaluate(operands[0], names), evaluate(operands[1], names))
        case "!":
            return not _truth(evaluate(operands[0], names))
        case "neg":
            return -_number(evaluate(operands[0], names))
        case "?:":
            return evaluate(operands[1 if _truth(evaluate(operands[0], names)) else 2], names)
        case "&&":
            return not _any([["!", operand] for operand in operands], names)
        case "||":
            return _any(operands, names)
        case "call":
            return _call(operands[0], [evaluate(operand, names) for operand in operands[1:]])
        case _:
            left, right = (evaluate(operand, names) for operand in operands)
            return _binary(node, left, right)


def equal(left: Any, right: Any) -> bool:
    """Deep, by value; different types are never equal."""
    if kind(left) != kind(right):
        return False
    if isinstance(left, Mapping):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(equal, left, right))
    return bool(left == right)


def kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | Decimal():
            return "number"
        case str():
            return "string"
        case Time():
            return "time"
        case Span():
            return "span"
        case list() | tuple():
            return "list"
        case Mapping():
            return "map"
    raise AssertionError(f"no value of a condition: {value!r}")


def is_number(value: Any) -> bool:
    return kind(value) == "number"


def _plain(value: Any) -> Any:
    return Decimal(value) if is_number(value) else value


def _look_up(container: Any, name: str) -> Any:
    if not isinstance(container, Mapping) or name not in container:
        raise Missing(name)
    return container[name]


def _element(container: Any, index: Any) -> Any:
    if isinstance(container, Mapping) and isinstance(index, str):
        return _plain(_look_up(container, index))
    if kind(container) == "list" and is_number(index) and index % 1 == 0 and 0 <= index < len(container):
        return _plain(container[int(index)])
    raise Missing(index)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Missing(value)
    return value


def _number(value: Any) -> Decimal:
    if not is_number(value):
        raise Missing(value)
    return Decimal(value)


def _any(operands: list[Any], names: Mapping[str, Any]) -> bool:
    """One true operand decides, whatever the others are; else one error is an error."""
    found: list[bool | Missing] = []
    for operand in operands:
        try:
            found.append(_truth(evaluate(operand, names)))
        except Missing as error:
            found.append(error)
    if True in found:
        return True
    for each in found:
        if isinstance(each, Missing):
            raise each
    return False


def _binary(symbol: str, left: Any, right: Any) -> Any:
    match symbol:
        case "==":
            return equal(left, right)
        case "!=":
            return not equal(left, right)
        case "in":
            return _is_in(left, right)
        case "<" | "<=" | ">" | ">=":
            return _ordered(symbol, left, right)
        case _:
            return _reckoned(symbol, left, right)


def _is_in(value: Any, container: Any) -> bool:
    if isinstance(container, Mapping):
        return isinstance(value, str) and value in container
    if kind(container) != "list":
        raise Missing(container)
    return any(equal(value, element) for element in container)


def _ordered(symbol: str, left: Any, right: Any) -> bool:
    if kind(left) != kind(right) or kind(left) in ("null", "list", "map"):
        raise Missing(symbol)
    return bool(
        {
            "<": lambda: left < right,
            "<=": lambda: left <= right,
            ">": lambda: left > right,
            ">=": lambda: left >= right,
        }[symbol]()
    )


def _reckoned(symbol: str, left: Any, right: Any) -> Any:
    match symbol, kind(left), kind(right):
        case _, "number", "number":
            operation = {
                "+": DECIMAL.add,
                "-": DECIMAL.subtract,
                "*": DECIMAL.multiply,
                "/": DECIMAL.divide,
                "%": DECIMAL.remainder,
            }[symbol]
            try:
                return operation(left, right)
            except DecimalException as error:
                raise Missing(symbol) from error
        case "+", "string", "string":
            return left + right
        case "+", "list", "list":
            return [*left, *right]
        case "+", "span", "span":
            return Span(left.micros + right.micros)
        case ("+", "time", "span") | ("+", "span", "time"):
            return Time(left.micros + right.micros)
        case ("-", "time", "time") | ("-", "span", "span"):
            return Span(left.micros - right.micros)
        case "-", "time", "span":
            return Time(left.micros - right.micros)
    raise Missing(symbol)


def _call(function: str, arguments: list[Any]) -> Any:
    kinds = tuple(kind(argument) for argument in arguments)
    match function, kinds:
        case "size", ("string" | "list" | "map",):
            return Decimal(len(arguments[0]))
        case "contains", ("string", "string"):
            return arguments[1] in arguments[0]
        case "startsWith", ("string", "string"):
            return arguments[0].startswith(arguments[1])
        case "endsWith", ("string", "string"):
            return arguments[0].endswith(arguments[1])
        case ("duration", ("span",)) | ("timestamp", ("time",)):
            return arguments[0]
        case "duration", ("string",):
            return read_span(arguments[0])
        case "timestamp", ("string",):
            return read_time(arguments[0])
    raise Missing(function)


def read_time(text: str) -> Time:
    """RFC 3339 with an offset."""
    if not re.match(r"\d{4}-\d\d-\d\d[Tt]", text):
        raise Missing(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Missing(text) from error
    if moment.tzinfo is None:
        raise Missing(text)
    return Time(to_micros(moment))


def to_micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def read_span(text: str) -> Span:
    """As in CEL: `72h`, `1h30m`, `1.5s`."""
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    part = r"(\d+(?:\.\d*)?|\.\d+)(h|ms|us|ns|m|s)"
    if not re.fullmatch(f"(?:{part})+", digits):
        raise Missing(text)
    units = {
        "h": Fraction(3_600_000_000),
        "m": Fraction(60_000_000),
        "s": Fraction(1_000_000),
        "ms": Fraction(1000),
        "us": Fraction(1),
        "ns": Fraction(1, 1000),
    }
    return Span(sign * int(sum(Fraction(number) * units[unit] for number, unit in re.findall(part, digits))))
