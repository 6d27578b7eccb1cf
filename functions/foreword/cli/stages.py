"""The stages that the project's cdk.json declares: the deployed systems a command can be pointed at."""

from __future__ import annotations

import json

from foreword.local import project


def declared_stages() -> list[str]:
    """Their names, sorted."""
    context = json.loads(project.find().cdk.read_text(encoding="utf-8"))["context"]
    return sorted(context["foreword:stages"])
