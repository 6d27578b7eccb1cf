"""events/mappings/*.yaml: what is read, what is refused and where, and what a mapping makes of an event."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from foreword.authoring.check import check
from foreword.authoring.fields import RulebookErrors
from foreword.authoring.mappings import read_mappings
from foreword.authoring.publish import publish
from foreword.contracts.bus_events import MAX_BYTES, BusEvents
from foreword.domain.errors import InvalidEvent
from foreword.domain.facts import Fact
from foreword.domain.instants import parse_instant
from tests.unit.authoring.rulebooks import write_messages, write_rulebook

NOW = parse_instant("2026-03-02T09:00:00Z")
MAPPING = """\
type: OrderDelivered
id: '"parcel/" + event.detail.parcel.number'
customer_id: 'event.detail.customerNumber'
occurred_at: 'event.time'
data:
  order_id: 'event.detail.parcel.order'
  weight: 'event.detail.parcel.kg * 1000'
  signed: 'event.detail.state == "handed over"'
"""
SCHEMAS = {"OrderDelivered": {"type": "object", "required": ["order_id"]}}


def event(**changes: Any) -> str:
    """As the bus brings it; `changes` are of the envelope, ... leaves out."""
    detail = {
        "parcel": {"number": "P-7", "order": "order-501", "kg": 1.25},
        "state": "handed over",
        "customerNumber": "c-42",
        "note": None,
    }
    envelope = {
        "version": "0",
        "id": "3f0e",
        "source": "carrier",
        "detail-type": "Parcel Delivered",
        "time": "2026-03-02T08:58:00Z",
        "detail": detail,
        **changes,
    }
    return json.dumps({name: value for name, value in envelope.items() if value is not ...})


def mapped(tmp_path: Path, text: str = MAPPING, body: str | None = None) -> Fact:
    return events(tmp_path, text).parse(body or event(), NOW)


def events(tmp_path: Path, text: str = MAPPING) -> BusEvents:
    (tmp_path / "Parcel Delivered.yaml").write_text(text, encoding="utf-8")
    return BusEvents(SCHEMAS, read_mappings(tmp_path))


def refused(tmp_path: Path, text: str = MAPPING, body: str | None = None) -> str:
    with pytest.raises(InvalidEvent) as caught:
        mapped(tmp_path, text, body)
    return str(caught.value)


def replaced(old: str, new: str) -> str:
    assert old in MAPPING
    return MAPPING.replace(old, new)


def test_an_event_of_another_shape_becomes_a_fact_of_ours(tmp_path: Path) -> None:
    fact = mapped(tmp_path)
    assert (fact.source, fact.id, fact.type, fact.customer_id) == (
        "carrier",
        "parcel/P-7",
        "OrderDelivered",
        "c-42",
    )
    assert fact.occurred_at == parse_instant("2026-03-02T08:58:00Z")
    assert fact.received_at == NOW
    assert json.dumps({**fact.data, "weight": str(fact.data["weight"])}) == (
        '{"order_id": "order-501", "weight": "1250.00", "signed": true}'
    )


def test_without_a_type_the_fact_has_the_detail_type(tmp_path: Path) -> None:
    (tmp_path / "parcel.delivered.yaml").write_text(replaced("type: OrderDelivered\n", ""))
    bus_events = BusEvents({}, read_mappings(tmp_path))
    body = event().replace("Parcel Delivered", "parcel.delivered")
    assert bus_events.parse(body, NOW).type == "parcel.delivered"


def test_the_whole_bus_event_can_be_asked(tmp_path: Path) -> None:
    text = replaced(
        "  signed: 'event.detail.state == \"handed over\"'\n",
        '  by: \'event.source + " " + event["detail-type"] + " " + event.id\'\n',
    )
    assert mapped(tmp_path, text).data["by"] == "carrier Parcel Delivered 3f0e"


def test_a_field_whose_expression_ends_in_an_error_is_left_out(tmp_path: Path) -> None:
    without_weight = event().replace('"kg"', '"pounds"')
    assert mapped(tmp_path, body=without_weight).data == {"order_id": "order-501", "signed": True}


def test_null_stays_null_and_a_time_is_its_text(tmp_path: Path) -> None:
    text = MAPPING + "  note: 'event.detail.note'\n  due: 'timestamp(event.time) + duration(\"72h\")'\n"
    data = mapped(tmp_path, text).data
    assert data["note"] is None
    assert data["due"] == "2026-03-05T08:58:00Z"


def test_data_may_be_one_map_of_the_event(tmp_path: Path) -> None:
    text = MAPPING[: MAPPING.index("data:")] + "data: 'event.detail'\n"
    body = event(
        detail={"order_id": "o-1", "customerNumber": "c-42", "parcel": {"number": "P-7", "l": [7.7]}}
    )
    data = mapped(tmp_path, text, body.replace("7.7", "1.10")).data
    assert str(data["parcel"]["l"][0]) == "1.10"


def test_data_may_be_left_out(tmp_path: Path) -> None:
    text = MAPPING[: MAPPING.index("data:")].replace("OrderDelivered", "Seen")
    assert mapped(tmp_path, text).data == {}


def test_a_whole_number_names_as_well_as_a_text(tmp_path: Path) -> None:
    body = event().replace('"c-42"', "4711")
    assert mapped(tmp_path, body=body).customer_id == "4711"


def test_a_time_may_be_reckoned(tmp_path: Path) -> None:
    text = replaced("'event.time'", "'timestamp(event.time) - duration(\"60s\")'")
    assert mapped(tmp_path, text).occurred_at == parse_instant("2026-03-02T08:57:00Z")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"P-7"', '{"no": 7}', "MAPPING_FAILED: id: string + map has no answer"),
        (
            '"customerNumber"',
            '"customer"',
            "MAPPING_FAILED: customer_id: event.detail.customerNumber is missing",
        ),
        ('"c-42"', "42.5", "MAPPING_FAILED: customer_id: a text is needed, not a number"),
        ('"c-42"', "null", "MAPPING_FAILED: customer_id: a text is needed, not a null"),
        (
            '"2026-03-02T08:58:00Z"',
            "1772442000",
            "MAPPING_FAILED: occurred_at: a text is needed, not a number",
        ),
        ('"2026-03-02T08:58:00Z"', '"noon"', "INVALID_TIME: detail.occurred_at: 'noon' is not a time"),
        ('"c-42"', '"c 42"', "INVALID_CUSTOMER_ID: detail.customer_id must be"),
        ('"P-7"', f'"{"7" * 300}"', "INVALID_ID: detail.id must be"),
        ('"order"', '"orders"', "BREAKS_SCHEMA: detail.data must contain ['order_id'] properties"),
    ],
)
def test_what_cannot_be_mapped_is_refused_and_says_which_field(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    assert old in event()
    assert refused(tmp_path, body=event().replace(old, new)).startswith(problem)


def test_what_only_the_mapping_brought_about_says_so(tmp_path: Path) -> None:
    assert refused(tmp_path, body=event().replace("c-42", "c 42")).endswith("(after its mapping)")


def test_a_map_of_another_kind_is_refused(tmp_path: Path) -> None:
    text = MAPPING[: MAPPING.index("data:")] + "data: 'event.detail.lines'\n"
    assert refused(tmp_path, text).startswith("MAPPING_FAILED: data: event.detail.lines is missing")
    body = event(detail={**json.loads(event())["detail"], "lines": [1]})
    assert refused(tmp_path, text, body).startswith("MAPPING_FAILED: data: a map is needed, not a list")


def test_a_mapping_does_not_blow_an_event_up(tmp_path: Path) -> None:
    """What it repeats or nests would otherwise be more than a table's item holds, or than a reader reads."""
    body = event(detail={**json.loads(event())["detail"], "long": "x" * (MAX_BYTES // 2)})
    twice = MAPPING + "  a: 'event.detail.long'\n  b: 'event.detail.long'\n"
    assert refused(tmp_path, twice, body).startswith("TOO_LARGE")
    nested = MAPPING + f"  deep: '{'[' * 32}event.id{']' * 32}'\n"
    assert refused(tmp_path, nested).startswith("TOO_DEEP")


def test_an_event_of_our_own_is_never_mapped(tmp_path: Path) -> None:
    bus_events = events(tmp_path)
    detail = {"id": "1", "customer_id": "c-1", "occurred_at": "2026-03-02T08:58:00Z"}
    assert bus_events.parse(event(source="foreword", detail=detail), NOW).type == "Parcel Delivered"
    assert bus_events.customer_of(event(source="foreword")) is None


def test_a_refused_event_names_the_customer_that_its_mapping_gives(tmp_path: Path) -> None:
    bus_events = events(tmp_path)
    assert bus_events.customer_of(event(time=...)) == "c-42"
    assert bus_events.customer_of(event().replace("c-42", "c 42")) is None
    assert bus_events.customer_of(event(detail={"customer_id": "c-1"})) is None


def test_a_detail_type_without_a_mapping_is_read_as_ever(tmp_path: Path) -> None:
    detail = {"id": "1", "customer_id": "c-1", "occurred_at": "2026-03-02T08:58:00Z"}
    body = event(detail=detail).replace("Parcel Delivered", "ParcelSent")
    assert events(tmp_path).parse(body, NOW).type == "ParcelSent"


@pytest.mark.parametrize(
    ("old", "new", "where", "problem"),
    [
        ("id: '\"parcel/\" + event.detail.parcel.number'\n", "", "1:1", "a mapping needs 'id'"),
        (
            "customer_id:",
            "customer:",
            "3:1",
            "unknown key 'customer' of a mapping; did you mean 'customer_id'?",
        ),
        (
            "'event.time'",
            "event.occured_at == 1",
            "4:14",
            "this is a boolean; a string or a timestamp is needed",
        ),
        ("'event.time'", "'\"noon\"'", "4:14", "this is the same for every event; it must ask the event"),
        (
            "'event.detail.customerNumber'",
            "customerNumber",
            "3:14",
            "unknown name 'customerNumber': a mapping",
        ),
        ("'event.detail.customerNumber'", "profile.id", "3:14", "unknown name 'profile': a mapping knows"),
        ("'event.detail.customerNumber'", "lists.x", "3:14", "unknown name 'lists': a mapping knows"),
        ("kg * 1000", "kg *", "7:", "the condition ends where more is needed"),
        (
            "event.detail.parcel.kg * 1000",
            'duration("1h")',
            "7:12",
            "this is a duration; a string or a number or a boolean",
        ),
        ("OrderDelivered", "MessageSent", "1:7", "'MessageSent' is what Foreword itself says"),
        ("OrderDelivered", "Order Delivered", "1:7", "no rule can name an event 'Order Delivered'"),
        (
            "type: OrderDelivered\n",
            "",
            "1:1",
            "no rule can name an event 'Parcel Delivered'; give it a 'type'",
        ),
    ],
)
def test_a_bad_mapping_is_refused_at_its_place(
    tmp_path: Path, old: str, new: str, where: str, problem: str
) -> None:
    with pytest.raises(RulebookErrors) as caught:
        events(tmp_path, replaced(old, new))
    (error,) = [error for error in caught.value.errors if problem in error.message]
    assert str(error).startswith(f"{tmp_path / 'Parcel Delivered.yaml'}:{where}")


def test_the_errors_of_all_files_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "A.yaml").write_text("id: 'event.id'\n")
    (tmp_path / "b.json").write_text("{}")
    (tmp_path / ".hidden").write_text("")
    with pytest.raises(RulebookErrors) as caught:
        read_mappings(tmp_path)
    messages = [error.message for error in caught.value.errors]
    assert messages == [
        "a mapping needs 'customer_id'",
        "a mapping needs 'occurred_at'",
        "not a mapping: it stands in a file DETAIL-TYPE.yaml",
    ]


def test_preferences_and_profiles_may_come_in_another_shape(tmp_path: Path) -> None:
    for kind in ("PreferenceChanged", "CustomerUpdated"):
        (tmp_path / f"{kind}.yaml").write_text(replaced("type: OrderDelivered\n", ""))
    assert read_mappings(tmp_path).keys() == {"PreferenceChanged", "CustomerUpdated"}


def test_check_tells_what_is_wrong_with_a_mapping(tmp_path: Path) -> None:
    rulebook, messages = write_rulebook(tmp_path / "rulebook"), write_messages(tmp_path / "messages")
    mappings, schemas = tmp_path / "mappings", tmp_path / "schemas"
    mappings.mkdir()
    schemas.mkdir()
    (schemas / "OrderDelivered.json").write_text(json.dumps(SCHEMAS["OrderDelivered"]))

    def problems(text: str) -> list[str]:
        (mappings / "parcel.delivered.yaml").write_text(text)
        return [error.message for error in check(rulebook, messages, schemas, mappings=mappings).problems]

    assert problems(MAPPING) == []
    assert problems(replaced("  order_id:", "  order:")) == [
        "the schema of OrderDelivered requires 'order_id', and 'data' does not give it"
    ]
    assert problems(MAPPING[: MAPPING.index("data:")] + "data: 'event.detail'\n") == []
    assert problems("id: 'event.id'\n") == ["a mapping needs 'customer_id'", "a mapping needs 'occurred_at'"]


def test_no_folder_is_no_mapping(tmp_path: Path) -> None:
    assert read_mappings(tmp_path / "mappings") == {}


def test_mappings_are_published_and_a_bad_one_stops_that(tmp_path: Path) -> None:
    rulebook, messages = write_rulebook(tmp_path / "rulebook"), write_messages(tmp_path / "messages")
    mappings, schemas = tmp_path / "mappings", tmp_path / "schemas"
    mappings.mkdir()
    schemas.mkdir()
    (mappings / "parcel.delivered.yaml").write_text(MAPPING)
    publish(rulebook, messages, schemas, tmp_path / "out", mappings=mappings)
    document = json.loads((tmp_path / "out" / "mappings.json").read_text("utf-8"))
    assert document["parcel.delivered"]["occurred_at"]["source"] == "event.time"
    (mappings / "bad.yaml").write_text("id: 7\n")
    with pytest.raises(RulebookErrors):
        publish(rulebook, messages, schemas, tmp_path / "nothing", mappings=mappings)
    assert not (tmp_path / "nothing").exists()
