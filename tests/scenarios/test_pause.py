"""The emergency stop on the local cloud, by the commands an operator types."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from foreword.adapters.clock import SystemClock
from foreword.adapters.pause_switch import PauseSwitchItem
from foreword.cli import pause
from foreword.cli.deployed import Deployed
from foreword.cli.failures import CannotRun
from foreword.cli.main import foreword
from foreword.domain.pauses import Pauses
from foreword.local.cloud import LocalCloud

ADA = {"email": "ada@example.com", "timezone": "Europe/Berlin"}
RULE = "repeated-support-contacts"


@pytest.fixture
def cloud(foreword_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> LocalCloud:
    """The stage `dev` of the commands is this cloud."""

    @contextmanager
    def tables(stage: str, *, profile: str | None, region: str | None) -> Iterator[Deployed]:
        assert (stage, profile, region) == ("dev", None, None)
        yield Deployed(boto3.client("dynamodb"), foreword_cloud.table_names)

    monkeypatch.setattr(pause, "stage_tables", tables)
    return foreword_cloud


def types(*words: str) -> None:
    foreword.main([*words, "--stage", "dev"], standalone_mode=False)


def three_contacts(cloud: LocalCloud) -> None:
    cloud.emit("CustomerUpdated", "ada", ADA, source="crm")
    for _ in range(3):
        cloud.emit("SupportContactOpened", "ada", {"channel": "phone"}, source="support")


def message(cloud: LocalCloud) -> Mapping[str, Any]:
    (found,) = cloud.messages
    return found


@pytest.mark.parametrize(
    "words", [("--all",), ("--rule", RULE), ("--channel", "email"), ("--topic", "care")], ids=" ".join
)
def test_what_is_paused_waits_and_leaves_when_it_is_resumed(
    cloud: LocalCloud, words: tuple[str, ...]
) -> None:
    types("pause", *words)
    three_contacts(cloud)
    cloud.advance(by=timedelta(hours=2))
    assert not cloud.sent
    assert (message(cloud)["status"], message(cloud)["reason"]) == ("DEFERRED", "PAUSED")
    types("resume", *words)
    cloud.advance(by=timedelta(minutes=2))
    assert [sent.to for sent in cloud.sent] == ["ada@example.com"]


def test_paused_until_it_expires_it_ends_as_paused(cloud: LocalCloud) -> None:
    types("pause", "--all")
    three_contacts(cloud)
    cloud.advance(by=timedelta(hours=25))
    types("resume", "--all")
    cloud.advance(by=timedelta(hours=1))
    assert not cloud.sent
    assert (message(cloud)["status"], message(cloud)["reason"]) == ("NOT_SENT", "PAUSED")


def test_what_is_not_named_leaves_all_the_same(cloud: LocalCloud) -> None:
    types("pause", "--topic", "billing", "--rule", "frequent-returns", "--channel", "sms")
    three_contacts(cloud)
    assert len(cloud.sent) == 1


def test_it_is_in_force_within_ten_seconds_of_a_function_that_knew_of_no_pause(cloud: LocalCloud) -> None:
    three_contacts(cloud)
    types("pause", "--all")
    cloud.advance(by=timedelta(seconds=10))
    cloud.emit("CustomerUpdated", "bob", {**ADA, "email": "bob@example.com"}, source="crm")
    for _ in range(3):
        cloud.emit("SupportContactOpened", "bob", {"channel": "phone"}, source="support")
    assert [sent.to for sent in cloud.sent] == ["ada@example.com"]


def test_what_is_paused_is_shown_by_either_command(
    cloud: LocalCloud, capsys: pytest.CaptureFixture[str]
) -> None:
    def shown(*words: str) -> str:
        types(*words)
        return capsys.readouterr().out

    assert shown("pause") == "nothing is paused in stage dev\n"
    first = shown("pause", "--rule", RULE, "--rule", "care-tips", "--channel", "sms")
    assert first == f"paused in stage dev: rules care-tips, {RULE}; channel sms\n"
    assert shown("pause", "--rule", RULE) == first, "twice is once"
    everything = json.loads(shown("pause", "--all", "--json"))
    assert everything == {
        "stage": "dev",
        "everything": True,
        "rules": ["care-tips", RULE],
        "channels": ["sms"],
        "topics": [],
    }
    assert shown("resume") == f"paused in stage dev: everything; rules care-tips, {RULE}; channel sms\n"
    less = shown("resume", "--rule", RULE, "--rule", "care-tips")
    assert less == "paused in stage dev: everything; channel sms\n"
    assert shown("resume", "--all") == "nothing is paused in stage dev\n"
    assert shown("resume", "--all", "--rule", RULE) == "nothing is paused in stage dev\n"


def test_two_operators_at_once_lose_neither_pause(cloud: LocalCloud) -> None:
    client, table = boto3.client("dynamodb"), cloud.table_names["consents"]
    one, other = (PauseSwitchItem(client, table, SystemClock()) for _ in range(2))
    assert one.read() == other.read() == Pauses()
    one.pause(Pauses(rules=frozenset({RULE})))
    both = other.pause(Pauses(topics=frozenset({"care"}), rules=frozenset({"care-tips"})))
    assert both == one.read() == Pauses(rules=frozenset({RULE, "care-tips"}), topics=frozenset({"care"}))
    assert one.resume(Pauses(topics=frozenset({"care"}))) == Pauses(rules=frozenset({RULE, "care-tips"}))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--rule", "care-tip"), "no rule 'care-tip' in the rulebook; did you mean 'care-tips'?"),
        (("--topic", "car"), "no topic 'car' in the rulebook; did you mean 'care'?"),
        (("--channel", "e-mail"), "no channel 'e-mail' in the rulebook; did you mean 'email'?"),
    ],
)
def test_a_name_that_nobody_has_is_refused(cloud: LocalCloud, words: tuple[str, str], told: str) -> None:
    for command in ("pause", "resume"):
        with pytest.raises(CannotRun) as refused:
            types(command, *words)
        assert str(refused.value) == told
    assert not cloud.table("consents")


def test_the_pause_of_a_rule_that_is_gone_can_be_taken_back(cloud: LocalCloud, tmp_path: Path) -> None:
    types("pause", "--rule", RULE)
    (tmp_path / "rules").mkdir()
    types("resume", "--rule", RULE, "--rulebook", str(tmp_path))
    client, table = boto3.client("dynamodb"), cloud.table_names["consents"]
    assert PauseSwitchItem(client, table, SystemClock()).read() == Pauses()
