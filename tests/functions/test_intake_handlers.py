"""The handlers of the deciding half, in the local cloud: a bad neighbour harms nobody."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import boto3

from foreword.local.cloud import LocalCloud
from foreword.local.faults import service_error

CONTACT = "SupportContactOpened"


def contact(customer: str, number: int, **detail: Any) -> dict[str, str]:
    full = {
        "id": f"{customer}/{number}",
        "customer_id": customer,
        "occurred_at": "2026-03-02T09:00:00Z",
        "data": {"channel": "phone"},
        **detail,
    }
    return {"Source": "support", "DetailType": CONTACT, "Detail": json.dumps(full)}


def facts(cloud: LocalCloud) -> list[str]:
    return sorted(item["event_id"] for item in cloud.table("activity") if item["source"] == "support")


def test_the_neighbours_of_bad_events_in_one_batch_are_unharmed(foreword_cloud: LocalCloud) -> None:
    foreword_cloud.put_events(
        [
            contact("c-1", 1),
            contact("c-1", 2, id=None),
            contact("c 2", 3),
            contact("c-1", 4, data={"channel": 7}),
            contact("c-1", 5, occurred_at="soon"),
            contact("c-1", 6, data={"channel": "phone", "note": "x" * 70_000}),
            contact("c-1", 7),
        ]
    )
    assert facts(foreword_cloud) == ["c-1/1", "c-1/7"]
    reasons = sorted(refused.attributes["reason"] for refused in foreword_cloud.quarantined)
    assert reasons == [
        "BREAKS_SCHEMA",
        "INVALID_CUSTOMER_ID",
        "INVALID_TIME",
        "MISSING_FIELD",
        "TOO_LARGE",
    ]
    assert foreword_cloud.metrics(service="record_activity")["EventsQuarantined"] == 5
    assert foreword_cloud.metrics(reason="TOO_LARGE")["Quarantined"] == 1
    # Those that name their customer properly are told, and come back as facts for the rules to see.
    told = [item for item in foreword_cloud.table("activity") if item["type"] == "EventRejected"]
    assert len(told) == 4
    assert foreword_cloud.waiting() == 0


def test_an_event_that_a_throttled_table_refuses_comes_again_and_its_neighbours_do_not_wait(
    foreword_cloud: LocalCloud,
) -> None:
    throttled = service_error("ProvisionedThroughputExceededException")
    # Three attempts of the SDK for the first event of the batch.
    foreword_cloud.faults.fail("dynamodb", "PutItem", error=throttled, times=3, function="record_activity")
    foreword_cloud.put_events([contact("c-1", 1), contact("c-2", 1)])
    assert facts(foreword_cloud) == ["c-2/1"]
    foreword_cloud.advance(by=timedelta(minutes=10))
    assert facts(foreword_cloud) == ["c-1/1", "c-2/1"]


def test_the_same_event_is_folded_once_however_often_it_is_sent(foreword_cloud: LocalCloud) -> None:
    for _ in range(3):
        foreword_cloud.put_events([contact("c-1", 1), contact("c-1", 1), contact("c-1", 1)])
    assert facts(foreword_cloud) == ["c-1/1"]
    assert foreword_cloud.metrics()["EventsDuplicate"] == 8
    assert foreword_cloud.messages == []


def test_a_journal_that_cannot_be_read_parks_that_customer_alone(foreword_cloud: LocalCloud) -> None:
    name = next(table for table in boto3.client("dynamodb").list_tables()["TableNames"] if "ctivity" in table)
    boto3.client("dynamodb").put_item(
        TableName=name,
        Item={"customer_id": {"S": "c-poison"}, "fact": {"S": "old#1"}, "type": {"S": CONTACT}},
    )
    foreword_cloud.settle()
    foreword_cloud.emit("CustomerUpdated", "c-1", {"email": "a@example.com"}, source="crm")
    for number in range(3):
        foreword_cloud.put_events([contact("c-poison", number), contact("c-1", number)])
    assert [message.to for message in foreword_cloud.sent] == ["a@example.com"]
    states = {
        item["customer_id"]: item for item in foreword_cloud.table("customers") if item["item"] == "state"
    }
    assert states["c-poison"]["parked"] is True
    assert foreword_cloud.metrics()["CustomerParked"] >= 1
    assert foreword_cloud.dead_letters == {}

    boto3.client("dynamodb").delete_item(
        TableName=name, Key={"customer_id": {"S": "c-poison"}, "fact": {"S": "old#1"}}
    )
    foreword_cloud.advance(by=timedelta(hours=2))
    states = {
        item["customer_id"]: item for item in foreword_cloud.table("customers") if item["item"] == "state"
    }
    assert "parked" not in states["c-poison"], "the tick looks at a parked customer again"
    (message,) = [item for item in foreword_cloud.messages if item["customer_id"] == "c-poison"]
    assert message["reason"] == "NO_ADDRESS"
