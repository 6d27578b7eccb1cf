from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.app import NO_BUNDLING
from infra.snapshot import TEMPLATE, declared_stage, normalise, synthesize
from infra.stage import CDK_JSON
from tests.infra.reading import Template

REFRESH = "the infrastructure changed: run `python -m infra.snapshot`, and read what it did to template.json"


def _committed() -> dict[str, Any]:
    template: dict[str, Any] = json.loads(TEMPLATE.read_text("utf-8"))
    return template


def test_the_committed_template_is_what_is_synthesized(fresh: Template) -> None:
    assert _committed() == fresh.document, REFRESH


def test_the_committed_template_is_written_as_the_snapshot_writes_it(fresh: Template) -> None:
    assert TEMPLATE.read_text("utf-8") == normalise(fresh.document), REFRESH


@pytest.mark.parametrize(
    "change",
    [
        {"protected": True},
        {"sender": "Someone <else@example.org>"},
        {"sms_sender_id": "OTHER"},
        {"allowed_sources": ("crm", "shop")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_the_infrastructure_changes_the_template(change: dict[str, Any]) -> None:
    changed = declared_stage().model_copy(update=change)
    assert json.loads(normalise(synthesize(changed))) != _committed()


def test_a_change_of_code_alone_leaves_the_template_as_it_is() -> None:
    template = _committed()
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Code"]["S3Key"] = "0123abcd.zip"
            resource["Metadata"] = {"aws:asset:path": "asset.0123abcd"}
    assert normalise(template) == TEMPLATE.read_text("utf-8")


def test_the_command_in_cdk_json_synthesizes_the_same(tmp_path: Path) -> None:
    """As the CDK CLI does it: through a shell, the context and the output directory in the environment."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "CDK_OUTDIR": str(tmp_path),
        "CDK_CONTEXT_JSON": json.dumps(dict(NO_BUNDLING)),
    }
    command = json.loads(CDK_JSON.read_text("utf-8"))["app"]
    subprocess.run(command, shell=True, check=True, cwd=CDK_JSON.parent, env=environment)  # noqa: S602
    synthesized = json.loads((tmp_path / "foreword-dev.template.json").read_text("utf-8"))
    assert json.loads(normalise(synthesized)) == _committed()


def test_the_template_belongs_to_no_account_and_no_region(fresh: Template) -> None:
    text = json.dumps(fresh.document)
    assert "us-east-1" not in text
    assert "eu-" not in text
    assert "amazonaws.com.cn" not in text
    assert set(fresh.document) == {"Description", "Outputs", "Resources"}


def test_the_outputs_name_what_an_operator_needs(fresh: Template) -> None:
    assert set(fresh.document["Outputs"]) == {
        "ActivityTable",
        "BusArn",
        "BusName",
        "ConsentsTable",
        "CustomersTable",
        "MessagesTable",
        "PeersTable",
        "PreferencesUrl",
        "QuarantineQueueUrl",
        "SmsRepliesTopicArn",
        "TasksTopicArn",
    }
