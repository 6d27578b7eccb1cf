"""The types that conditions are checked against. `dyn` is what is known only when an event has come."""

from __future__ import annotations

from typing import TypeAlias

CelType: TypeAlias = str

BOOLEAN: CelType = "boolean"
NUMBER: CelType = "number"
STRING: CelType = "string"
NULL: CelType = "null"
TIMESTAMP: CelType = "timestamp"
DURATION: CelType = "duration"
LIST: CelType = "list"
STRINGS: CelType = "list of strings"
NUMBERS: CelType = "list of numbers"
MAP: CelType = "map"
DYN: CelType = "dyn"

ELEMENTS = {STRINGS: STRING, NUMBERS: NUMBER}
"""The lists whose elements are all of one known type."""

_ORDERED = {BOOLEAN, NUMBER, STRING, TIMESTAMP, DURATION}
_SUMS = {
    ("+", NUMBER, NUMBER): NUMBER,
    ("+", STRING, STRING): STRING,
    ("+", LIST, LIST): LIST,
    ("+", TIMESTAMP, DURATION): TIMESTAMP,
    ("+", DURATION, TIMESTAMP): TIMESTAMP,
    ("+", DURATION, DURATION): DURATION,
    ("-", NUMBER, NUMBER): NUMBER,
    ("-", TIMESTAMP, DURATION): TIMESTAMP,
    ("-", TIMESTAMP, TIMESTAMP): DURATION,
    ("-", DURATION, DURATION): DURATION,
    ("*", NUMBER, NUMBER): NUMBER,
    ("/", NUMBER, NUMBER): NUMBER,
    ("%", NUMBER, NUMBER): NUMBER,
}


def binary(symbol: str, left: CelType, right: CelType) -> CelType | None:
    """The type of `left symbol right`, None where it can never have an answer."""
    if symbol in ("==", "!="):
        return BOOLEAN if both(left, right) else None
    if symbol in ("<", "<=", ">", ">="):
        known = {left, right} - {DYN}
        return BOOLEAN if len(known) < 2 and known <= _ORDERED else None
    if symbol == "in":
        return _membership(left, right)
    if symbol == "+" and _is_list(left) and _is_list(right):
        return both(left, right)
    return _arithmetic(symbol, _base(left), _base(right))


def conversion_hint(left: CelType, right: CelType) -> str:
    """What to write where a duration or a time meets a plain number or text."""
    pair = {left, right}
    if DURATION in pair and pair & {NUMBER, STRING}:
        return '; a duration is written duration("72h")'
    if TIMESTAMP in pair and pair & {NUMBER, STRING}:
        return '; a time is written timestamp("2026-03-02T09:00:00Z")'
    return ""


def both(first: CelType, second: CelType) -> CelType | None:
    """The type of `condition ? first : second`, None where the two cannot stand for one another."""
    if DYN in (first, second):
        return DYN
    if first != second and LIST in (first, second) and _is_list(first) and _is_list(second):
        return LIST
    return first if first == second else None


def _membership(element: CelType, container: CelType) -> CelType | None:
    if container in ELEMENTS:
        return BOOLEAN if element in (ELEMENTS[container], DYN) else None
    if container == MAP:
        return BOOLEAN if element in (STRING, DYN) else None
    return BOOLEAN if container in (LIST, DYN) else None


def _arithmetic(symbol: str, left: CelType, right: CelType) -> CelType | None:
    possible = {
        result
        for (operator, first, second), result in _SUMS.items()
        if operator == symbol and left in (first, DYN) and right in (second, DYN)
    }
    if len(possible) > 1:
        return DYN
    return possible.pop() if possible else None


def _is_list(of: CelType) -> bool:
    return of == LIST or of in ELEMENTS


def _base(of: CelType) -> CelType:
    return LIST if of in ELEMENTS else of
