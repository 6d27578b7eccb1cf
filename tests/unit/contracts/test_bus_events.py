from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from foreword.contracts.bus_events import MAX_BYTES, BusEvents
from foreword.domain.errors import InvalidEvent
from foreword.domain.instants import MINUTE, parse_instant

NOW = parse_instant("2026-03-02T09:00:00Z")
SCHEMAS = {
    "SupportContactOpened": {
        "type": "object",
        "properties": {"channel": {"enum": ["phone", "chat"]}},
        "required": ["channel"],
    }
}
EVENTS = BusEvents(SCHEMAS, {})


def body(**changes: Any) -> str:
    detail: dict[str, Any] = {
        "id": "ticket-1/opened",
        "customer_id": "c-1",
        "occurred_at": "2026-03-02T08:59:00Z",
        "data": {"channel": "phone"},
    }
    detail.update(changes)
    detail = {name: value for name, value in detail.items() if value is not ...}
    return json.dumps({"source": "support", "detail-type": "SupportContactOpened", "detail": detail})


def reason_of(text: str) -> str:
    with pytest.raises(InvalidEvent) as caught:
        EVENTS.parse(text, NOW)
    assert caught.value.detail
    return caught.value.reason


def test_a_good_event_becomes_a_fact() -> None:
    fact = EVENTS.parse(body(), NOW)
    assert (fact.source, fact.id, fact.type) == ("support", "ticket-1/opened", "SupportContactOpened")
    assert (fact.customer_id, fact.received_at) == ("c-1", NOW)
    assert fact.occurred_at == NOW - MINUTE
    assert fact.data == {"channel": "phone"}


def test_numbers_are_decimals_of_their_source_text() -> None:
    text = body().replace('"phone"', '"phone", "amount": 1.10')
    assert EVENTS.parse(text, NOW).data["amount"] == Decimal("1.10")
    assert str(EVENTS.parse(text, NOW).data["amount"]) == "1.10"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": ...}, "MISSING_FIELD"),
        ({"id": None}, "MISSING_FIELD"),
        ({"id": ""}, "INVALID_ID"),
        ({"id": "x" * 257}, "INVALID_ID"),
        ({"id": "a\nb"}, "INVALID_ID"),
        ({"id": 7}, "WRONG_TYPE"),
        ({"customer_id": ...}, "MISSING_FIELD"),
        ({"customer_id": 42}, "WRONG_TYPE"),
        ({"customer_id": ""}, "INVALID_CUSTOMER_ID"),
        ({"customer_id": "c 1"}, "INVALID_CUSTOMER_ID"),
        ({"customer_id": "müller"}, "INVALID_CUSTOMER_ID"),
        ({"customer_id": "x" * 129}, "INVALID_CUSTOMER_ID"),
        ({"customer_id": "c-1\n"}, "INVALID_CUSTOMER_ID"),
        ({"occurred_at": ...}, "MISSING_FIELD"),
        ({"occurred_at": "2026-03-02"}, "INVALID_TIME"),
        ({"occurred_at": "2026-03-02T09:00:00"}, "INVALID_TIME"),
        ({"occurred_at": 1772442000}, "WRONG_TYPE"),
        ({"occurred_at": "2026-03-02T09:05:01Z"}, "IN_THE_FUTURE"),
        ({"data": []}, "WRONG_TYPE"),
        ({"data": {"channel": "fax"}}, "BREAKS_SCHEMA"),
        ({"data": {}}, "BREAKS_SCHEMA"),
        ({"data": {"channel": "phone", "note": "x" * MAX_BYTES}}, "TOO_LARGE"),
        ({"retracts": None}, "MISSING_FIELD"),
        ({"retracts": 7}, "WRONG_TYPE"),
        ({"retracts": ""}, "INVALID_ID"),
        ({"retracts": "x" * 257}, "INVALID_ID"),
        ({"retracts": "a\nb"}, "INVALID_ID"),
        ({"retracts": "ticket-1/opened"}, "INVALID_ID"),
        ({"retracts": "ticket-0/opened", "data": {"channel": "fax"}}, "BREAKS_SCHEMA"),
    ],
)
def test_a_bad_event_is_refused_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    assert reason_of(body(**changes)) == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "NOT_JSON"),
        ("{", "NOT_JSON"),
        ("[]", "WRONG_TYPE"),
        ('{"detail": 1}', "WRONG_TYPE"),
        ("{}", "MISSING_FIELD"),
        (body().replace('"phone"', "NaN"), "NOT_A_NUMBER"),
        (body().replace('"phone"', "[" * 60 + "]" * 60), "TOO_DEEP"),
        (body().replace('"phone"', "9" * 5000), "NOT_JSON"),
        (body().replace('"phone"', "1e99999999999999999999"), "NOT_A_NUMBER"),
        (body().replace("phone", "\\ud800"), "NOT_JSON"),
        (body().replace('"support"', '"\\ud800"'), "NOT_JSON"),
    ],
)
def test_what_is_no_event_at_all_is_refused_with_its_reason(text: str, reason: str) -> None:
    assert reason_of(text) == reason


