"""`foreword explain` as people and programs meet it: on what the demo left, and on a deployed stage."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from foreword.cli import demo
from foreword.cli.demo_records import FILE, DemoRecords
from foreword.cli.failures import CannotRun
from foreword.cli.main import main
from foreword.local.cloud import LocalCloud
from tests.unit.authoring.rulebooks import RULE, write_rulebook

CONTACTS = "repeated-support-contacts"
Capture = pytest.CaptureFixture[str]


def rule_of(explanation: Mapping[str, Any], name: str = CONTACTS) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(rule for rule in explanation["rules"] if rule["rule"] == name)
    return found


def foreword(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """The command's exit code."""
    monkeypatch.setattr(sys, "argv", ["foreword", *map(str, arguments)])
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a demo left its records."""
    out = tmp_path_factory.mktemp("demo")
    demo.run(out=out, as_json=True)
    return out


@pytest.fixture
def say(left: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Any:
    """What is said of a customer of the demo, as one line without the marks and the breaks."""
    monkeypatch.setenv("COLUMNS", "80")

    def said(*arguments: object) -> str:
        assert foreword(monkeypatch, "explain", *arguments, "--stage", "demo", "--out", left) == 0
        captured = capsys.readouterr()
        assert captured.err == ""
        assert max(map(len, captured.out.splitlines())) <= 80
        return " ".join(captured.out.split())

    return said


@pytest.fixture
def told(left: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Any:
    """The same for programs."""

    def explained(*arguments: object) -> Mapping[str, Any]:
        whole = ("explain", *arguments, "--stage", "demo", "--out", left, "--json")
        assert foreword(monkeypatch, *whole) == 0
        (line,) = capsys.readouterr().out.splitlines()
        found: Mapping[str, Any] = json.loads(line)
        return found

    return explained


def test_a_customer_who_got_a_message(say: Any, told: Any) -> None:
    words = say("c-anna")
    assert "✓ message repeated-support-contacts: SENT by email at 2026-03-05T14:00:00" in words
    gates = '✓ contacts >= 3 (3 >= 3) ✓ eligible: true ✓ !has(profile.segment) || profile.segment != "staff"'
    assert gates in words
    assert "✓ re-eligibility: no earlier firing held it ✓ mode: live ✓ outcome: fired" in words
    assert words.index("What happened") < words.index("Signals now") < words.index("Gates now")
    explanation = told("c-anna", "--rule", CONTACTS)
    (rule,) = explanation["rules"]
    (rise,) = rule["cases"][0]["rises"]
    assert (rise["outcome"], rise["signals"], rise["recorded"]) == ("fired", {"contacts": 3}, True)
    assert [message["status"] for message in rise["messages"]] == ["SENT"]
    assert not any(message["another_rulebook"] for message in rise["messages"])


def test_a_customer_who_was_two_contacts_short(say: Any, told: Any) -> None:
    """As of the Wednesday: the third contact came on the Friday."""
    asked = ("c-bernd", "--at", "2026-03-04T09:00:00Z")
    words = say(*asked)
    assert "c-bernd at 2026-03-04T09:00:00Z" in words
    assert "✗ contacts >= 3 (1 >= 3)" in words
    assert (
        '· 2 more SupportContactOpened where `event.data.channel != "survey"` before 2026-03-10T08:10:00Z'
        in words
    )
    assert "What happened the condition has not become true" in words
    assert "Next firing, if nothing else happens not without a further event" in words
    explanation = told(*asked)
    assert {rule["rule"] for rule in explanation["rules"]} >= {CONTACTS, "frequent-returns", "portfolio-drop"}
    step = rule_of(explanation)["cases"][0]["needed"][0]["change"]
    assert (step["more"], step["events"], step["until"]) == (
        2,
        ["SupportContactOpened"],
        "2026-03-10T08:10:00Z",
    )
    assert (explanation["events"], explanation["left_out"]) == (2, 2)


def test_a_customer_who_lacks_consent(say: Any) -> None:
    words = say("c-david", "--rule", "frequent-returns")
    assert "✗ message frequent-returns: NO_CONSENT at 2026-03-17T12:15:00" in words
    assert "✗ email: NO_CONSENT for advice: no choice is recorded, and marketing needs an opt-in" in words
    assert "· email: a PreferenceChanged to `in` for the topic advice and the channel email or any" in words


def test_the_other_ends_of_the_demo(say: Any) -> None:
    refused = say("c-ines")
    assert '✗ profile.segment != "staff" ("staff" != "staff") ✗ outcome: NOT_ELIGIBLE' in refused
    assert "✓ if of call-about-returns: true ✓ profile.lifetime_value > 1000 (1840.5 > 1000)" in say(
        "c-chloe"
    )
    assert "There is no profile: a message ends as NO_ADDRESS." in say("c-jonas")
    assert "opted out at 2026-03-" in say("c-kira")
    assert "2026-03-18T09:30:00Z, by the deadline after DiagnosisRecorded" in say(
        "c-grace", "--at", "2026-03-10T09:00:00Z"
    )
    held = say("c-bernd", "--at", "2026-03-06T21:00:00Z")
    assert "DEFERRED_QUIET_HOURS until 2026-03-07T08:00:00Z" in held
    assert "SENT by email at 2026-03-07T08:08:" in held
    assert "which was later than is asked about" in held


def test_the_contact_policy_is_told_with_the_values_compared(say: Any) -> None:
    capped = say("c-sami", "--rule", "unfinished-order")
    assert (
        "the cap of 2 in 7d for marketing and every channel: 2 taken, room again at 2026-03-16T12:00:00"
        in capped
    )
    assert "thank-you (claimed at 2026-03-09T12:00:00" in capped
    lost = say("c-rosa", "--rule", "care-tips")
    assert "against thank-you: its score is 70, and this one's 30" in lost
    bounced = say("c-ulrich", "--rule", "repeated-support-contacts")
    assert "SENT by sms" in bounced
    assert "it bounced, or certainly did not arrive, by email" in bounced
    assert "✗ email: SUPPRESSED" in bounced


def test_what_holds_a_message_is_told_even_if_another_rule_is_asked_about(say: Any) -> None:
    held = say("c-petra", "--rule", "care-tips", "--at", "2026-03-10T12:00:00Z")
    assert "were it to fire now: ON_HOLD until 2026-03-17T12:00:00Z" in held
    case = "an open case of ComplaintOpened: complaint-31; it ends ComplaintResolved of it and 5d after it;"
    assert f"{case} at the latest at 2026-05-13T10:30:00Z" in held
    assert "the cap of 2 in 7d for marketing and every channel: 0 taken" in held, (
        "what is held takes no place"
    )
    unwilling = say("c-quinn", "--rule", "thank-you", "--at", "2026-03-07T10:00:00Z")
    assert "UNWILLING until 2026-03-10T10:00:00Z" in unwilling
    assert "the willingness index of the last 7d is -3, and marketing needs 0" in unwilling
    assert "by itself at 2026-03-12T11:00:00Z" in unwilling


def test_of_a_rule_that_has_nothing_to_do_with_the_customer_only_what_it_takes(say: Any) -> None:
    words = say("c-anna")
    rest = words[words.index("Nothing that these rules ask about is known of the customer") :]
    assert "4 OrderPlaced within 90d, so that the share has a value" in rest
    assert "Gates now" not in rest
    assert "Gates now" in say("c-anna", "--rule", "portfolio-drop")


def test_another_rulebook_may_be_asked(
    say: Any, left: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    rulebook = write_rulebook(
        tmp_path, stuck=RULE.replace("mode: live", "mode: draft").replace(">= 3", ">= 2")
    )
    words = say("c-bernd", "--rulebook", rulebook)
    assert "stuck (draft)" in words
    assert "outcome: it would have been fired" in words
    assert "a draft decides nothing" in words
    assert "Messages of rules that the rulebook does not have" in words
    assert "decided by an earlier rulebook" in words
    (rulebook / "rules" / "stuck.yaml").write_text(RULE.replace("mode: live", "mode: alive"))
    arguments = ("explain", "c-bernd", "--stage", "demo", "--out", left, "--rulebook", rulebook)
    assert foreword(monkeypatch, *arguments) == 2
    assert "stuck.yaml:4:7: unknown mode 'alive'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["c-anna"], 2, "--stage NAME (declared: dev), or --stage demo"),
        (["c-anna", "--stage", "moon"], 2, "no stage 'moon' is declared in cdk.json; there are: dev, demo"),
        (["c-anna", "--stage", "demo", "--rule", "portfolio-drap"], 2, "did you mean 'portfolio-drop'?"),
        (["c-anna", "--stage", "demo", "--at", "tuesday"], 2, "--at: 'tuesday' is not a time like"),
        (
            ["c-anna", "--stage", "demo", "--at", "2027-01-01T00:00:00Z"],
            2,
            "--at: 2027-01-01T00:00:00Z is later",
        ),
        (["c-ana", "--stage", "demo"], 1, "nothing is known of customer 'c-ana' in stage demo; did you mean"),
        (["c-anna", "--stage", "demo", "--out", "nowhere"], 2, "no demo has left its records there"),
        (["c-anna", "--stage", "demo", "--rulebook", "nowhere"], 2, "nowhere"),
        ([], 2, "Missing argument 'CUSTOMER'"),
    ],
)
def test_what_cannot_be_told_is_one_line(
    arguments: list[str],
    code: int,
    said: str,
    left: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    where = [] if "--out" in arguments else ["--out", left]
    assert foreword(monkeypatch, "explain", *arguments, *where) == code
    captured = capsys.readouterr()
    assert (captured.out, captured.err.count("\n")) == ("", 1)
    assert said in captured.err


@pytest.mark.parametrize(
    "text", ["", "{}\n", "[", '{"ended_at": "2026-03-02T09:00:00Z"}\n{"table": "activity"}\n']
)
def test_records_that_are_none_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(CannotRun, match=r"records\.jsonl: not the records of a demo"):
        DemoRecords(tmp_path)


def test_records_of_another_release_are_named(left: Path, tmp_path: Path) -> None:
    text = (left / FILE).read_text("utf-8").replace('"SENT"', '"LAUNCHED"')
    (tmp_path / FILE).write_text(text)
    with pytest.raises(CannotRun, match="run it again"):
        DemoRecords(tmp_path).customer("c-anna")


# ---- a deployed stage


class Session(boto3.Session):
    """Its CloudFormation, which the local cloud has not, tells of the local cloud's tables."""

    outputs: Mapping[str, str] = {}

    def client(self, service_name: str, *arguments: Any, **options: Any) -> Any:
        if service_name != "cloudformation":
            return super().client(service_name, *arguments, **options)  # type: ignore[call-overload]
        return self

    def describe_stacks(self, StackName: str) -> Any:  # noqa: N803 - boto3's name
        if StackName != "foreword-dev":
            raise AssertionError(StackName)
        if not self.outputs:
            said: Any = {"Code": "ValidationError", "Message": "Stack with id foreword-dev does not exist"}
            raise ClientError({"Error": said}, "DescribeStacks")
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in self.outputs.items()]
        return {"Stacks": [{"Outputs": outputs}]}


