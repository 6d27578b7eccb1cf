from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from foreword.cli.failures import CannotRun, FoundWrong
from foreword.cli.files import read_events
from foreword.cli.main import main
from foreword.domain.instants import parse_instant
from foreword.local import project

GOOD = {
    "source": "support",
    "detail-type": "SupportContactOpened",
    "detail": {
        "id": "t-1",
        "customer_id": "c-1",
        "occurred_at": "2026-03-02T09:00:00Z",
        "data": {"channel": "phone"},
    },
}
BAD = {**GOOD, "detail": {"customer_id": "c-1"}}


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def foreword(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """The command's exit code."""
    monkeypatch.setattr(sys, "argv", ["foreword", *map(str, arguments)])
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_json_and_json_lines_hold_the_same_events(tmp_path: Path) -> None:
    whole = read_events(written(tmp_path, "a.json", json.dumps([GOOD, BAD])))
    lines = read_events(written(tmp_path, "a.jsonl", f"{json.dumps(GOOD)}\n\n{json.dumps(BAD)}\n"))
    single = read_events(written(tmp_path, "one.json", json.dumps(GOOD)))
    assert [event.detail for event in whole] == [event.detail for event in lines]
    assert [event.where.rpartition("/")[2] for event in lines] == ["a.jsonl:1", "a.jsonl:3"]
    assert len(single) == 1


def test_numbers_keep_their_source_text(tmp_path: Path) -> None:
    text = json.dumps(GOOD).replace('"phone"', '"phone", "amount": 1.10')
    (event,) = read_events(written(tmp_path, "a.json", text))
    assert '"amount":1.10' in event.detail


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "a.json: not JSON"),
        ("7", "event 1: an event is a JSON object"),
        ('{"source": "s"}', "detail-type must be text"),
        ('{"source": "s", "detail-type": "T"}', "detail is missing"),
        ('{"source": "s", "detail-type": "T", "detial": {}}', "unknown key 'detial'"),
        ('{"source": "s", "detail-type": "T", "detail": {}, "at": "noon"}', "at: 'noon' is not a time"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(CannotRun, match=said):
        read_events(written(tmp_path, "a.json", text))


def test_checking_says_what_is_wrong_with_each_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, "a.json", json.dumps([GOOD, BAD]))
    assert foreword(monkeypatch, "emit", path, "--check") == 1
    output = capsys.readouterr().out
    assert "event 2: SupportContactOpened: MISSING_FIELD: detail.id is missing" in output
    assert "1 of 2 events right" in output


def test_an_event_of_another_shape_is_checked_as_its_mapping_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ticket = {"number": "call-1", "via": "voice", "created_at": "2026-03-11T14:12:00+01:00"}
    detail = {"ticket": ticket, "requester": {"customer_number": "c-1"}}
    called = {"source": "telephony", "detail-type": "ticket.created", "detail": detail}
    nobody = {**called, "detail": {"ticket": ticket, "requester": {}}}
    path = written(tmp_path, "a.json", json.dumps([called, nobody]))
    assert foreword(monkeypatch, "emit", path, "--check") == 1
    output = capsys.readouterr().out
    assert "event 2: ticket.created: MAPPING_FAILED: customer_id: " in output
    assert "1 of 2 events right" in output


def test_an_event_of_a_file_has_what_the_bus_adds(tmp_path: Path) -> None:
    (event,) = read_events(written(tmp_path, "a.json", json.dumps(GOOD)))
    body = json.loads(event.body(parse_instant("2026-03-02T09:00:00.75Z")))
    assert body["time"] == "2026-03-02T09:00:00Z"
    assert body["id"] != json.loads(event.body(0))["id"]
    assert body["detail"] == GOOD["detail"]


def test_a_broken_mapping_is_told_in_one_line_and_nothing_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, broken = project.find(), tmp_path / "mappings"
    broken.mkdir()
    written(broken, "x.yaml", "id: 'event.id'\n")
    monkeypatch.setattr(project, "find", lambda: replace(ours, mappings=broken))
    path = written(tmp_path, "a.json", json.dumps([GOOD]))
    assert foreword(monkeypatch, "emit", path, "--check") == 2
    error = capsys.readouterr().err
    assert "x.yaml:1:1: a mapping needs 'customer_id'" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["emit", "missing.json", "--check"], "missing.json: cannot be read: No such file or directory"),
        (["emit", "missing.json"], "--stage NAME (declared: dev)"),
        (
            ["emit", "missing.json", "--stage", "moon"],
            "no stage 'moon' is declared in cdk.json; declared: dev",
        ),
        (["emit"], "Missing argument 'FILE'"),
        (["emit", "a.json", "--chekc"], "No such option '--chekc'"),
        (["chekc"], "No such command 'chekc'"),
        (["check", "no-such-rule"], "no rule 'no-such-rule'"),
        (["check", "--rulebook", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_run_says_so_in_one_line_and_exits_with_2(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert foreword(monkeypatch, *arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_events_are_put_on_the_bus_of_the_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, "a.json", json.dumps([GOOD] * 23))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        events = boto3.client("events", region_name="eu-central-1")
        events.create_event_bus(Name="foreword-dev")
        arguments = ("emit", path, "--stage", "dev", "--region", "eu-central-1")
        assert foreword(monkeypatch, *arguments) == 0
    assert "23 of 23 events on the bus of dev" in capsys.readouterr().out


def test_nothing_is_put_where_an_event_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_client(*_: Any, **__: Any) -> None:
        raise AssertionError("no client is to be made")

    monkeypatch.setattr(boto3, "Session", no_client)
    path = written(tmp_path, "a.json", json.dumps([GOOD, BAD]))
    assert foreword(monkeypatch, "emit", path, "--stage", "dev") == 1
    assert "MISSING_FIELD" in capsys.readouterr().out


def test_many_large_events_go_in_requests_that_the_bus_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    large = json.loads(json.dumps(GOOD))
    large["detail"]["data"]["note"] = "x" * 60_000
    sizes: list[int] = []

    class Client:
        def put_events(self, Entries: list[dict[str, str]]) -> Any:  # noqa: N803 - boto3's name
            sizes.append(sum(len(entry["Detail"]) for entry in Entries))
            return {"Entries": [{} for _ in Entries]}

    class Session:
        def __init__(self, **_: Any) -> None:
            self.client = lambda _service: Client()

    monkeypatch.setattr(boto3, "Session", Session)
    path = written(tmp_path, "a.json", json.dumps([large] * 10))
    assert foreword(monkeypatch, "emit", path, "--stage", "dev") == 0
    assert max(sizes) < 256 * 1024
    assert "10 of 10" in capsys.readouterr().out


def test_an_event_that_cannot_be_printed_is_told_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, "a.json", json.dumps({**GOOD, "detail-type": "\ud800 :100:"}))
    assert foreword(monkeypatch, "emit", path, "--check") == 1
    output = capsys.readouterr().out
    assert "\\ud800 :100:" in output
    assert "NOT_JSON" in output


def test_a_line_separator_inside_a_text_ends_no_line(tmp_path: Path) -> None:
    text = json.dumps({**GOOD, "source": "sup\u2028port"}, ensure_ascii=False)
    assert [event.source for event in read_events(written(tmp_path, "a.jsonl", text))] == ["sup\u2028port"]


def test_found_wrong_and_cannot_run_are_told_apart() -> None:
    assert not issubclass(FoundWrong, CannotRun)


def test_help_waits_for_nothing_heavy() -> None:
    code = "import sys, foreword.cli.main; sys.exit(any(name in sys.modules for name in ('boto3', 'moto', 'rich')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - our own words
