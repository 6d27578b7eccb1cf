"""What conditions compute with: numbers as decimals, texts, booleans, null, times, durations, lists and maps.

Every operation either gives a value or raises ConditionError. A boolean is never a number; values of
different types are never equal and have no order (rules.md, Conditions).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

from foreword.domain.between import Between
from foreword.domain.errors import ConditionError, NeedsJournal
from foreword.domain.instants import parse_instant, to_datetime

ARITHMETIC = Context(prec=28, traps=[DivisionByZero, InvalidOperation, Overflow])
"""28 digits, as Python's own default, but nobody else can change it."""

_KINDS: dict[type, str] = {
    bool: "boolean",
    int: "number",
    Decimal: "number",
    str: "string",
    type(None): "null",
    list: "list",
    tuple: "list",
    dict: "map",
    datetime: "timestamp",
    timedelta: "duration",
    Between: "number",
}
_ORDERED = frozenset({"boolean", "number", "string", "timestamp", "duration"})
_KEYS = frozenset({"boolean", "number", "string"})
"""What CEL's maps may have for keys; ours, which come as JSON, have texts alone."""

_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)")
_DURATION = re.compile(rf"([+-]?)((?:{_DURATION_PART.pattern})+|0)")
_MICROSECONDS = {
    "ns": Decimal("0.001"),
    "us": Decimal(1),
    "µs": Decimal(1),
    "ms": Decimal(1_000),
    "s": Decimal(1_000_000),
    "m": Decimal(60_000_000),
    "h": Decimal(3_600_000_000),
}


def kind(value: Any) -> str:
    """The name of the value's type as conditions know it."""
    found = _KINDS.get(type(value))
    if found is not None:
        return found
    if isinstance(value, Mapping):
        return "map"
    raise ConditionError(f"a value of type {type(value).__name__} has no place in a condition")


def equal(left: Any, right: Any) -> bool:
    """Deep equality; different types are unequal."""
    of = kind(left)
    if of != kind(right):
        return False
    if of == "list":
        return len(left) == len(right) and all(map(equal, left, right))
    if of == "map":
        return len(left) == len(right) and all(
            name in right and equal(value, right[name]) for name, value in left.items()
        )
    return bool(left == right)


def comparison(operator: str, test: Callable[[Any, Any], Any]) -> Callable[[Any, Any], bool]:
    """`test` (of the operator module) on two values of one ordered type."""

    def compare(left: Any, right: Any) -> bool:
        of = kind(left)
        if of != kind(right) or of not in _ORDERED:
            raise ConditionError(f"{of} {operator} {kind(right)} has no answer")
        return bool(test(left, right))

    return compare


def is_in(value: Any, container: Any) -> bool:
    """An element of a list, or a key of a map."""
    of = kind(container)
    if of == "list":
        if type(value) is str:
            return value in container  # only a text equals a text: the long code lists of `lists.x` stay fast
        return any(equal(value, element) for element in container)
    if of == "map" and kind(value) in _KEYS:
        return type(value) is str and value in container
    if of == "map":
        raise ConditionError(f"a {kind(value)} is never a key of a map")
    raise ConditionError(f"`in` needs a list or a map, not a {of}")


def add(left: Any, right: Any) -> Any:
    match kind(left), kind(right):
        case ("number", "number"):
            return _decimal(ARITHMETIC.add, left, right)
        case ("string", "string"):
            return left + right
        case ("list", "list"):
            return (*left, *right)
        case ("timestamp", "duration") | ("duration", "timestamp") | ("duration", "duration"):
            return _time(lambda: left + right)
        case kinds:
            raise ConditionError(f"{kinds[0]} + {kinds[1]} has no answer")


def subtract(left: Any, right: Any) -> Any:
    match kind(left), kind(right):
        case ("number", "number"):
            return _decimal(ARITHMETIC.subtract, left, right)
        case ("timestamp", "duration") | ("timestamp", "timestamp") | ("duration", "duration"):
            return _time(lambda: left - right)
        case kinds:
            raise ConditionError(f"{kinds[0]} - {kinds[1]} has no answer")


