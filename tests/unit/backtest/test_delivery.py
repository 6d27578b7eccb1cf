"""With a policy, what fires goes through the gates: at its time, with what the customer had chosen then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.backtest.support import event, rule, rulebook, run, write_lines

POLICY = """\
default_timezone: Europe/Berlin
quiet_hours: {from: "20:00", to: "09:00"}
consent: {marketing: opt-in, service: opt-out}
"""


def reach(purpose: str, expires: str = "24h") -> str:
    send = (
        f"{{message: m, purpose: {purpose}, topic: care, channels: [email, sms], expires_after: {expires}}}"
    )
    return rule("each", "contact: {each: Contact}", "contact", "re_eligible_after: none", send=send)


def outcomes(
    tmp_path: Path,
    *records: dict[str, Any],
    rule: str,
    customers: list[dict[str, Any]] | None = None,
    policy: str = POLICY,
) -> list[tuple[str | None, str | None]]:
    rules = rulebook(tmp_path / "rulebook", rule)
    (tmp_path / "policy.yaml").write_text(policy, encoding="utf-8")
    events = write_lines(tmp_path / "history.jsonl", records)
    given = None if customers is None else write_lines(tmp_path / "customers.jsonl", customers)
    found = run(rules, events, policy=tmp_path / "policy.yaml", customers=given)
    assert not found.seen.broken_records
    return [(line["reason"], line["channel"]) for line in found.lines]


NOON, NIGHT = "2026-03-02T11:00:00Z", "2026-03-02T22:00:00Z"


def choice(at: str, channel: str, chosen: str) -> dict[str, Any]:
    return event(at, kind="PreferenceChanged", data={"topic": "care", "channel": channel, "choice": chosen})


def test_a_customer_is_reachable_and_a_service_needs_no_opt_in(tmp_path: Path) -> None:
    assert outcomes(tmp_path, event(NOON), rule=reach("service")) == [("SENT", "email")]


def test_marketing_without_a_record_has_no_consent(tmp_path: Path) -> None:
    assert outcomes(tmp_path, event(NOON), rule=reach("marketing")) == [("NO_CONSENT", None)]


def test_the_first_channel_that_is_open_is_taken(tmp_path: Path) -> None:
    records = [choice("2026-03-01T00:00:00Z", "email", "out"), event(NOON)]
    assert outcomes(tmp_path, *records, rule=reach("service")) == [("SENT", "sms")]


def test_a_choice_counts_from_its_own_time_on(tmp_path: Path) -> None:
    records = [
        event("2026-03-01T11:00:00Z"),
        choice("2026-03-02T00:00:00Z", "any", "in"),
        event("2026-03-02T11:00:00Z"),
        choice("2026-03-03T00:00:00Z", "any", "out"),
        event("2026-03-03T11:00:00Z"),
    ]
    assert outcomes(tmp_path, *records, rule=reach("marketing")) == [
        ("NO_CONSENT", None),
        ("SENT", "email"),
        ("NO_CONSENT", None),
    ]


def test_quiet_hours_defer_and_the_message_is_sent_in_the_morning(tmp_path: Path) -> None:
    assert outcomes(tmp_path, event(NIGHT), rule=reach("service")) == [("SENT", "email")]


def test_a_message_that_quiet_hours_outlast_expires(tmp_path: Path) -> None:
    assert outcomes(tmp_path, event(NIGHT), rule=reach("service", "3h")) == [("EXPIRED", None)]


def test_a_critical_message_passes_quiet_hours(tmp_path: Path) -> None:
    assert outcomes(tmp_path, event(NIGHT), rule=reach("critical", "3h")) == [("SENT", "email")]


def test_an_opt_out_made_while_a_message_waits_wins(tmp_path: Path) -> None:
    records = [event(NIGHT), choice("2026-03-03T01:00:00Z", "any", "out")]
    assert outcomes(tmp_path, *records, rule=reach("service")) == [("NO_CONSENT", None)]


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_it_is_night_where_the_customer_is(tmp_path: Path, zone: str) -> None:
    """At noon UTC it is 21 o'clock in Tokyo, and 7 in New York."""
    customers = [{"customer_id": "c-1", "timezone": zone}]
    at = "2026-03-02T12:00:00Z"
    assert outcomes(tmp_path, event(at), rule=reach("service", "1h"), customers=customers) == [
        ("EXPIRED", None)
    ]


def test_a_profile_that_is_not_given_is_the_one_that_the_history_tells(tmp_path: Path) -> None:
    moves = event("2026-03-02T05:00:00Z", kind="CustomerUpdated", data={"timezone": "Asia/Tokyo"})
    at = "2026-03-02T12:00:00Z"
    assert outcomes(tmp_path, moves, event(at), rule=reach("service", "1h")) == [("EXPIRED", None)]
    later = {**moves, "occurred_at": "2026-03-02T23:00:00Z"}
    assert outcomes(tmp_path, later, event(at), rule=reach("service", "1h")) == [("SENT", "email")]


def test_a_given_profile_holds_always(tmp_path: Path) -> None:
    moves = event("2026-03-02T05:00:00Z", kind="CustomerUpdated", data={"timezone": "Asia/Tokyo"})
    customers = [{"customer_id": "c-1", "timezone": "Europe/Paris"}]
    records = [moves, event("2026-03-02T12:00:00Z")]
    assert outcomes(tmp_path, *records, rule=reach("service", "1h"), customers=customers) == [
        ("SENT", "email")
    ]


PREFERENCES = [{"topic": "care", "channel": "sms", "choice": "in"}]


