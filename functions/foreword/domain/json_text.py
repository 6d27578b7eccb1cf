"""JSON in which a number is its source text: `1.10` stays 1.10, NaN and Infinity are refused.

Whole numbers are `int`, all others `Decimal`; both are written back as they were read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

MAX_DEPTH = 32
"""Deeper nesting is refused: whatever walks a value may then recurse without a thought."""


class NotANumber(ValueError):
    """The text holds NaN, Infinity or -Infinity, which are not JSON."""


class TooDeep(ValueError):
    """The text nests deeper than MAX_DEPTH."""


def loads(text: str | bytes, *, max_depth: int = MAX_DEPTH) -> Any:
    """Raises NotANumber, TooDeep, or ValueError for any other text that is not JSON."""
    try:
        value = json.loads(text, parse_float=_decimal, parse_constant=_refuse_constant)
    except RecursionError:
        raise TooDeep(f"nested deeper than {max_depth} levels") from None
    _measure(value, max_depth)
    return value


def dumps(value: Any) -> str:
    """Compact; keys keep their order. Only JSON values, `int` and finite `Decimal` can be written."""
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise NotANumber(f"{value} is not a JSON number")
        return str(value)
    if value is None or isinstance(value, str | bool | int):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        pairs = (f"{json.dumps(str(key), ensure_ascii=False)}:{dumps(item)}" for key, item in value.items())
        return f"{{{','.join(pairs)}}}"
    if isinstance(value, Sequence):
        return f"[{','.join(map(dumps, value))}]"
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise NotANumber("a number has an exponent beyond all bounds") from None


def _refuse_constant(name: str) -> NoReturn:
    raise NotANumber(f"{name} is not a JSON number")


def _measure(value: Any, left: int) -> None:
    if isinstance(value, dict | list):
        if left == 0:
            raise TooDeep("nested too deep")
        for item in value.values() if isinstance(value, dict) else value:
            _measure(item, left - 1)
