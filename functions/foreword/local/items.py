"""DynamoDB's typed attributes as plain Python: a number without a fraction is an int, any other a Decimal."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def plain(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {name: _value(typed) for name, typed in item.items()}


def _value(typed: Mapping[str, Any]) -> Any:
    kind, value = next(iter(typed.items()))
    if kind == "N":
        return int(value) if value.lstrip("-").isdigit() else Decimal(value)
    if kind == "L":
        return [_value(one) for one in value]
    if kind == "M":
        return plain(value)
    if kind == "NULL":
        return None
    if kind in ("SS", "NS"):
        return set(value) if kind == "SS" else {Decimal(one) for one in value}
    return value
