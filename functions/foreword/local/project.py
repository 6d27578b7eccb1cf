"""Where the documents of a Foreword project are: in a checkout the repository's own folders, in an installed
wheel the copies the package carries under `foreword/_project/`.

The packages `evaluate_triggers` and `deliver_message` lie beside `foreword` in both cases, and their documents
(rules, policy, lists; message templates) in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Project:
    """Paths of one project; `rulebook` is the folder that holds `rules/`, `policy.yaml` and `lists.yaml`;
    `cdk` declares the stages."""

    template: Path
    rulebook: Path
    messages: Path
    schemas: Path
    mappings: Path
    samples: Path
    cdk: Path


def find(package: Path = _PACKAGE) -> Project:
    """The project that `package` (the folder of the `foreword` package) belongs to."""
    source = package.parent
    checkout = source.parent
    is_checkout = source.name == "functions" and (checkout / "pyproject.toml").is_file()
    root = checkout if is_checkout else package / "_project"
    return Project(
        template=root / "infra" / "template.json",
        rulebook=source / "evaluate_triggers",
        messages=source / "deliver_message" / "messages",
        schemas=root / "events" / "schemas",
        mappings=root / "events" / "mappings",
        samples=root / "events" / "samples",
        cdk=root / "cdk.json",
    )
