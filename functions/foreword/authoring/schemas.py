"""The JSON Schemas of events' `data`: events/schemas/<EventType>.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fastjsonschema

from foreword.domain.errors import InvalidRulebook


def read_schemas(directory: Path) -> dict[str, Any]:
    """Event type -> schema, each known to compile; raises InvalidRulebook for the first that does not."""
    return {path.stem: _read(path) for path in sorted(directory.glob("*.json"))}


def _read(path: Path) -> Any:
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise InvalidRulebook(
            f"not JSON: {error.msg}", file=str(path), line=error.lineno, column=error.colno
        ) from None
    try:
        fastjsonschema.compile(schema)
    except (fastjsonschema.JsonSchemaDefinitionException, AttributeError, TypeError) as error:
        # The library meets a schema that is no object with AttributeError or TypeError.
        raise InvalidRulebook(f"not a JSON Schema: {error}", file=str(path)) from None
    return schema
