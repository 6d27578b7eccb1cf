"""What is allowed in a rule, but probably not meant: the warnings of `check`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from foreword.authoring.rules import AuthoredRule
from foreword.authoring.suggest import did_you_mean
from foreword.domain.errors import InvalidRulebook
from foreword.domain.facts import CUSTOMER_UPDATED, OWN_TYPES
from foreword.domain.rulebook import CountSignal, EventFilter, Expression, Signal

Schemas = Mapping[str, Any]

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}


def cautions(authored: AuthoredRule, schemas: Schemas) -> list[InvalidRulebook]:
    """In no particular order; `schemas` is event type -> JSON Schema of its data."""
    return [
        InvalidRulebook(words, file=authored.file, line=place.line, column=place.column)
        for name, words in _all(authored, schemas)
        for place in [authored.places[name]]
    ]


def _all(authored: AuthoredRule, schemas: Schemas) -> Iterator[tuple[str, str]]:
    """The key of `AuthoredRule.places`, and the words."""
    rule = authored.rule
    if _made_true(rule.when.tree, rule.signals) is False:
        yield "when", "only passing time can make this true, and passing time alone makes no rule fire"
    types: set[str] = set()
    for name, signal in rule.signals.items():
        for events in _filters(signal):
            types.update(events.types or ())
            yield from ((f"signals.{name}", words) for words in _unlikely_types(events, schemas))
            if events.where is not None:
                yield from (
                    (f"signals.{name}", words)
                    for words in _unlikely_fields(events.where, tuple(events.types or ()), schemas)
                )
    for name, expression in (("when", rule.when), ("eligible", rule.eligible)):
        yield from ((name, words) for words in _unlikely_fields(expression, tuple(sorted(types)), schemas))


def _filters(signal: Signal) -> list[EventFilter]:
    return [value for _, value in signal if isinstance(value, EventFilter)]


def _unlikely_types(events: EventFilter, schemas: Schemas) -> Iterator[str]:
    known = {*schemas, *OWN_TYPES}
    for kind in events.types or ():
        hint = "" if kind in known else did_you_mean(kind, known)
        if hint:
            yield f"no schema describes the event '{kind}'{hint}"


def _unlikely_fields(expression: Expression, types: tuple[str, ...], schemas: Schemas) -> Iterator[str]:
    """Fields that a negation meets and a schema does not require, and fields that look misspelt."""
    asked = {node[2] for node in _nodes(expression.tree) if node[0] == "has"}
    for symbol, field in _negated(expression.tree):
        loose = [kind for kind in types if kind in schemas and field not in schemas[kind].get("required", ())]
        if loose and field not in asked:
            yield (
                f"'{symbol}' meets event.data.{field}, which the schema of {loose[0]} does not require; where "
                f"it is missing this is false, unless has(event.data.{field}) is asked first"
            )
    if types and all(kind in schemas for kind in types):
        known = {name for kind in types for name in schemas[kind].get("properties", {})}
        yield from _misspelt("event.data.", _fields(expression.tree, _DATA), known)
    profile = schemas.get(CUSTOMER_UPDATED, {}).get("properties", {})
    yield from _misspelt("profile.", _fields(expression.tree, ["name", "profile"]), set(profile))


def _misspelt(prefix: str, fields: set[str], known: set[str]) -> Iterator[str]:
    for field in sorted(fields - known):
        hint = did_you_mean(field, known)
        if hint:
            yield f"no schema describes {prefix}{field}{hint}"


_DATA = ["field", ["name", "event"], "data"]


def _nodes(tree: Any) -> Iterator[list[Any]]:
    yield tree
    for operand in tree[1:]:
        if isinstance(operand, list):
            yield from _nodes(operand)


def _fields(tree: Any, container: list[Any]) -> set[str]:
    """The fields of `container` that are read or asked for."""
    return {node[2] for node in _nodes(tree) if node[0] in ("field", "has") and node[1] == container}


def _negated(tree: Any) -> set[tuple[str, str]]:
    """(`!=` or `!`, field of event.data) for every such field under such a node."""
    return {
        (node[0], field) for node in _nodes(tree) if node[0] in ("!=", "!") for field in _fields(node, _DATA)
    }


def _made_true(tree: Any, signals: Mapping[str, Signal]) -> bool | None:
    """Whether an event can make it true; None where no signal has a say in it."""
    match tree:
        case ["&&", *operands]:
            parts = [_made_true(operand, signals) for operand in operands]
            return True if True in parts else (False if False in parts else None)
        case ["||", *operands]:
            parts = [_made_true(operand, signals) for operand in operands]
            return False if False in parts else (True if True in parts else None)
        case ["!", [symbol, left, right]] if symbol in ("<", "<=", ">", ">="):
            opposite = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}[symbol]
            return _made_true([opposite, left, right], signals)
        case [symbol, ["number", number], ["name", name]] if symbol in _MIRRORED:
            return _made_true([_MIRRORED[symbol], ["name", name], ["number", number]], signals)
        case [symbol, ["name", name], ["number", number]] if isinstance(signals.get(name), CountSignal):
            return not _falls(signals[name], symbol, number)
        case _:
            return True if any(node[0] == "name" and node[1] in signals for node in _nodes(tree)) else None


def _falls(signal: Signal, symbol: str, number: str) -> bool:
    """A count with no `reset` only grows with events, and shrinks as they grow old."""
    resettable = isinstance(signal, CountSignal) and signal.reset is not None
    return not resettable and (symbol in ("<", "<=") or (symbol == "==" and number == "0"))
