"""`foreword export`, `erase` and `import` as people and programs meet them, on a deployed stage and on the demo."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from pathlib import Path

import boto3
import pytest

from foreword.cli import demo
from foreword.domain.erasure import ON_ITS_WAY_FOR
from foreword.domain.instants import SECOND
from foreword.local.cloud import LocalCloud
from tests.unit.cli.test_explain import Session, deployed, foreword

Capture = pytest.CaptureFixture[str]
STAGE = ("--stage", "dev", "--region", "eu-central-1")
ADA = {"email": "ada@example.com", "segment": "retail"}


@pytest.fixture
def stage(foreword_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> LocalCloud:
    """A stage with one customer, who got one message."""
    foreword_cloud.emit("CustomerUpdated", "c-1", ADA, source="crm")
    for _ in range(3):
        foreword_cloud.emit("SupportContactOpened", "c-1", {"channel": "phone"}, source="support")
    deployed(foreword_cloud, monkeypatch)
    monkeypatch.setattr(time, "sleep", lambda seconds: foreword_cloud.advance(by=timedelta(seconds=seconds)))
    return foreword_cloud


def test_an_export_is_one_document(
    stage: LocalCloud, monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path
) -> None:
    assert foreword(monkeypatch, "export", "c-1", *STAGE) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["profile"]["email"]["value"] == "ada@example.com"
    assert foreword(monkeypatch, "export", "c-1", *STAGE, "--json") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["messages"] == told["messages"]
    file = tmp_path / "ada.json"
    assert foreword(monkeypatch, "export", "c-1", *STAGE, "--to", file) == 0
    assert json.loads(file.read_text("utf-8"))["journal"] == told["journal"]
    summary = capsys.readouterr().out
    assert "1 messages, 4 steps" in summary
    assert str(file) in summary.replace("\n", "")


def test_an_export_of_nobody_and_to_nowhere_says_so(
    stage: LocalCloud, monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path
) -> None:
    assert foreword(monkeypatch, "export", "c-2", *STAGE) == 1
    assert capsys.readouterr().err == "foreword: nothing is known of customer 'c-2' in stage dev\n"
    assert foreword(monkeypatch, "export", "c-1", *STAGE, "--to", tmp_path) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert foreword(monkeypatch, "export", "c-1") == 2
    assert "--stage NAME; there are: dev, demo" in capsys.readouterr().err


def test_a_customer_of_the_demo_is_exported_as_well(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path
) -> None:
    demo.run(out=tmp_path, as_json=True)
    capsys.readouterr()
    assert foreword(monkeypatch, "export", "c-anna", "--stage", "demo", "--out", tmp_path) == 0
    told = json.loads(capsys.readouterr().out)
    assert "DELIVERED" in [step["kind"] for message in told["messages"] for step in message["steps"]]


def test_an_erasure_asks_tells_and_waits(
    stage: LocalCloud, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    begun = stage.now
    assert foreword(monkeypatch, "erase", "c-1", *STAGE, "--yes") == 0
    out = capsys.readouterr().out
    assert out.startswith("Erased: ")
    assert "run this once more after" in out
    assert (stage.now - begun).total_seconds() >= ON_ITS_WAY_FOR // SECOND
    assert not [item for table in stage.table_names for item in stage.table(table) if "ada@" in str(item)]
    assert foreword(monkeypatch, "erase", "c-1", *STAGE, "--yes", "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert sum(again["items"].values()) == 0
    assert again["forgotten"] is False
    assert foreword(monkeypatch, "export", "c-1", *STAGE) == 1


def test_an_erasure_that_nobody_confirms_does_nothing(
    stage: LocalCloud, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "n")
    assert foreword(monkeypatch, "erase", "c-1", *STAGE) == 130
    assert len(stage.messages) == 1


def test_an_import_counts_and_names_what_is_broken(
    stage: LocalCloud, monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path
) -> None:
    customers = tmp_path / "customers.jsonl"
    customers.write_text(
        '{"customer_id": "c-7", "email": "bob@example.com"}\n{"customer_id": "c-8", "email": 7}\n'
    )
    assert foreword(monkeypatch, "import", "--customers", customers, *STAGE) == 1
    said = capsys.readouterr()
    assert said.out == "1 imported, 0 known already, 1 broken records left out\n"
    assert f"{customers}:2: BREAKS_SCHEMA" in said.err
    customers.write_text('{"customer_id": "c-7", "email": "bob@example.com"}\n')
    assert foreword(monkeypatch, "import", "--customers", customers, *STAGE, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"new": 0, "known": 1, "erased": 0, "broken": 0}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--events", "nowhere.jsonl", *STAGE), "nowhere.jsonl: cannot be read"),
        (STAGE, "nothing to import"),
        (("--events", "x.jsonl"), "say of which stage"),
        (("--events", "x.jsonl", "--stage", "prod"), "no stage 'prod'"),
    ],
)
def test_an_import_that_cannot_run_says_why(
    stage: LocalCloud, monkeypatch: pytest.MonkeyPatch, capsys: Capture, arguments: tuple[str, ...], said: str
) -> None:
    assert foreword(monkeypatch, "import", *arguments) == 2
    assert said in capsys.readouterr().err


def test_a_stage_that_is_not_deployed_says_so(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(boto3, "Session", Session)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    assert foreword(monkeypatch, "erase", "c-1", *STAGE, "--yes") == 2
    assert "stage dev: An error occurred (ValidationError)" in capsys.readouterr().err


def test_what_is_no_customer_is_not_erased(
    stage: LocalCloud, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    assert foreword(monkeypatch, "erase", " erased", *STAGE, "--yes") == 2
    assert "customer_id must be 1 to 128 visible ASCII characters" in capsys.readouterr().err
