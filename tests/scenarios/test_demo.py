"""What `foreword demo` promises to show, seen in what it prints."""

from __future__ import annotations

import json
import re
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from foreword.cli.demo import run

Told = dict[str, Any]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


def story(out: Path, capsys: pytest.CaptureFixture[str]) -> tuple[list[Told], str]:
    run(out=out, as_json=True)
    printed = capsys.readouterr().out
    return [json.loads(line) for line in printed.splitlines()], printed


def test_the_demo_shows_every_end_a_message_and_an_event_can_have(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told, printed = story(out, capsys)
    messages = [one for one in told if one["kind"] == "message"]
    sent = [one["channel"] for one in messages if one["status"] == "SENT"]
    assert sent.count("email") >= 1
    assert sent.count("sms") >= 1
    assert sum('"SENT"' in line for line in printed.splitlines()) >= 4
    assert {"NO_CONSENT", "NO_ADDRESS"} <= {one["reason"] for one in messages if one["status"] == "NOT_SENT"}

    deferred = next(one for one in messages if one["status"] == "DEFERRED")
    released = next(
        one for one in messages if one["message_id"] == deferred["message_id"] and one["status"] == "SENT"
    )
    assert released["at"] >= deferred["due_at"]

    outcomes = {one["outcome"] for one in told if one["kind"] == "event"}
    assert outcomes == {"ACCEPTED", "DUPLICATE", "QUARANTINED"}
    refused = [one for one in told if one.get("outcome") == "QUARANTINED"]
    assert all(one["reason"] and one["detail"] for one in refused)

    summary = told[-1]
    assert summary["kind"] == "summary"
    assert sum(summary["events"].values()) == sum(one["kind"] == "event" for one in told)
    assert summary["dead_letters"] == 0

    files = sorted(out.glob("*.eml"))
    assert len(files) == sent.count("email")
    for file in files:
        mail = message_from_bytes(file.read_bytes(), policy=policy.default)
        assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
        assert mail["X-Foreword-Message-Id"]


def test_every_accepted_event_and_message_is_accounted_for(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told, _ = story(out, capsys)
    decided = {one["message_id"] for one in told if one["kind"] == "decision" and one["outcome"] == "fired"}
    ended = [one["message_id"] for one in told if one["kind"] == "message" and one["status"] != "DEFERRED"]
    assert sorted(ended) == sorted(decided), "each decided message ends once"


def test_people_read_the_same_story_as_programs(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(out=out, as_json=False)
    text = capsys.readouterr().out
    for words in (
        "repeated-support-contacts: contacts 2 → 3",
        "repeated-support-contacts fires (contacts = 3)",
        "SENT by email",
        "SENT by sms",
        "held back until 2026-03-07T08:00:00Z: DEFERRED_QUIET_HOURS",
        "TaskRequested for the topic advice: call-about-returns",
        "telephony → ticket.created as SupportContactOpened  channel=phone",
        "portfolio-drop fires (change = -0.1158, against_peers = -0.0728)",
        "known already, nothing changes",
        "quarantined: INVALID_TIME",
        "waited in vain until 2026-03-19T10:00:00Z",
        "What became of it",
        "Why did a customer get a message, or not? foreword explain c-david --stage demo --out",
    ):
        assert words in text
    assert re.search(
        r"64 events: 61 accepted, 1 known already, 2 quarantined, 0 in a dead-letter queue", text
    )
