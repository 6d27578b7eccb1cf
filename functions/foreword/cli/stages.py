"""The stages that the project's cdk.json declares: the deployed systems a command can be pointed at."""

from __future__ import annotations

import json

from foreword.cli.failures import CannotRun
from foreword.local import project


def declared_stages() -> list[str]:
    """Their names, sorted."""
    context = json.loads(project.find().cdk.read_text(encoding="utf-8"))["context"]
    return sorted(context["foreword:stages"])


def require_stage(stage: str | None, *others: str) -> str:
    """The stage, declared or one of `others`; raises CannotRun naming those there are."""
    known = [*declared_stages(), *others]
    if stage is None:
        raise CannotRun(f"say of which stage: --stage NAME; there are: {', '.join(known)}")
    if stage not in known:
        raise CannotRun(f"no stage '{stage}' is declared in cdk.json; there are: {', '.join(known)}")
    return stage
