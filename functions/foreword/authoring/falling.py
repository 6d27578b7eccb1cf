"""Whether an event can make a condition true, or only time that passes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from foreword.domain import condition_values
from foreword.domain.rulebook import (
    AggregateSignal,
    BaselineSignal,
    CountSignal,
    DistinctSignal,
    Signal,
    SinceSignal,
    WillingnessSignal,
)

Schemas = Mapping[str, Any]

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_DOWN = frozenset({"<", "<="})
_UP = frozenset({">", ">="})


def made_true_by_events(tree: Any, signals: Mapping[str, Signal], schemas: Schemas) -> bool | None:
    """False where an event never does, and time alone may; None where no signal has a say in it.

    An alternative that only time makes true is False too: it would be waited for in vain.
    """

    def visit(tree: Any) -> bool | None:
        match tree:
            case ["&&", *operands]:
                parts = [visit(operand) for operand in operands]
                return True if True in parts else (False if False in parts else None)
            case ["||", *operands]:
                parts = [visit(operand) for operand in operands]
                return False if False in parts else (True if True in parts else None)
            case ["!", [symbol, left, right]] if symbol in _OPPOSITE:
                return visit([_OPPOSITE[symbol], left, right])
            case [symbol, [constant, *_], ["name", _]] if symbol in _MIRRORED and constant != "name":
                return visit([_MIRRORED[symbol], tree[2], tree[1]])
            case [symbol, ["name", name], constant] if name in signals and symbol in _MIRRORED:
                return not falls(signals[name], symbol, constant)
            case _:
                return True if _names(tree) & signals.keys() else None

    def falls(signal: Signal, symbol: str, constant: Any) -> bool:
        """The value comes to `symbol constant` only as time passes."""
        match signal:
            case SinceSignal():
                return symbol in _UP or (symbol == "==" and not _is_zero(constant))
            case WillingnessSignal(scores=scores):
                rises = any(score > 0 for score in scores.values())
                sinks = any(score < 0 for score in scores.values())
                return (symbol in _DOWN and not sinks) or (symbol in _UP and not rises)
            case BaselineSignal(signal=name):
                return symbol in _DOWN and name in signals and _only_grows(signals[name], schemas)
            case _ if _only_grows(signal, schemas):
                return symbol in _DOWN or (symbol == "==" and _is_zero(constant))
            case _:
                return False

    return visit(tree)


def _only_grows(signal: Signal, schemas: Schemas) -> bool:
    """Every event lets the value grow or stay: it sinks as events grow old.

    A sum is taken for one that grows, unless a schema allows its amounts to be negative.
    """
    match signal:
        case CountSignal():
            return signal.reset is None
        case DistinctSignal():
            return True
        case AggregateSignal(kind="sum"):
            return _never_negative(signal, schemas)
        case _:
            return False


def _never_negative(signal: AggregateSignal, schemas: Schemas) -> bool:
    match signal.value.tree:
        case ["field", ["field", ["name", "event"], "data"], str(field)]:
            described = [
                schemas[kind].get("properties", {}).get(field, {})
                for kind in signal.of.types or ()
                if kind in schemas
            ]
            return all(property.get("minimum", 0) >= 0 for property in described)
        case _:
            return False


def _is_zero(constant: Any) -> bool:
    match constant:
        case ["number", str(text)]:
            return Decimal(text) == 0
        case ["call", "duration", ["string", str(text)]]:
            return not condition_values.duration(text)
        case _:
            return False


def _names(tree: Any) -> set[str]:
    found = {tree[1]} if tree[0] == "name" else set()
    return found.union(*(_names(operand) for operand in tree[1:] if isinstance(operand, list)))
