"""JSON Schemas (draft 7) of the documents of a rulebook, for editors: made of the tables that the readers use.

An editor finds with them what is misspelt, missing or of the wrong type. What a condition says, and whether
things go together, only `foreword check` knows.
"""

from __future__ import annotations

from typing import Any

from foreword.authoring import policy, rules, sends, written_tests
from foreword.authoring.signals.kinds import KINDS, Kind
from foreword.authoring.signals.reader import TAKEN
from foreword.authoring.signals.values import EVENT_KEYS
from foreword.authoring.value_schemas import EVENT_TYPE, SIGNAL_NAMES, definition, list_of, mapping

_DRAFT = {"$schema": "http://json-schema.org/draft-07/schema#"}
_ONE_OF_TWO = {"absence": ("within", "until")}
"""Keys of a kind of which exactly one must be there."""


def rule_schema() -> dict[str, Any]:
    """Of rules/NAME.yaml."""
    return _document("A rule of Foreword", mapping(rules.KEYS))


def signals_schema() -> dict[str, Any]:
    """Of signals.yaml."""
    return _document("Shared signals of Foreword", _signals())


def policy_schema() -> dict[str, Any]:
    """Of policy.yaml."""
    return _document("The policy of Foreword", mapping(policy.KEYS))


def lists_schema() -> dict[str, Any]:
    """Of lists.yaml."""
    texts = list_of({"type": "string", "pattern": r"\S"})
    names = {"pattern": f"^{policy.LIST_NAME}$"}
    return _document(
        "Lists of Foreword", {"type": "object", "propertyNames": names, "additionalProperties": texts}
    )


def _document(title: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {**_DRAFT, "title": title, **schema, "definitions": _definitions()}


def _definitions() -> dict[str, Any]:
    return {
        "event": {
            "description": 'A type, a list of types, "*" (any), or {type:, where:}.',
            "oneOf": [EVENT_TYPE, {"const": "*"}, list_of(EVENT_TYPE), mapping(EVENT_KEYS)],
        },
        "signal": {"oneOf": [_signal(name, kind) for name, kind in KINDS.items()]},
        "signals": _signals(),
        "send": mapping(sends.KEYS, dependencies={"unless": ["after"]}),
        "sends": {"oneOf": [definition("send"), list_of(definition("send"))]},
        "given": mapping(written_tests.GIVEN_KEYS),
        "expected": mapping(
            written_tests.EXPECTED_KEYS,
            oneOf=[{"required": ["message", "channel"]}, {"required": ["skipped"], "maxProperties": 1}],
        ),
        "tests": list_of(mapping(written_tests.KEYS)),
    }


def _signals() -> dict[str, Any]:
    return {
        "type": "object",
        "propertyNames": {**SIGNAL_NAMES, "not": {"enum": sorted(TAKEN)}},
        "additionalProperties": definition("signal"),
    }


def _signal(name: str, kind: Kind) -> dict[str, Any]:
    schema = mapping({key: spec.key for key, spec in kind.keys.items()}, title=name)
    if name in _ONE_OF_TWO:
        schema["oneOf"] = [{"required": [key]} for key in _ONE_OF_TWO[name]]
    return schema
