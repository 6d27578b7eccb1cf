"""Whoever comes from elsewhere brings profiles, opt-outs and history along, and nothing is sent for it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from foreword.adapters.activity_table import ActivityTable
from foreword.adapters.clock import SystemClock
from foreword.adapters.erasures import Erasures
from foreword.adapters.journal_writer import JournalWriter
from foreword.cli.emit import bus_events
from foreword.cli.import_records import Records
from foreword.cli.importing import Imported, Importing, Watch
from foreword.domain.instants import DAY
from foreword.local.cloud import LocalCloud

PROFILE = {"customer_id": "c-1", "email": "ada@example.com", "locale": "en", "timezone": "Europe/Berlin"}


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(at="2026-01-12T10:00:00Z") as cloud:
        yield cloud


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


class Files:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0

    def lines(self, *records: Any, name: str = "{}.jsonl") -> Path:
        self._number += 1
        path = self._folder / name.format(self._number)
        text = "".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in records)
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path


def bring(
    cloud: LocalCloud, customers: list[Path] | None = None, events: list[Path] | None = None
) -> tuple[Imported, list[str]]:
    """What was counted, and what was said of broken records."""
    said: list[str] = []
    client, tables = boto3.client("dynamodb"), cloud.table_names
    activity = ActivityTable(client, tables["activity"], 800 * DAY)
    importing = Importing(
        writer=JournalWriter(client, activity, tables["customers"], tables["consents"]),
        erased=Erasures(client, tables["customers"], SystemClock()),
        records=Records(bus_events()),
        clock=SystemClock(),
        watch=Watch(lambda *_: None, lambda path, number, why: said.append(f"{path.name}:{number}: {why}")),
        workers=4,
    )
    done = importing(customers or [], events or [])
    cloud.settle()
    return done, said


def contact(number: int, at: str, customer: str = "c-1") -> dict[str, Any]:
    return {
        "source": "old-desk",
        "id": f"{customer}/{number}",
        "type": "SupportContactOpened",
        "customer_id": customer,
        "occurred_at": at,
        "data": {"channel": "phone"},
    }


RECENT = [contact(day, f"2026-01-{9 + day:02}T09:00:00Z") for day in range(3)]


def test_history_fires_nothing_though_it_is_of_yesterday(cloud: LocalCloud, files: Files) -> None:
    done, said = bring(cloud, [files.lines(PROFILE)], [files.lines(*RECENT)])
    assert (done, said) == (Imported(new=4), [])
    cloud.advance(by=timedelta(days=20))
    assert not cloud.sent
    assert not cloud.messages
    assert len(cloud.table("activity")) == 4


def test_history_counts_from_the_next_event_on(cloud: LocalCloud, files: Files) -> None:
    bring(cloud, [files.lines(PROFILE)], [files.lines(*RECENT[1:])])
    cloud.emit("SupportContactOpened", "c-1", {"channel": "phone"}, source="support")
    (message,) = cloud.sent_to("ada@example.com")
    assert "3 times" in message.text


def test_what_came_live_and_history_of_before_it_fire_once_at_most(cloud: LocalCloud, files: Files) -> None:
    for _ in range(2):
        cloud.emit("SupportContactOpened", "c-1", {"channel": "phone"}, source="support")
    bring(cloud, [files.lines(PROFILE)], [files.lines(*RECENT)])
    assert not cloud.sent
    cloud.emit("SupportContactOpened", "c-1", {"channel": "phone"}, source="support")
    assert not cloud.sent, "the imported contacts made it true already, and that was decided by nobody"


def test_a_deadline_that_history_sets_for_later_is_met_and_one_that_is_past_is_not(
    cloud: LocalCloud, files: Files
) -> None:
    def diagnosis(customer: str, at: str) -> dict[str, Any]:
        made = {
            "id": f"{customer}/d",
            "type": "DiagnosisRecorded",
            "customer_id": customer,
            "occurred_at": at,
        }
        return {**made, "source": "clinic", "data": {"code": "E11"}}

    people = [
        {"customer_id": customer, "phone": phone, "locale": "de"}
        for customer, phone in (("c-past", "+4915112345678"), ("c-ahead", "+4915112345679"))
    ]
    history = [diagnosis("c-past", "2025-12-29T09:30:00Z"), diagnosis("c-ahead", "2026-01-05T10:00:00Z")]
    bring(cloud, [files.lines(*people)], [files.lines(*history)])
    cloud.advance(by=timedelta(days=30))
    assert [message.to for message in cloud.sent] == ["+4915112345679"]


def test_an_import_begun_again_finds_what_it_did(cloud: LocalCloud, files: Files) -> None:
    customers, events = files.lines(PROFILE), files.lines(*RECENT)
    bring(cloud, [customers], [events])
    before = cloud.table("activity"), cloud.table("customers")
    done, _ = bring(cloud, [customers], [events])
    assert done == Imported(known=4)
    assert (cloud.table("activity"), cloud.table("customers")) == before


def test_a_broken_record_is_named_by_its_line_and_the_rest_goes_on(cloud: LocalCloud, files: Files) -> None:
    events = files.lines(
        RECENT[0],
        "no JSON",
        {**RECENT[1], "data": {"channel": 7}},
        {**RECENT[1], "occurred_at": "2027-01-01T00:00:00Z"},
        {**RECENT[1], "customer_id": ""},
        {**RECENT[1], "odd": 1},
        "[]",
        RECENT[2],
    )
    done, said = bring(cloud, events=[events])
    assert (done.new, done.broken) == (2, 6)
    assert [line.split(": ")[0] for line in said] == [f"1.jsonl:{number}" for number in range(2, 8)]
    assert "BREAKS_SCHEMA: data.channel must be string" in said[1]
    assert "IN_THE_FUTURE" in said[2]


def test_choices_and_suppressions_come_along(cloud: LocalCloud, files: Files) -> None:
    ada = {
        **PROFILE,
        "updated_at": "2025-06-01T12:00:00Z",
        "preferences": [{"topic": "care", "channel": "email", "choice": "out"}],
    }
    bob = {"customer_id": "c-2", "email": "bob@example.com", "suppressed": ["email"]}
    bring(cloud, [files.lines(ada, bob)])
    for customer in ("c-1", "c-2"):
        for _ in range(3):
            cloud.emit("SupportContactOpened", customer, {"channel": "phone"}, source="support")
    skipped = [event.detail["data"]["reason"] for event in cloud.bus_events if event.type == "MessageSkipped"]
    assert skipped == ["NO_CONSENT", "SUPPRESSED"]
    assert not cloud.sent


def test_what_is_newer_than_the_file_stays(cloud: LocalCloud, files: Files) -> None:
    cloud.emit("CustomerUpdated", "c-1", {"email": "new@example.com"}, source="crm")
    bring(cloud, [files.lines({**PROFILE, "updated_at": "2025-06-01T12:00:00Z"})])
    (profile,) = [item for item in cloud.table("customers") if item["item"] == "profile"]
    assert json.loads(profile["attributes"])["email"][0] == "new@example.com"
    assert json.loads(profile["attributes"])["locale"][0] == "en"


def test_a_table_is_read_as_well(cloud: LocalCloud, files: Files) -> None:
    customers = files.lines(
        "customer_id,email,phone,suppressed,preferences,segment",
        'c-1,ada@example.com,+4915112345678,sms,"[{""topic"":""care"",""channel"":""any"",""choice"":""in""}]",retail',
        "c-2,not an address,,,,",
        name="{}.csv",
    )
    events = files.lines(
        "customer_id,occurred_at,type,channel",
        "c-1,2026-01-10T09:00:00Z,SupportContactOpened,phone",
        name="{}.csv.gz",
    )
    done, said = bring(cloud, [customers], [events])
    assert (done.new, done.broken) == (4, 1)
    assert said[0].startswith("1.csv:3: BREAKS_SCHEMA: data.email")


def endpoint(id: str, channel: str, address: str, **more: Any) -> dict[str, Any]:
    """As Pinpoint's export of a segment has it."""
    return {
        "Id": id,
        "ApplicationId": "810c7aab86d42fb2b56c8c966example",
        "ChannelType": channel,
        "Address": address,
        "EndpointStatus": "ACTIVE",
        "OptOut": "NONE",
        "RequestId": "example",
        "CohortId": "42",
        "EffectiveDate": "2025-11-01T12:00:00Z",
        "CreationDate": "2025-01-01T12:00:00Z",
        "Attributes": {"interests": ["tea", "music"]},
        "Metrics": {"visits": 3.0},
        "Demographic": {"Locale": "de_DE", "Timezone": "Europe/Berlin", "Platform": "ios"},
        "Location": {"City": "Bonn", "Country": "DE"},
        "User": {"UserId": "c-1", "UserAttributes": {"name": ["Ada"], "nothing": []}},
    } | more