def test_five_minutes_ahead_is_still_accepted() -> None:
    assert EVENTS.parse(body(occurred_at="2026-03-02T09:05:00Z"), NOW).occurred_at == NOW + 5 * MINUTE


def test_the_schema_error_names_the_field() -> None:
    with pytest.raises(InvalidEvent, match=r"detail\.data\.channel must be one of"):
        EVENTS.parse(body(data={"channel": "fax"}), NOW)


def test_a_type_without_a_schema_is_accepted() -> None:
    text = body(data={"anything": [1, {"goes": True}]}).replace("SupportContactOpened", "SomethingElse")
    assert EVENTS.parse(text, NOW).type == "SomethingElse"


def test_source_and_id_cannot_be_confused() -> None:
    first = body(id="b#c").replace('"support"', '"a"')
    second = body(id="c").replace('"support"', '"a#b"')
    assert EVENTS.parse(first, NOW).key != EVENTS.parse(second, NOW).key


def test_a_refused_event_names_its_customer_only_where_that_is_well_formed() -> None:
    assert EVENTS.customer_of(body(id=...)) == "c-1"
    assert EVENTS.customer_of(body(customer_id="c 1")) is None
    assert EVENTS.customer_of("{") is None


def test_an_event_of_our_own_is_never_told_as_rejected() -> None:
    assert EVENTS.customer_of(body(id=...).replace('"support"', '"foreword"')) is None


def test_an_event_may_take_another_of_its_source_back() -> None:
    fact = EVENTS.parse(body(id="ticket-1/mistaken", retracts="ticket-1/opened"), NOW)
    assert (fact.id, fact.retracts) == ("ticket-1/mistaken", "ticket-1/opened")
    assert EVENTS.parse(body(), NOW).retracts is None


def test_what_takes_something_back_needs_no_data_of_its_own() -> None:
    fact = EVENTS.parse(body(id="ticket-1/mistaken", retracts="ticket-1/opened", data=...), NOW)
    assert fact.data == {}


def test_what_is_taken_back_must_be_a_key_of_the_journal() -> None:
    long = body(id="1", retracts="ü" * 250).replace('"support"', json.dumps("s" * 600))
    assert reason_of(long) == "INVALID_ID"


@pytest.mark.parametrize("kind", ["CustomerUpdated", "PreferenceChanged"])
def test_profile_and_choices_are_not_taken_back_but_corrected(kind: str) -> None:
    text = body(retracts="update-1").replace("SupportContactOpened", kind)
    with pytest.raises(InvalidEvent, match=f"corrected by a newer {kind}") as caught:
        EVENTS.parse(text, NOW)
    assert caught.value.reason == "NOT_SUPPORTED"


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ({"topic": "care", "channel": "email"}, "data.choice must be"),
        ({"at_most": {"count": 0, "within": "7d"}}, "data.at_most.count must be"),
        ({}, "data.topic must name a topic, or"),
    ],
)
def test_a_choice_that_says_nothing_is_refused_by_its_field(data: dict[str, Any], names: str) -> None:
    with pytest.raises(InvalidEvent, match=names) as refused:
        EVENTS.parse(body(data=data).replace("SupportContactOpened", "PreferenceChanged"), NOW)
    assert refused.value.reason == "BREAKS_SCHEMA"
