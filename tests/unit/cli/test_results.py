"""`foreword results` as people and programs meet it, on a deployed stage."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest

from foreword.local.cloud import LocalCloud
from tests.unit.authoring.rulebooks import RULE, write_rulebook
from tests.unit.cli.test_explain import Session, deployed, foreword

Capture = pytest.CaptureFixture[str]
EXPERIMENT = "experiment: {holdout: 50%, goal: {event: OrderPlaced, within: 14d}}"
STAGE = ("--stage", "dev", "--region", "eu-central-1")


def rulebook(directory: Path, experiment: str = EXPERIMENT, **files: str) -> Path:
    return write_rulebook(directory, stuck=f"{experiment}\n{RULE}", **files)


def decided(cloud: LocalCloud, customer: str, reason: str, rule: str = "stuck") -> None:
    """A message of the rule, as the history keeps it."""
    item: Any = {
        "customer_id": customer,
        "message_id": f"{rule}-{customer}",
        "rule": rule,
        "decided_at": "2026-03-01T09:00:00.000000Z",
        "reason": reason,
    }
    boto3.client("dynamodb", region_name="eu-central-1").put_item(
        TableName=cloud.table_names["messages"], Item={name: {"S": value} for name, value in item.items()}
    )


@pytest.fixture
def history(foreword_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> LocalCloud:
    """Four customers who got the message, two of whom ordered, and four who were held out, one of whom did."""
    for customer in ("t-0", "t-1", "h-0"):
        order = {"order_id": f"o-{customer}", "amount": 20}
        foreword_cloud.emit("OrderPlaced", customer, order, source="shop")
    for number in range(4):
        decided(foreword_cloud, f"t-{number}", "SENT")
        decided(foreword_cloud, f"h-{number}", "HELD_OUT")
        decided(foreword_cloud, f"o-{number}", "SENT", rule="other")
    deployed(foreword_cloud, monkeypatch)
    return foreword_cloud


@pytest.mark.foreword(at="2026-03-02T09:00:00Z")
def test_people_read_a_table(
    history: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    arguments = ("results", "stuck", "--rulebook", rulebook(tmp_path), *STAGE)
    assert foreword(monkeypatch, *arguments) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert max(map(len, captured.out.splitlines())) <= 80
    words = " ".join(captured.out.split())
    assert "stuck: OrderPlaced within 14d of the first decision" in words
    assert "holdout 4 1 25.00%" in words
    assert "treated 4 2 50.00% +25.00 (" in words
    assert "+100.0%" in words
    assert "Compared with holdout; differences in percentage points." in words
    assert "8 customers have not had the whole time of the goal yet." in words
    assert "WARNING" not in words


@pytest.mark.foreword(at="2026-03-02T09:00:00Z")
def test_programs_read_an_object(
    history: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    assert foreword(monkeypatch, "results", "stuck", "--rulebook", rulebook(tmp_path), *STAGE, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["rule"], told["within"], told["waiting"], told["crossed"]) == ("stuck", "14d", 8, 0)
    assert told["mismatch"] == {"p_value": 1.0, "found": False}
    holdout, treated = told["arms"]
    assert holdout == {
        "arm": "holdout",
        "share": 0.5,
        "exposed": 4,
        "converted": 1,
        "rate": 0.25,
        "lift": None,
        "compared": None,
    }
    assert treated["compared"].keys() == {"difference", "low", "high", "p_value"}
    assert (treated["lift"], treated["compared"]["difference"]) == (1.0, 0.25)


@pytest.mark.foreword(at="2026-03-02T09:00:00Z")
def test_a_sample_ratio_mismatch_is_something_wrong(
    history: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    small = EXPERIMENT.replace("50%", "1%")
    assert foreword(monkeypatch, "results", "stuck", "--rulebook", rulebook(tmp_path, small), *STAGE) == 1
    words = " ".join(capsys.readouterr().out.split())
    assert "WARNING: the arms are not as large as their shares (holdout 1.00%, treated 99.00%) say" in words


@pytest.mark.foreword(at="2026-03-02T09:00:00Z")
def test_before_anybody_was_exposed_there_is_nothing_to_compare(
    history: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    fresh = f"{EXPERIMENT}\n{RULE.replace('rule: stuck', 'rule: fresh')}"
    arguments = ("results", "fresh", "--rulebook", rulebook(tmp_path, fresh=fresh), *STAGE)
    assert foreword(monkeypatch, *arguments) == 0
    assert "Nobody has been exposed yet." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("experiment", "arguments", "said"),
    [
        (EXPERIMENT, ["stuck"], "say where the rule runs: --stage NAME (declared: dev)"),
        (EXPERIMENT, ["stuck", "--stage", "moon"], "no stage 'moon' is declared in cdk.json; there are: dev"),
        (EXPERIMENT, ["stuk", *STAGE], "did you mean 'stuck'?"),
        ("", ["stuck", *STAGE], "the rule 'stuck' has no experiment"),
        ("experiment: {holdout: 5%}", ["stuck", *STAGE], "the experiment of 'stuck' has no goal"),
        ("experiment: {}", ["stuck", *STAGE], "the rulebook has errors, which `foreword check` tells"),
    ],
)
def test_what_cannot_be_told_is_said_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
    experiment: str,
    arguments: list[str],
    said: str,
) -> None:
    directory = rulebook(tmp_path, experiment)
    assert foreword(monkeypatch, "results", *arguments, "--rulebook", directory) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert captured.err.count("\n") == 1


def test_without_the_statistics_it_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.delitem(sys.modules, "foreword.experiments.results", raising=False)
    monkeypatch.setitem(sys.modules, "foreword.experiments.statistics", None)
    assert foreword(monkeypatch, "results", "stuck", "--rulebook", rulebook(tmp_path), *STAGE) == 2
    assert "the statistics are an extra: pip install 'foreword[results]'" in capsys.readouterr().err


def test_a_stage_that_is_not_deployed_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(boto3, "Session", Session)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    assert foreword(monkeypatch, "results", "stuck", "--rulebook", rulebook(tmp_path), *STAGE) == 2
    assert "stage dev: An error occurred (ValidationError)" in capsys.readouterr().err
