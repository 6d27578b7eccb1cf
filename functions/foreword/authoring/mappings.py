"""events/mappings/<detail-type>.yaml: how events of another shape become ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from foreword.authoring.cel import Scope
from foreword.authoring.cel_types import BOOLEAN, LIST, MAP, NULL, NUMBER, STRING, STRINGS, TIMESTAMP, CelType
from foreword.authoring.expressions import expression
from foreword.authoring.fields import Fields, RulebookErrors, Source, text
from foreword.authoring.yaml_reader import Mapping as YamlMapping
from foreword.authoring.yaml_reader import Node, Place
from foreword.domain.conditions import root_names
from foreword.domain.errors import InvalidRulebook
from foreword.domain.facts import OWN_TYPES, PREFERENCE_CHANGED
from foreword.domain.mappings import EventMapping
from foreword.domain.rulebook import Expression

_SCOPE = Scope(bus_event=True)
KNOWN = ("type", "id", "customer_id", "occurred_at", "data")
_NAMES: tuple[CelType, ...] = (STRING, NUMBER)
_TIMES: tuple[CelType, ...] = (STRING, TIMESTAMP)
_VALUES: tuple[CelType, ...] = (STRING, NUMBER, BOOLEAN, NULL, TIMESTAMP, LIST, STRINGS, MAP)
_TYPE = re.compile(r"[^\s*]{1,128}")
"""What a rule can name."""


def read_mappings(directory: Path) -> dict[str, EventMapping]:
    """By detail-type; none where there is no such directory. Raises RulebookErrors with those of all files."""
    errors: list[InvalidRulebook] = []
    mappings: dict[str, EventMapping] = {}
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        if path.name.startswith("."):
            continue
        if path.suffix != ".yaml":
            message = "not a mapping: it stands in a file DETAIL-TYPE.yaml"
            errors.append(InvalidRulebook(message, file=str(path)))
            continue
        try:
            mappings[path.stem] = _read(path)
        except InvalidRulebook as error:
            errors.append(error)
        except RulebookErrors as several:
            errors += several.errors
    if errors:
        raise RulebookErrors(errors)
    return mappings


def check_mappings(directory: Path, schemas: Mapping[str, Any]) -> list[InvalidRulebook]:
    """All that is wrong with them; also a field that the event's schema requires and the mapping never gives."""
    try:
        mappings = read_mappings(directory)
    except RulebookErrors as several:
        return list(several.errors)
    return [
        InvalidRulebook(
            f"the schema of {mapping.type} requires '{field}', and 'data' does not give it",
            file=str(directory / f"{detail_type}.yaml"),
        )
        for detail_type, mapping in mappings.items()
        if not isinstance(mapping.data, Expression)
        for field in schemas.get(mapping.type, {}).get("required", ())
        if field not in mapping.data
    ]


def _read(path: Path) -> EventMapping:
    source = Source(path)
    fields = Fields(source, source.root(), "a mapping", KNOWN)
    found: dict[str, Expression] = {}
    with source.collecting():
        kind = _type(source, fields, path.stem)
    for name, wanted in (("id", _NAMES), ("customer_id", _NAMES), ("occurred_at", _TIMES)):
        with source.collecting():
            found[name] = _told_by_the_event(source, fields.require(name), wanted)
    with source.collecting():
        node = fields.values.get("data")
        data = {} if node is None else _data(source, node)
    source.finish()
    return EventMapping(type=kind, data=data, **found)


def _type(source: Source, fields: Fields, detail_type: str) -> str:
    kind = fields.optional("type", text, detail_type)
    place: Node | Place = fields.values.get("type", fields.node)
    if not _TYPE.fullmatch(kind):
        raise source.refused(
            place, f"no rule can name an event '{kind}'; give it a 'type' without spaces or '*'"
        )
    if kind in OWN_TYPES - {PREFERENCE_CHANGED}:
        raise source.refused(place, f"'{kind}' is what Foreword itself says; nothing else becomes one")
    return kind


def _told_by_the_event(source: Source, node: Node, wanted: tuple[CelType, ...]) -> Expression:
    found = expression(source, node, _SCOPE, wanted)
    if not root_names(found):
        raise source.refused(
            node, "this is the same for every event; it must ask the event, as in event.detail.x"
        )
    return found


def _data(source: Source, node: Node) -> dict[str, Expression] | Expression:
    """By field, or one expression that gives all of it."""
    if not isinstance(node, YamlMapping):
        return expression(source, node, _SCOPE, (MAP,))
    found: dict[str, Expression] = {}
    for key, value in node.entries:
        with source.collecting():
            found[key.value] = expression(source, value, _SCOPE, _VALUES)
    return found
