"""What is allowed in a template, but probably not meant: warnings of `check`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from foreword.authoring.rules import AuthoredRule
from foreword.authoring.suggest import MISSPELT, did_you_mean
from foreword.authoring.template_texts import TemplateFile, profile_fields
from foreword.authoring.templates import Templates
from foreword.domain.errors import InvalidRulebook
from foreword.domain.facts import CUSTOMER_UPDATED
from foreword.domain.message_files import LAYOUTS, SEGMENTS, split_name, split_path


def template_cautions(
    authored: AuthoredRule, templates: Templates, messages: Path, schemas: Mapping[str, Any]
) -> list[InvalidRulebook]:
    """Fields of the profile that look misspelt, and folders of segments that the schema does not list."""
    profile = schemas.get(CUSTOMER_UPDATED, {}).get("properties", {})
    segments = profile.get("segment", {}).get("enum", ())
    found: list[InvalidRulebook] = []
    for message in (*(send.message for send in authored.rule.sends), LAYOUTS):
        files = templates.get(message, {})
        for path, text in files.items():
            part, _ = split_name(split_path(path)[1]) or (path, "")
            found += _misspelt(TemplateFile(str(messages / message / path), part, text), set(profile))
        found += _unknown_segments(files, segments, messages / message)
    return found


def _misspelt(template: TemplateFile, known: set[str]) -> Iterator[InvalidRulebook]:
    for name, error in profile_fields(template):
        hint = "" if name in known else did_you_mean(name, known, likeness=MISSPELT)
        if hint:
            yield InvalidRulebook(
                f"{error.message}{hint}", file=error.file, line=error.line, column=error.column
            )


def _unknown_segments(files: Mapping[str, str], segments: Any, folder: Path) -> Iterator[InvalidRulebook]:
    if not segments:
        return
    for name in sorted({path.split("/")[1] for path in files if path.startswith(f"{SEGMENTS}/")}):
        if name not in segments:
            yield InvalidRulebook(
                f"no customer is in the segment '{name}'{did_you_mean(name, map(str, segments))}",
                file=str(folder / SEGMENTS / name),
            )
