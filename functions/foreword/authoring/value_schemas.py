"""JSON Schemas (draft 7) of the values that stand in rule documents, for the tables of keys that readers use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from foreword.authoring.event_types import NOTES, TYPE
from foreword.authoring.fields import CLOCK, KEBAB, Key

Schema: TypeAlias = Mapping[str, Any]


def mapping(keys: Mapping[str, Key], **more: Any) -> dict[str, Any]:
    """Of a mapping with these keys and no others."""
    return {
        "type": "object",
        "properties": {name: dict(key.schema) for name, key in keys.items()},
        "required": [name for name, key in keys.items() if key.required],
        "additionalProperties": False,
        **more,
    }


def definition(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def one_of(values: Iterable[str]) -> Schema:
    return {"type": "string", "enum": [str(value) for value in values]}


def whole(lowest: int, highest: int) -> Schema:
    return {"type": "integer", "minimum": lowest, "maximum": highest}


def list_of(item: Schema, at_least: int = 1) -> Schema:
    return {"type": "array", "items": dict(item), "minItems": at_least}


TEXT: Schema = {"type": "string", "pattern": r"\S"}
NAME: Schema = {"type": "string", "pattern": f"^{KEBAB}$"}
FLAG: Schema = {"type": "boolean"}
OBJECT: Schema = {"type": "object"}
DURATION: Schema = {"type": "string", "pattern": "^[0-9]{1,9}[smhdw]$", "examples": ["7d", "24h", "30m"]}
TIME_OF_DAY: Schema = {"type": "string", "pattern": f"^{CLOCK}$", "examples": ["09:00"]}
TIME: Schema = {"type": "string", "examples": ["2026-03-02T09:00:00Z"]}
CONDITION: Schema = {"type": "string", "description": "A CEL condition, in quotes.", "pattern": r"\S"}
EXPRESSION: Schema = {"type": "string", "description": "A CEL expression.", "pattern": r"\S"}
NUMERIC: Schema = {"type": ["string", "number"], "description": "A CEL expression that gives a number."}
EVENT_TYPE: Schema = {"type": "string", "pattern": f"^{TYPE}$", "not": {"enum": sorted(NOTES)}}
EVENT: Schema = definition("event")
SIGNAL_NAMES: Schema = {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}