def multiply(left: Any, right: Any) -> Decimal:
    _numbers(left, "*", right)
    return _decimal(ARITHMETIC.multiply, left, right)


def divide(left: Any, right: Any) -> Decimal:
    """True division."""
    _numbers(left, "/", right)
    return _decimal(ARITHMETIC.divide, left, right)


def remainder(left: Any, right: Any) -> Decimal:
    """With the sign of `left`, as in CEL."""
    _numbers(left, "%", right)
    return _decimal(ARITHMETIC.remainder, left, right)


def negate(value: Any) -> Decimal:
    if kind(value) != "number":
        raise ConditionError(f"-{kind(value)} has no answer")
    if type(value) is Between:
        raise NeedsJournal("a number that is not known exactly is reckoned with")
    return Decimal(value).copy_negate()


def at(container: Any, index: Any) -> Any:
    """`list[number]` or `map["name"]`."""
    of, by = kind(container), kind(index)
    if type(index) is Between:
        raise NeedsJournal("a number that is not known exactly is an index")
    if (of, by) == ("list", "number"):
        elements: Sequence[Any] = container
        if not 0 <= index < len(elements) or index % 1 != 0:
            raise ConditionError(f"the list has no element {index}")
        return elements[int(index)]
    if (of, by) == ("map", "string"):
        try:
            return container[index]
        except KeyError:
            raise ConditionError(f"no such field: {index}") from None
    raise ConditionError(f"{of}[{by}] has no answer")


def size(value: Any) -> int:
    """Characters of a text, elements of a list, keys of a map."""
    if kind(value) not in ("string", "list", "map"):
        raise ConditionError(f"size({kind(value)}) has no answer")
    return len(value)


def contains(text: Any, part: Any) -> bool:
    _texts("contains", text, part)
    return part in text


def starts_with(text: Any, part: Any) -> bool:
    _texts("startsWith", text, part)
    return bool(text.startswith(part))


def ends_with(text: Any, part: Any) -> bool:
    _texts("endsWith", text, part)
    return bool(text.endswith(part))


def duration(value: Any) -> timedelta:
    """`duration("1h30m")`: CEL's units are h, m, s, ms, us and ns; below a microsecond is cut."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if kind(value) == "string" else None
    if match is None:
        raise ConditionError(f"{value!r} is not a duration like 72h, 90m or 1h30m")
    parts = _DURATION_PART.findall(match[2])
    micros = sum((Decimal(number) * _MICROSECONDS[unit] for number, unit in parts), Decimal(0))
    sign = -1 if match[1] == "-" else 1
    length: timedelta = _time(lambda: timedelta(microseconds=int(micros) * sign))
    return length


def timestamp(value: Any) -> datetime:
    """`timestamp("2026-03-02T09:00:00Z")`, in UTC."""
    if isinstance(value, datetime):
        return value
    if kind(value) != "string":
        raise ConditionError(f"timestamp({kind(value)}) has no answer")
    try:
        return to_datetime(parse_instant(value))
    except (ValueError, OverflowError) as error:
        raise ConditionError(str(error)) from None


def _numbers(left: Any, operator: str, right: Any) -> None:
    if kind(left) != "number" or kind(right) != "number":
        raise ConditionError(f"{kind(left)} {operator} {kind(right)} has no answer")


def _texts(function: str, text: Any, part: Any) -> None:
    if kind(text) != "string" or kind(part) != "string":
        raise ConditionError(f"{kind(text)}.{function}({kind(part)}) has no answer")


def _decimal(operation: Callable[[Any, Any], Decimal], left: Any, right: Any) -> Decimal:
    if type(left) is Between or type(right) is Between:
        raise NeedsJournal("a number that is not known exactly is reckoned with")
    try:
        return operation(left, right)
    except (DivisionByZero, InvalidOperation, Overflow) as error:
        raise ConditionError(f"{left} and {right} cannot be reckoned: {type(error).__name__}") from None


def _time(operation: Callable[[], Any]) -> Any:
    try:
        return operation()
    except OverflowError:
        raise ConditionError("the time is beyond the calendar") from None
