"""A rule's test with `policy: true`: what it may say, and what comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from foreword.authoring.fields import RulebookErrors
from foreword.authoring.rule_tests import run_rule_tests
from foreword.authoring.rulebook import load_rulebook

POLICY = """
default_timezone: UTC
quiet_hours: {from: "20:00", to: "09:00"}
frequency_caps: [{purpose: any, channel: any, at_most: 1, within: 7d}]
willingness: {scores: {Complained: -5}, hold_marketing_below: 0}
open_cases: [{opened: CaseOpened, closed: CaseClosed, by: event.data.case, hold: [service]}]
holdout: 50%
"""
SEND = "{message: m, purpose: service, topic: care, channels: [email, sms]}"
NOON, LATER, NIGHT = "2026-03-02T12:00:00Z", "2026-03-02T14:00:00Z", "2026-03-02T22:00:00Z"


def event(at: str, kind: str = "A", data: str = "{}") -> str:
    return f"{{at: {at}, event: {kind}, data: {data}}}"


def told(
    folder: Path, given: list[str], expect: str, *, more: str = "", send: str = SEND, rule: str = ""
) -> str:
    (folder / "rules").mkdir()
    (folder / "policy.yaml").write_text(POLICY)
    test = f"  - {{name: t, policy: true, given: [{', '.join(given)}], expect: {expect}{more}}}\n"
    (folder / "rules" / "r.yaml").write_text(
        "rule: r\nwhy: W\nowner: O\nsignals: {a: {each: A}}\nwhen: 'a'\nre_eligible_after: none\n"
        f"{rule}send: {send}\ntests:\n{test}"
    )
    loaded = load_rulebook(folder)
    (result,) = run_rule_tests(loaded.rules[0], loaded.policy, loaded.lists)
    return "\n".join(result.difference)


SENT = "{message: m, channel: email}"
UNTIL = ", until: 2026-03-05T00:00:00Z"


@pytest.mark.parametrize(
    ("given", "expect"),
    [
        ([event(NOON)], f"[{SENT}]"),
        ([event(NIGHT)], "[{message: m, channel: email, at: 2026-03-03T09:00:00Z}]"),
        ([event(NOON), event(LATER)], f"[{SENT}, {{skipped: CAPPED}}]"),
        ([event(NOON), event(LATER)], f"[{SENT}]"),
        ([event(NOON, "CaseOpened", "{case: 1}"), event(LATER)], "[{skipped: ON_HOLD}]"),
        (
            [event(NOON, "PreferenceChanged", "{topic: any, channel: email, choice: out}"), event(LATER)],
            "[{message: m, channel: sms}]",
        ),
        (
            [event(NOON, "PreferenceChanged", "{paused_until: '2026-04-01T00:00:00Z'}"), event(LATER)],
            "[{skipped: PAUSED_BY_CUSTOMER}]",
        ),
    ],
)
def test_the_gates_apply_as_time_goes_by(tmp_path: Path, given: list[str], expect: str) -> None:
    assert told(tmp_path, given, expect, more=UNTIL) == ""


def test_what_waits_at_the_end_of_the_clock_is_told_by_its_reason(tmp_path: Path) -> None:
    assert told(tmp_path, [event(NIGHT)], "[{skipped: DEFERRED_QUIET_HOURS}]") == ""


def test_marketing_needs_no_record_in_a_test_and_waits_in_a_trough(tmp_path: Path) -> None:
    send = SEND.replace("service", "marketing")
    given = [event(NOON, "Complained"), event(LATER)]
    assert told(tmp_path, given, "[{skipped: UNWILLING}]", more=UNTIL, send=send) == ""


def test_a_null_address_is_none(tmp_path: Path) -> None:
    more = ", customer: {email: null, phone: null}"
    assert told(tmp_path, [event(NOON)], "[{skipped: NO_ADDRESS}]", more=more) == ""


def test_an_exception_calls_off_what_waits(tmp_path: Path) -> None:
    given = [event(NIGHT), event("2026-03-03T01:00:00Z", "B")]
    expect = "[{skipped: CANCELLED_BY_EXCEPTION}]"
    assert told(tmp_path, given, expect, more=UNTIL, rule="exceptions: [B]\n") == ""


def test_another_time_than_the_expected_one_is_a_difference(tmp_path: Path) -> None:
    expect = "[{message: m, channel: email, at: 2026-03-02T12:00:01Z}]"
    assert told(tmp_path, [event(NOON)], expect) == (
        "expected  m by email at 2026-03-02T12:00:01Z\n"
        "happened  m by email at 2026-03-02T12:00:00Z with a = true"
    )


def test_a_reason_of_the_gates_needs_them(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "r.yaml").write_text(
        "rule: r\nwhy: W\nowner: O\nsignals: {a: {each: A}}\nwhen: 'a'\n"
        f"send: {SEND}\ntests:\n  - {{name: t, given: [{event(NOON)}], expect: [{{skipped: CAPPED}}]}}\n"
    )
    with pytest.raises(
        RulebookErrors, match="CAPPED comes of the policy's gates, which apply with 'policy: true'"
    ):
        load_rulebook(tmp_path)