@pytest.mark.parametrize("written", [PREFERENCES, json.dumps(PREFERENCES)])
def test_the_customers_file_may_say_what_a_customer_chose(tmp_path: Path, written: Any) -> None:
    customers = [{"customer_id": "c-1", "preferences": written}, {"customer_id": "c-2"}]
    records = [event(NOON), event(NOON, "c-2")]
    assert outcomes(tmp_path, *records, rule=reach("marketing"), customers=customers) == [
        ("SENT", "sms"),
        ("NO_CONSENT", None),
    ]


def test_a_later_choice_of_the_history_wins_over_the_customers_file(tmp_path: Path) -> None:
    customers = [{"customer_id": "c-1", "preferences": PREFERENCES}]
    records = [choice("2026-03-01T00:00:00Z", "any", "out"), event(NOON)]
    assert outcomes(tmp_path, *records, rule=reach("marketing"), customers=customers) == [
        ("NO_CONSENT", None)
    ]


def test_an_address_is_no_part_of_what_conditions_see(tmp_path: Path) -> None:
    customers = [{"customer_id": "c-1", "email": "ada@example.com", "phone": None, "name": "Ada"}]
    knows = rule(
        "each", "contact: {each: Contact}", 'contact && "email" in profile', "re_eligible_after: none"
    )
    assert outcomes(tmp_path, event(NOON), rule=knows, customers=customers) == []
    name = rule(
        "each", "contact: {each: Contact}", 'contact && profile.name == "Ada"', "re_eligible_after: none"
    )
    assert outcomes(tmp_path, event(NOON), rule=name, customers=customers) == [("SENT", "email")]


SENDS = """
  - {message: first, purpose: service, topic: care, channels: [sms], if: 'profile.value > 100'}
  - {message: second, purpose: marketing, topic: care, channels: [email]}
  - {message: third, purpose: service, topic: care, channels: [task]}"""


@pytest.mark.parametrize("policy", [None, POLICY])
def test_of_several_sends_the_first_whose_if_holds_is_told(tmp_path: Path, policy: str | None) -> None:
    rules = rulebook(
        tmp_path / "rulebook",
        rule("each", "contact: {each: Contact}", "contact", "re_eligible_after: none", send=SENDS),
    )
    events = write_lines(tmp_path / "history.jsonl", [event(NOON), event(NOON, "c-2")])
    customers = write_lines(
        tmp_path / "customers.jsonl",
        [{"customer_id": "c-1", "value": 200}, {"customer_id": "c-2", "value": 7}],
    )
    path = None
    if policy is not None:
        path = tmp_path / "policy.yaml"
        path.write_text(policy, encoding="utf-8")
    found = run(rules, events, policy=path, customers=customers)
    second = ("SENT", "email") if policy is None else ("NO_CONSENT", None)
    assert [(line["reason"], line["channel"]) for line in found.lines] == [("SENT", "sms"), second]
    messages = found.result.tallies[0].messages
    assert {(message, str(reason)): count for (_, message, reason), count in messages.items()} == {
        ("first", "SENT"): 1,
        ("second", second[0]): 2,
        ("third", "SENT"): 2,
    }


def test_a_firing_none_of_whose_ifs_holds_has_neither_reason_nor_channel(tmp_path: Path) -> None:
    send = "{message: m, purpose: service, topic: care, channels: [sms], if: 'profile.value > 100'}"
    unsent = rule("each", "contact: {each: Contact}", "contact", send=send)
    rules = rulebook(tmp_path / "rulebook", unsent)
    found = run(rules, write_lines(tmp_path / "history.jsonl", [event(NOON)]))
    (line,) = found.lines
    assert (line["outcome"], line["reason"], line["channel"]) == ("fired", None, None)
    assert not found.result.tallies[0].reached


@pytest.mark.parametrize(
    ("customer", "why"),
    [
        ([1], "a customer is a JSON object"),
        ({"name": "Ada"}, "customer_id is missing"),
        ({"customer_id": ""}, "customer_id must be 1 to 128 visible ASCII characters"),
        ({"customer_id": "c-1", "data": 7}, "data must be a JSON object"),
        ({"customer_id": "c-1", "preferences": 7}, "preferences must be a list of {topic, channel, choice}"),
        (
            {"customer_id": "c-1", "preferences": [7]},
            "preferences must be a list of {topic, channel, choice}",
        ),
        (
            {"customer_id": "c-1", "preferences": [{"topic": "care"}]},
            "preferences: channel must be one of email, sms, task, outbound, any",
        ),
        ({"customer_id": "c-2"}, "customer 'c-2' stands in an earlier line already"),
    ],
)
def test_a_broken_customer_is_named_and_the_rest_goes_on(tmp_path: Path, customer: Any, why: str) -> None:
    rules = rulebook(tmp_path / "rulebook", reach("service"))
    events = write_lines(tmp_path / "history.jsonl", [event(NOON)])
    customers = write_lines(
        tmp_path / "customers.jsonl", [{"customer_id": "c-2"}, json.dumps(customer), {"customer_id": "c-3"}]
    )
    found = run(rules, events, customers=customers)
    assert found.seen.broken_records == [("customers.jsonl", 2, why)]
    assert (found.result.customers, found.result.broken) == (3, 1)


def test_customers_may_be_a_table(tmp_path: Path) -> None:
    rules = rulebook(
        tmp_path / "rulebook",
        rule(
            "each",
            "contact: {each: Contact}",
            'contact && profile.value >= 1.1 && profile.segment == "retail"',
        ),
    )
    events = write_lines(tmp_path / "history.jsonl", [event(customer="007"), event(customer="008")])
    customers = tmp_path / "customers.csv"
    customers.write_text(
        'customer_id,segment,value,data\n007,staff,1.10,"{""segment"":""retail""}"\n008,,2,\n'
    )
    assert [customer for customer, *_ in run(rules, events, customers=customers).fired()] == ["007"]
