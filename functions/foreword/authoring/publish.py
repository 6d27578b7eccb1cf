"""The rulebook, the schemas, the mappings and the templates as the four documents that the functions read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from foreword.authoring.fields import RulebookErrors
from foreword.authoring.mappings import read_mappings
from foreword.authoring.rulebook import load_rulebook
from foreword.authoring.schemas import read_schemas
from foreword.authoring.templates import check_layouts, check_templates, read_templates
from foreword.domain.rulebook import Mode, Rulebook


def publish(
    rulebook: Path, messages: Path, schemas: Path, out: Path, *, mappings: Path | None = None
) -> Rulebook:
    """Writes `out`/{rulebook.json, schemas.json, mappings.json, templates.json}, making `out` where it is missing.

    The same sources give the same bytes. Nothing is written where anything is wrong: RulebookErrors. Without
    `mappings` all events have the shape of ours.
    """
    loaded = load_rulebook(rulebook)
    templates, event_schemas = read_templates(messages), read_schemas(schemas)
    event_mappings = {} if mappings is None else read_mappings(mappings)
    hosts = loaded.policy.link_hosts
    errors = check_layouts(templates, messages, hosts)
    errors += [
        error
        for authored in loaded.rules
        if authored.rule.mode is not Mode.DRAFT
        for error in check_templates(authored, templates, messages, hosts)
    ]
    if errors:
        raise RulebookErrors(errors)
    published = loaded.published()
    out.mkdir(parents=True, exist_ok=True)
    (out / "rulebook.json").write_text(published.model_dump_json(), encoding="utf-8")
    _write(out / "schemas.json", event_schemas)
    _write(out / "mappings.json", {kind: one.model_dump(mode="json") for kind, one in event_mappings.items()})
    _write(out / "templates.json", templates)
    return published


def _write(path: Path, document: Any) -> None:
    path.write_text(
        json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")), encoding="utf-8"
    )