def test_a_pinpoint_users_endpoints_are_one_customer(cloud: LocalCloud, files: Files) -> None:
    old = endpoint("e-0", "EMAIL", "old@example.com", EffectiveDate="2025-02-01T12:00:00Z")
    exported = files.lines(
        old,
        endpoint("e-1", "EMAIL", "ada@example.com"),
        endpoint("e-2", "SMS", "+4915112345678", OptOut="ALL"),
        endpoint("e-3", "SMS", "+4915100000000", EndpointStatus="INACTIVE"),
        endpoint("e-4", "GCM", "token"),
        endpoint("e-5", "EMAIL", "bob@example.com", User={}),
        name="{}.gz",
    )
    done, said = bring(cloud, [exported])
    assert (said, done.broken) == ([], 0)
    profiles = {
        item["customer_id"]: {name: value[0] for name, value in json.loads(item["attributes"]).items()}
        for item in cloud.table("customers")
        if item["item"] == "profile"
    }
    assert profiles["c-1"] == {
        "email": "ada@example.com",
        "phone": "+4915112345678",
        "name": "Ada",
        "interests": "tea, music",
        "visits": 3.0,
        "locale": "de-DE",
        "timezone": "Europe/Berlin",
        "city": "Bonn",
        "country": "DE",
    }
    assert profiles["e-5"]["email"] == "bob@example.com"
    (consents,) = cloud.table("consents")
    assert consents["customer_id"] == "c-1"
    assert consents["suppressed"].startswith('["sms:')
    cloud.advance(by=timedelta(days=2))
    assert not cloud.sent
