"""`foreword new` and `foreword vocabulary`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from foreword.authoring.editor_schema import policy_schema, rule_schema
from foreword.cli.main import main
from tests.unit.authoring.rulebooks import RULE, write_messages, write_rulebook


@pytest.fixture
def rulebook(tmp_path: Path) -> Path:
    write_messages(tmp_path / "rulebook" / "messages")
    return write_rulebook(tmp_path / "rulebook", lists="codes: [a]\n")


def foreword(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """The command's exit code."""
    monkeypatch.setattr(sys, "argv", ["foreword", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", "200")
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_a_new_rule_is_written_and_checks(
    rulebook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert foreword(monkeypatch, "new", "lost", "--like", "stuck", "--rulebook", rulebook) == 0
    out = capsys.readouterr().out
    assert f"wrote {rulebook / 'rules' / 'lost.yaml'}\n" in out
    assert f"wrote {rulebook / 'messages' / 'lost' / 'sms.txt'}\n" in out
    assert foreword(monkeypatch, "check", "lost", "--rulebook", rulebook) == 0
    capsys.readouterr()
    assert foreword(monkeypatch, "new", "third", "--like", "stuck", "--rulebook", rulebook, "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == {"wrote": str(rulebook / "rules" / "third.yaml")}
    assert len(lines) == 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Lost", "--like", "stuck"), "foreword: 'Lost' is not kebab-case"),
        (("lost", "--like", "stuk"), "did you mean 'stuck'?"),
        (("lost",), "Missing option '--like'"),
        (("stuck", "--like", "stuck"), "stuck.yaml is there already"),
    ],
)
def test_what_cannot_be_written_is_one_line_and_exit_2(
    rulebook: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    assert foreword(monkeypatch, "new", *arguments, "--rulebook", rulebook) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err.count("\n")) == ("", 1)
    assert said in captured.err


def test_a_pattern_that_is_no_yaml_is_named_with_its_place(
    rulebook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (rulebook / "rules" / "stuck.yaml").write_text(RULE.replace("rule: stuck", "rule: *stuck"))
    assert foreword(monkeypatch, "new", "lost", "--like", "stuck", "--rulebook", rulebook) == 2
    assert "stuck.yaml:1:7: '*stuck' is a YAML alias" in capsys.readouterr().err


def test_the_vocabulary_for_people_and_for_programs(
    rulebook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert foreword(monkeypatch, "vocabulary", "--rulebook", rulebook) == 0
    out = capsys.readouterr().out
    for part in ("SupportContactOpened", "channel", "segment", "contacts", "codes", "care", "One of: phone"):
        assert part in out
    assert foreword(monkeypatch, "vocabulary", "--rulebook", rulebook, "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["word"] for line in lines} == {"event", "profile", "signal", "list", "topic", "message"}
    assert {"word": "list", "name": "codes", "elements": 1} in lines
    (event,) = [line for line in lines if line.get("type") == "SupportContactOpened"]
    assert event["fields"][0]["name"] == "channel"


def test_the_projects_own_vocabulary(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert foreword(monkeypatch, "vocabulary") == 0
    assert "chronic_conditions" in capsys.readouterr().out


def test_schemas_are_written_for_editors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rule.json"
    assert foreword(monkeypatch, "vocabulary", "--schema", path) == 0
    assert json.loads(path.read_text()) == rule_schema()
    assert capsys.readouterr().out == f"wrote {path}\n"
    assert foreword(monkeypatch, "vocabulary", "--schema", path, "--of", "policy") == 0
    assert json.loads(path.read_text()) == policy_schema()
    assert foreword(monkeypatch, "vocabulary", "--schema", tmp_path / "no" / "rule.json") == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_rulebook_that_is_wrong_is_exit_1_and_one_that_is_not_there_exit_2(
    rulebook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (rulebook / "rules" / "stuck.yaml").write_text(RULE.replace("mode: live", "mode: alive"))
    assert foreword(monkeypatch, "vocabulary", "--rulebook", rulebook) == 1
    assert "stuck.yaml:4:7: unknown mode 'alive'" in capsys.readouterr().err
    assert foreword(monkeypatch, "vocabulary", "--rulebook", rulebook / "none") == 2
    assert "cannot be read" in capsys.readouterr().err


def test_check_says_how_long_each_text_message_is(
    rulebook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sms = rulebook / "messages" / "stuck" / "sms.txt"
    assert foreword(monkeypatch, "check", "--rulebook", rulebook) == 0
    assert f"{sms}: 17 septets of GSM-7, 1 segment\n" in capsys.readouterr().out
    assert foreword(monkeypatch, "check", "--rulebook", rulebook, "--json") == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one for one in told if one["kind"] == "sms"] == [
        {"kind": "sms", "file": str(sms), "encoding": "GSM-7", "units": 17, "segments": 1}
    ]
