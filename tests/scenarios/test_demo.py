"""What `foreword demo` promises to show, seen in what it prints."""

from __future__ import annotations

import json
import re
from contextlib import redirect_stdout
from email import message_from_bytes, policy
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from foreword.cli.demo import run

Told = dict[str, Any]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def printed(out: Path) -> str:
    with redirect_stdout(StringIO()) as stdout:
        run(out=out, as_json=True)
    return stdout.getvalue()


@pytest.fixture(scope="module")
def told(printed: str) -> list[Told]:
    return [json.loads(line) for line in printed.splitlines()]


def test_the_demo_shows_every_end_a_message_and_an_event_can_have(
    told: list[Told], printed: str, out: Path
) -> None:
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


def test_every_accepted_event_and_message_is_accounted_for(told: list[Told]) -> None:
    decided = {one["message_id"] for one in told if one["kind"] == "decision" and one["outcome"] == "fired"}
    ended = [one["message_id"] for one in told if one["kind"] == "message" and one["status"] != "DEFERRED"]
    went_on = [one["message_id"] for one in told if one["kind"] == "fallback"]
    assert sorted(ended) == sorted([*decided, *went_on]), "each decided message ends once, but for a bounce"
    assert sum(told[-1]["messages"].values()) == len(
        {one["message_id"] for one in told if "message_id" in one}
    )


def of(told: list[Told], customer: str, message: str) -> list[Told]:
    """What became of the message, step by step."""
    kinds = ("message", "fallback")
    found = [one for one in told if one["kind"] in kinds and one["customer_id"] == f"c-{customer}"]
    return [one for one in found if one["message"] == message]


def test_the_contact_policy_is_seen_at_work(told: list[Told]) -> None:
    unknown, known, sent = of(told, "petra", "care-tips")
    assert unknown["reason"] == known["reason"] == "ON_HOLD"
    assert unknown["due_at"] > known["due_at"] == "2026-03-16T09:00:00Z", "five days after it was resolved"
    assert (sent["at"], sent["status"]) == ("2026-03-16T09:00:00Z", "SENT")

    held, sent = of(told, "quinn", "care-tips")
    assert (held["reason"], held["due_at"]) == ("UNWILLING", "2026-03-12T11:00:00Z")
    assert (sent["at"], sent["status"]) == ("2026-03-12T11:00:00Z", "SENT")

    _, lost = of(told, "rosa", "care-tips")
    assert (lost["reason"], lost["winner"]) == ("LOST_ARBITRATION", "thank-you")
    assert of(told, "rosa", "thank-you")[-1]["status"] == "SENT"
    assert [one["reason"] for one in of(told, "sami", "unfinished-order")] == ["CAPPED"]


def test_quiet_hours_end_an_hour_earlier_by_utc_when_the_clocks_have_gone_forward(told: list[Told]) -> None:
    deferred, sent = of(told, "tessa", "thank-you")
    assert (deferred["reason"], deferred["zone"]) == ("DEFERRED_QUIET_HOURS", "America/New_York")
    assert deferred["at"].startswith("2026-03-08T03:10"), "an hour after ten in the evening, by EST"
    assert "2026-03-08T13:00:00Z" <= deferred["due_at"] < "2026-03-08T13:15:00Z", (
        "nine in the morning, by EDT"
    )
    assert deferred["local"].endswith("EDT")
    assert sent["status"] == "SENT"


def test_a_click_on_unsubscribe_is_in_force_before_the_message_that_waits(told: list[Told]) -> None:
    waits, ended = of(told, "tessa", "care-tips")
    (choice,) = [one for one in told if one["kind"] == "choice"]
    assert (choice["customer_id"], choice["via"]) == ("c-tessa", "one-click")
    assert waits["at"] < choice["at"] < waits["due_at"] < ended["at"]
    assert ended["reason"] == "NO_CONSENT"


def test_what_bounces_is_tried_by_text_message(told: list[Told]) -> None:
    by_mail, fallback, by_sms = of(told, "ulrich", "repeated-support-contacts")
    assert (by_mail["channel"], fallback["tried"], by_sms["channel"]) == ("email", "email", "sms")
    assert any(one["kind"] == "feedback" and one["type"] == "MessageBounced" for one in told)


def test_people_read_the_same_story_as_programs(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(out=out, as_json=False)
    text = capsys.readouterr().out
    for words in (
        "repeated-support-contacts: contacts 2 → 3",
        "repeated-support-contacts fires (contacts = 3)",
        "SENT by email",
        "SENT by sms",
        "held back until 2026-03-07T08:07:23.680414Z (09:07 CET in Europe/Berlin): DEFERRED_QUIET_HOURS",
        "held back until 2026-03-16T09:00:00Z: ON_HOLD",
        "held back until 2026-03-12T11:00:00Z: UNWILLING",
        "care-tips is not sent: LOST_ARBITRATION against thank-you",
        "unfinished-order is not sent: CAPPED",
        "(09:06 EDT in America/New_York): DEFERRED_QUIET_HOURS",
        "in force at once, by one-click: out of advice on any",
        "repeated-support-contacts certainly did not arrive by email: the next channel is tried",
        "Held back for a while before that: 6 DEFERRED_QUIET_HOURS, 1 ON_HOLD, 1 UNWILLING.",
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
        r"92 events: 89 accepted, 1 known already, 2 quarantined, 0 in a dead-letter queue", text
    )
