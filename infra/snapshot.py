"""The committed template: what the stage `dev` synthesizes to, without what changes from build to build.

    python -m infra.snapshot    writes infra/template.json anew

The local cloud runs it, and reviewers read in it what a change does to the infrastructure.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from infra.app import NO_BUNDLING, build
from infra.stage import Stage, cdk_context, declared_stages

TEMPLATE = Path(__file__).resolve().parent / "template.json"
STAGE = "dev"


def declared_stage(name: str = STAGE) -> Stage:
    return next(stage for stage in declared_stages(cdk_context()) if stage.name == name)


def synthesize(stage: Stage) -> dict[str, Any]:
    """The stage's template as CDK makes it, without bundling any code."""
    with tempfile.TemporaryDirectory() as outdir:
        assembly = build(outdir, context=NO_BUNDLING, stages=[stage]).synth()
        path = Path(assembly.get_stack_by_name(stage.full_name).template_full_path)
        template: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return template


def normalise(template: dict[str, Any]) -> str:
    """Sorted, indented JSON in which a function's code is `<function>.zip` and nothing has CDK's metadata."""
    resources = {}
    for name, resource in template["Resources"].items():
        kept = {key: value for key, value in resource.items() if key != "Metadata"}
        if kept["Type"] == "AWS::Lambda::Function":
            properties = kept["Properties"]
            function = properties["Handler"].partition(".")[0]
            kept["Properties"] = {**properties, "Code": {**properties["Code"], "S3Key": f"{function}.zip"}}
        resources[name] = kept
    return (
        json.dumps({**template, "Resources": resources}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    )


if __name__ == "__main__":
    TEMPLATE.write_text(normalise(synthesize(declared_stage())), "utf-8")