def deployed(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    named = {f"{short.title()}Table": name for short, name in cloud.table_names.items()}
    monkeypatch.setattr(Session, "outputs", named)
    monkeypatch.setattr(boto3, "Session", Session)


@pytest.mark.foreword(at="2026-03-02T09:00:00Z")
def test_a_deployed_stage_is_asked_for_its_tables(
    foreword_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    foreword_cloud.emit("CustomerUpdated", "c-1", {"email": "ada@example.com"}, source="crm")
    for _ in range(3):
        foreword_cloud.emit("SupportContactOpened", "c-1", {"channel": "phone"}, source="support")
    foreword_cloud.emit("PreferenceChanged", "c-1", {"topic": "care", "channel": "any", "choice": "out"})
    deployed(foreword_cloud, monkeypatch)
    arguments = ("explain", "c-1", "--stage", "dev", "--region", "eu-central-1", "--json")
    assert foreword(monkeypatch, *arguments) == 0
    told = json.loads(capsys.readouterr().out)
    rule = rule_of(told)
    (rise,) = rule["cases"][0]["rises"]
    assert [message["status"] for message in rise["messages"]] == ["SENT"]
    assert [send["verdict"] for send in rule["delivery"]] == ["NO_CONSENT"]
    assert told["at"].startswith("2026-03-02T09:00:")
    assert foreword(monkeypatch, "explain", "c-2", "--stage", "dev", "--region", "eu-central-1") == 1
    assert capsys.readouterr().err == "foreword: nothing is known of customer 'c-2' in stage dev\n"


def test_a_stage_that_is_not_deployed_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(boto3, "Session", Session)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    arguments = ("explain", "c-1", "--stage", "dev", "--region", "eu-central-1")
    assert foreword(monkeypatch, *arguments) == 2
    assert "stage dev: An error occurred (ValidationError)" in capsys.readouterr().err
    monkeypatch.setattr(Session, "outputs", {"ActivityTable": "a"})
    assert foreword(monkeypatch, *arguments) == 2
    assert "stack foreword-dev has no output CustomersTable" in capsys.readouterr().err
