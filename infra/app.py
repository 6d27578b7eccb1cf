"""The CDK app: one stack for each declared stage.

    python -m infra.app         synthesizes into cdk.out, as `cdk synth` does by way of cdk.json

Needs Node for jsii; calls neither AWS nor git.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import App

from infra.stack import ForewordStack
from infra.stage import Stage, cdk_context, declared_stages

NO_BUNDLING: Mapping[str, Any] = {"aws:cdk:bundling-stacks": []}
"""Context for those who need the template alone, and no code in its assets."""


def build(
    outdir: str, *, context: Mapping[str, Any] | None = None, stages: Sequence[Stage] | None = None
) -> App:
    """`context` is added to that of cdk.json; `stages` are otherwise those declared there."""
    # Without analytics the template is the same with the CLI and without.
    app = App(outdir=outdir, context={**cdk_context(), **(context or {})}, analytics_reporting=False)
    declared = app.node.try_get_context("foreword:stages")
    for stage in stages if stages is not None else declared_stages({"foreword:stages": declared}):
        ForewordStack(app, stage)
    return app


if __name__ == "__main__":
    build(os.environ.get("CDK_OUTDIR", "cdk.out")).synth()
