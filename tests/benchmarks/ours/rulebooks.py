"""The workload's rules as an author would hand them in, and published as the functions read them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from foreword.authoring.rulebook import load_rulebook
from foreword.domain.rulebook import Rulebook
from tests.benchmarks.workload import Rule


def write_sources(folder: Path, rules: Iterable[Rule], *, every_evaluation: bool = False) -> Path:
    """A rulebook's folder, with a policy that asks for nothing."""
    (folder / "rules").mkdir(parents=True)
    (folder / "policy.yaml").write_text("retention: 400d\n", encoding="utf-8")
    (folder / "lists.yaml").write_text("{}\n", encoding="utf-8")
    for rule in rules:
        text = rule.yaml(every_evaluation=every_evaluation)
        (folder / "rules" / f"{rule.name}.yaml").write_text(text, encoding="utf-8")
    return folder


def write_published(folder: Path, rules: Iterable[Rule], *, every_evaluation: bool = False) -> Path:
    """The published document's file, in `folder`."""
    sources = write_sources(folder, rules, every_evaluation=every_evaluation)
    path = folder / "rulebook.json"
    path.write_text(load_rulebook(sources).published().model_dump_json(), encoding="utf-8")
    return path


def read_published(path: Path) -> Rulebook:
    return Rulebook.model_validate_json(path.read_bytes())
