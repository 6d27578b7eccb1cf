"""What a stream gives up on is not lost: the tick finds it, and neighbours do not wait for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import boto3
import pytest

from foreword.local.cloud import LocalCloud
from foreword.local.faults import service_error

THROTTLED = service_error("ProvisionedThroughputExceededException")


def contacts(cloud: LocalCloud, customer: str, number: int = 3) -> None:
    cloud.emit("CustomerUpdated", customer, {"email": f"{customer}@example.com"}, source="crm")
    for _ in range(number):
        cloud.emit("SupportContactOpened", customer, {"channel": "phone"}, source="support")


def message_of(cloud: LocalCloud, customer: str) -> dict[str, Any]:
    (message,) = [item for item in cloud.messages if item["customer_id"] == customer]
    return message


@pytest.mark.foreword(at="2026-03-02T10:00:00Z")
def test_a_message_whose_stream_record_was_given_up_is_sent_when_the_store_is_back(
    foreword_cloud: LocalCloud,
) -> None:
    fault = ("dynamodb", "BatchGetItem")
    foreword_cloud.faults.fail(*fault, error=THROTTLED, times=10_000, function="deliver_message")
    contacts(foreword_cloud, "c-1")
    foreword_cloud.advance(by=timedelta(minutes=10))
    assert foreword_cloud.sent == []
    assert foreword_cloud.dead_letters != {}, "the stream has given up"
    foreword_cloud.faults.clear()
    foreword_cloud.advance(by=timedelta(minutes=30))
    assert [message.to for message in foreword_cloud.sent] == ["c-1@example.com"]
    assert message_of(foreword_cloud, "c-1")["status"] == "SENT"


@pytest.mark.foreword(at="2026-03-02T10:00:00Z")
def test_a_message_that_nobody_can_deliver_in_time_ends_as_expired(foreword_cloud: LocalCloud) -> None:
    fault = ("dynamodb", "TransactWriteItems")
    foreword_cloud.faults.fail(*fault, error=THROTTLED, times=10_000, function="deliver_message")
    contacts(foreword_cloud, "c-1")
    foreword_cloud.advance(by=timedelta(hours=30))
    assert foreword_cloud.sent == []
    foreword_cloud.faults.clear()  # its end is a transaction too: it gives a place under the caps back
    foreword_cloud.advance(by=timedelta(minutes=30))
    assert foreword_cloud.sent == []
    assert message_of(foreword_cloud, "c-1")["reason"] == "EXPIRED"


@pytest.mark.foreword(at="2026-03-02T10:00:00Z")
def test_one_message_that_cannot_be_read_holds_its_neighbours_up_for_seconds(
    foreword_cloud: LocalCloud,
) -> None:
    contacts(foreword_cloud, "c-poison", 2)
    name = next(table for table in boto3.client("dynamodb").list_tables()["TableNames"] if "essages" in table)
    poison = {
        "customer_id": {"S": "c-poison"},
        "message_id": {"S": "0" * 32},
        "rule": {"S": "x"},
        "message": {"S": "x"},
        "status": {"S": "READY"},
        "purpose": {"S": "of another version"},
    }
    boto3.client("dynamodb").put_item(TableName=name, Item=poison)
    start = foreword_cloud.now
    for number in range(12):
        contacts(foreword_cloud, f"c-{number}")
    foreword_cloud.advance(by=timedelta(minutes=1))
    assert len(foreword_cloud.sent) == 12
    assert max(message.at for message in foreword_cloud.sent) - start < timedelta(seconds=60)
    assert foreword_cloud.metrics()["MessagesFailed"] >= 1


@pytest.mark.foreword(at="2026-03-02T10:00:00Z")
def test_an_outage_of_a_quarter_of_an_hour_loses_no_fact(foreword_cloud: LocalCloud) -> None:
    contacts(foreword_cloud, "c-1", 1)
    foreword_cloud.faults.fail(
        "dynamodb", "BatchGetItem", error=THROTTLED, times=10_000, function="evaluate_triggers"
    )
    contacts(foreword_cloud, "c-1", 1)
    foreword_cloud.advance(by=timedelta(minutes=15))
    foreword_cloud.faults.clear()
    foreword_cloud.advance(by=timedelta(minutes=5))
    contacts(foreword_cloud, "c-1", 1)
    foreword_cloud.advance(by=timedelta(minutes=1))
    assert len(foreword_cloud.sent) == 1
    assert foreword_cloud.dead_letters == {}


@pytest.mark.foreword(at="2026-03-02T10:00:00Z")
def test_a_deadline_whose_waking_was_lost_is_met_when_the_store_is_back(foreword_cloud: LocalCloud) -> None:
    foreword_cloud.emit("CustomerUpdated", "c-1", {"phone": "+4915112345678"}, source="crm")
    foreword_cloud.emit("DiagnosisRecorded", "c-1", {"code": "E11"}, source="clinic")
    foreword_cloud.advance(by=timedelta(days=14))
    foreword_cloud.faults.fail(
        "dynamodb", "BatchGetItem", error=THROTTLED, times=100_000, function="evaluate_triggers"
    )
    foreword_cloud.advance(by=timedelta(hours=1))
    foreword_cloud.faults.clear()
    foreword_cloud.advance(by=timedelta(hours=1))
    assert [message.channel for message in foreword_cloud.sent] == ["sms"]
