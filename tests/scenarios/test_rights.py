"""A person's rights on the local cloud: all that is stored is handed out, and is gone when asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import boto3
import pytest

from foreword.adapters.clock import SystemClock
from foreword.adapters.erasures import Erasures
from foreword.adapters.personal_data import PersonalDataTables
from foreword.app.erase_customer import EraseCustomer
from foreword.cli.customer_document import document, is_known
from foreword.domain import json_text
from foreword.domain.erasure import ON_ITS_WAY_FOR, Erased, Swept
from foreword.domain.instants import SECOND, to_instant
from foreword.local.cloud import LocalCloud

ADA, EMAIL = "c-ada", "ada@example.com"
PROFILE = {"email": EMAIL, "name": "Ada Lovelace", "locale": "en", "timezone": "Europe/Berlin"}


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(at="2026-01-12T10:00:00Z") as cloud:
        yield cloud


def lives(cloud: LocalCloud, customer: str = ADA) -> None:
    """A message sent, one held back by the night, a choice, and a signal that goes on."""
    cloud.emit("CustomerUpdated", customer, PROFILE, source="crm", id=f"{customer}/profile")
    choice = {"topic": "advice", "channel": "any", "choice": "in"}
    cloud.emit("PreferenceChanged", customer, choice, source="crm", id=f"{customer}/choice")
    for number in range(3):
        event = f"{customer}/{number}"
        cloud.emit("SupportContactOpened", customer, {"channel": "phone"}, source="support", id=event)
    cloud.advance(to="2026-02-20T20:30:00Z")
    for number in range(3, 6):
        event = f"{customer}/{number}"
        cloud.emit("SupportContactOpened", customer, {"channel": "phone"}, source="support", id=event)


def data_of(cloud: LocalCloud) -> PersonalDataTables:
    client = boto3.client("dynamodb")
    erasures = Erasures(client, cloud.table_names["customers"], SystemClock())
    return PersonalDataTables(client, cloud.table_names, erasures)


def erase(cloud: LocalCloud, data: PersonalDataTables | None = None, customer: str = ADA) -> Erased:
    def settle() -> None:
        cloud.advance(by=timedelta(microseconds=ON_ITS_WAY_FOR))

    stages: list[Swept] = []
    erased = EraseCustomer(data or data_of(cloud), SystemClock(), settle, stages.append)(customer)
    cloud.settle()
    assert stages[:4] == [Swept.MARKED, Swept.CLOSED, Swept.DELETED, Swept.SWEPT]
    return erased


def holding(cloud: LocalCloud, text: str) -> list[str]:
    """The items, by table, in which the text stands."""
    return [
        f"{table}: {item}" for table in cloud.table_names for item in cloud.table(table) if text in str(item)
    ]


def test_all_that_is_stored_is_handed_out(cloud: LocalCloud) -> None:
    lives(cloud)
    told = document(ADA, data_of(cloud).items(ADA), to_instant(cloud.now))
    told = json.loads(json_text.dumps(told))
    assert told["profile"]["email"]["value"] == EMAIL
    assert told["consents"]["choices"][0]["topic"] == "advice"
    types = [fact["type"] for fact in told["journal"]]
    assert types.count("SupportContactOpened") == 6
    assert "MessageDelivered" in types
    sent, held = told["messages"]
    assert {step["kind"] for step in sent["steps"]} == {"DECIDED", "CLAIMED", "SENT", "DELIVERED"}
    assert [step["kind"] for step in held["steps"]] == ["DECIDED", "DEFERRED"]
    assert told["state"]
    stored = sum(len(items) for items in data_of(cloud).items(ADA).values())
    shown = sum(len(told[part]) for part in ("journal", "messages", "comparisons", "caps"))
    shown += sum(map(len, told["more"].values()))
    assert stored == shown + 3  # profile, state, consents


def test_of_an_erased_customer_nothing_is_left_and_a_message_held_back_ends_erased(cloud: LocalCloud) -> None:
    lives(cloud)
    erased = erase(cloud)
    assert erased.messages_closed == 1
    assert not erased.forgotten
    assert [
        event.detail["data"]["reason"] for event in cloud.bus_events if event.type == "MessageSkipped"
    ] == ["ERASED"]
    assert not holding(cloud, EMAIL)
    assert not holding(cloud, "Lovelace")
    (mark,) = holding(cloud, ADA)
    assert "'attributes': '{}'" in mark
    assert not is_known(document(ADA, data_of(cloud).items(ADA), to_instant(cloud.now)))


def test_no_message_leaves_after_an_erasure(cloud: LocalCloud) -> None:
    lives(cloud)
    sent = len(cloud.sent)
    erase(cloud)
    cloud.advance(by=timedelta(days=3))
    assert len(cloud.sent) == sent


def test_what_comes_again_is_refused_with_a_reason_and_brings_nothing_back(cloud: LocalCloud) -> None:
    lives(cloud)
    erase(cloud)
    cloud.emit("CustomerUpdated", ADA, PROFILE, source="crm", id=f"{ADA}/profile")
    cloud.emit("SupportContactOpened", ADA, {"channel": "phone"}, source="support", id=f"{ADA}/0")
    cloud.emit("SupportContactOpened", ADA, {"channel": 7}, source="support", id="wrong, too")
    assert len(holding(cloud, ADA)) == 1
    assert not cloud.quarantined
    assert cloud.metrics(service="record_activity")["EventsErased"] == 3


def test_late_feedback_finds_nobody(cloud: LocalCloud) -> None:
    lives(cloud)
    (message,) = cloud.sent
    erase(cloud)
    cloud.feedback(message, "Bounce")
    assert len(holding(cloud, ADA)) == 1
    assert not cloud.dead_letters


def test_after_eight_days_another_run_leaves_nothing_but_a_keyed_hash(cloud: LocalCloud) -> None:
    lives(cloud)
    erase(cloud)
    cloud.advance(by=timedelta(days=9))
    assert erase(cloud).forgotten
    assert not holding(cloud, ADA)
    cloud.emit("SupportContactOpened", ADA, {"channel": "phone"}, source="support", id="again")
    assert not holding(cloud, ADA)


def test_to_erase_twice_is_to_erase_once(cloud: LocalCloud) -> None:
    lives(cloud)
    first = erase(cloud)
    again = erase(cloud)
    assert sum(again.items.values()) == again.messages_closed == 0
    assert again.marked_at == first.marked_at
    assert len([item for item in cloud.table("customers") if item["customer_id"] == " erased"]) == 2


def test_who_is_not_asked_for_is_left_alone(cloud: LocalCloud) -> None:
    lives(cloud)
    cloud.emit("CustomerUpdated", "c-bob", {"email": "bob@example.com"}, source="crm")
    erase(cloud)
    assert len(holding(cloud, "c-bob")) == 3
    cloud.emit("SupportContactOpened", "c-bob", {"channel": "phone"}, source="support")
    assert not [item for item in cloud.table("activity") if item["customer_id"] == ADA]


class Killed(Exception):
    """The command died here."""


CALLS = range(1, 24)


def test_the_cases_below_cover_every_call(cloud: LocalCloud) -> None:
    lives(cloud)
    data = data_of(cloud)
    made: list[str] = []
    data.client.meta.events.register_first("before-call.dynamodb", lambda **_: made.append("call"))
    erase(cloud, data)
    assert len(made) == CALLS[-1]


@pytest.mark.parametrize("call", CALLS)
def test_killed_at_any_call_it_is_begun_again_and_ends_the_same(cloud: LocalCloud, call: int) -> None:
    lives(cloud)
    data = data_of(cloud)
    made = [0]

    def count(**_: Any) -> None:
        made[0] += 1
        if made[0] == call:
            raise Killed

    data.client.meta.events.register_first("before-call.dynamodb", count)
    with suppress(Killed):
        erase(cloud, data)
    cloud.settle()
    marked = any("erased_at" in item for item in cloud.table("customers"))
    cloud.advance(by=timedelta(days=1))
    if marked:
        assert len(cloud.sent) == 1, "after the mark nothing is sent any more"
    erase(cloud)
    assert not holding(cloud, EMAIL)
    assert len(holding(cloud, ADA)) == 1


def test_an_event_that_was_accepted_a_moment_before_is_swept(cloud: LocalCloud) -> None:
    lives(cloud)
    late = {
        "id": "late",
        "customer_id": ADA,
        "occurred_at": "2026-02-20T20:30:00Z",
        "data": {"channel": "phone"},
    }
    entry = {"Source": "support", "DetailType": "SupportContactOpened", "Detail": json.dumps(late)}

    def settle() -> None:
        cloud.put_events([entry])
        cloud.advance(by=timedelta(microseconds=ON_ITS_WAY_FOR + SECOND))

    EraseCustomer(data_of(cloud), SystemClock(), settle, lambda _: None)(ADA)
    assert len(holding(cloud, ADA)) == 1
