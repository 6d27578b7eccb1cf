"""The road through a local cloud, and what it tells of it."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

from foreword.local.cloud import LocalCloud, Refused
from foreword.local.records import BusEvent, Invocation, SentMessage, TableChange


def test_an_event_goes_the_whole_road_to_an_email(cloud: LocalCloud) -> None:
    event_id = cloud.emit("Asked", "c1", {"email": "ada@example.com", "text": "hello"})

    (message,) = cloud.sent_to("ada@example.com")
    assert (message.channel, message.subject, message.text, message.html) == (
        "email",
        "Seen",
        "hello\n",
        "<p>hello</p>\n",
    )
    assert message.tags == {"about": "seen"}
    assert message.headers["x-seen"] == "yes"
    assert message.raw is not None
    assert b"Subject: Seen" in message.raw
    assert [(item["id"], item["text"]) for item in cloud.table("items")] == [(event_id, "hello")]
    assert cloud.dead_letters == {}


def test_what_ses_reports_comes_back_by_the_default_bus(cloud: LocalCloud) -> None:
    cloud.emit("Asked", "c1", {"email": "ada@example.com"})

    heard = {item["kind"] for item in cloud.table("seen")}
    assert heard == {"seen", "Send", "Delivery"}
    assert [
        event.type for event in cloud.timeline if isinstance(event, BusEvent) and event.bus == "default"
    ] == [
        "Email Sent",
        "Email Delivered",
    ]
    assert [event.type for event in cloud.bus_events] == ["Asked"]


def test_an_sms_is_captured_with_its_number(cloud: LocalCloud) -> None:
    cloud.emit("Asked", "c1", {"phone": "+4366012345678", "text": "hello"})

    (message,) = cloud.sent_to("+4366012345678")
    assert (message.channel, message.text, message.subject, message.raw) == ("sms", "hello", None, None)


def test_a_number_on_the_opt_out_list_is_refused(cloud: LocalCloud) -> None:
    cloud.opted_out_numbers.append("+4366012345678")
    cloud.emit("Asked", "c1", {"phone": "+4366012345678"})

    assert cloud.sent == []
    error = cloud.invocations[-1].error
    assert error is not None
    assert error["errorType"] == "InvalidParameterException"


def test_the_timeline_tells_things_in_their_order_and_to_listeners(cloud: LocalCloud) -> None:
    heard: list[type] = []
    cloud.on(lambda record: heard.append(type(record)))
    cloud.emit("Asked", "c1", {"email": "ada@example.com"})

    assert heard == [type(record) for record in cloud.timeline]
    assert heard[:4] == [BusEvent, TableChange, Invocation, SentMessage]
    times = [record.at for record in cloud.timeline if isinstance(record, Invocation)]
    assert times == sorted(set(times)), "each invocation costs time, so no two have the same"


def test_an_invocation_tells_its_calls_and_logs(cloud: LocalCloud) -> None:
    cloud.emit("Asked", "c1")

    gather, watch = cloud.invocations
    assert (gather.function, watch.function) == ("local_gather", "local_watch")
    assert gather.aws_calls == (("dynamodb", "PutItem"),)
    assert gather.logs == "kept event-0001 with 30000 ms left\n"
    assert watch.event["Records"][0]["awsRegion"] == "eu-central-1"


def test_metrics_are_summed_by_name_and_dimension(cloud: LocalCloud) -> None:
    cloud.emit("Asked", "c1", {"email": "ada@example.com"})
    cloud.emit("Asked", "c2", {"email": "bob@example.com"})

    assert cloud.metrics() == {"Heard": 4}
    assert cloud.metrics(kind="Delivery") == {"Heard": 2}


def test_virtual_time_stands_still_and_is_the_handlers_time(cloud: LocalCloud) -> None:
    assert cloud.now == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert time.time() == cloud.now.timestamp()
    cloud.advance(to="2026-03-09T08:00:00+01:00")
    assert cloud.now == datetime(2026, 3, 9, 7, tzinfo=UTC)
    with pytest.raises(ValueError, match="backwards"):
        cloud.advance(to="2026-03-01T00:00:00Z")


def test_aws_refuses_an_event_of_its_own_services_from_outside(cloud: LocalCloud) -> None:
    with pytest.raises(Refused, match="NotAuthorizedForSource"):
        cloud.emit("Email Delivered", "c1", source="aws.ses")


def test_raw_entries_are_answered_one_by_one(cloud: LocalCloud) -> None:
    good = {"Source": "test", "DetailType": "Asked", "Detail": '{"id": "1", "data": {}}'}
    bad = {"Source": "test", "DetailType": "Asked", "Detail": '{"id": NaN}'}
    answers = cloud.put_events([good, bad, good])

    assert ["EventId" in answer for answer in answers] == [True, False, True]
    assert answers[1]["ErrorCode"] == "MalformedDetail"
    assert len(cloud.bus_events) == 2


def test_clouds_follow_and_hold_one_another_without_a_trace(mini_template: Path, tmp_path: Path) -> None:
    before = dict(os.environ)
    with LocalCloud(template=mini_template, published=tmp_path) as outer:
        outer.emit("Asked", "c1")
        with LocalCloud(template=mini_template, published=tmp_path, at="2027-01-01T00:00:00Z") as inner:
            assert inner.table("items") == []
            inner.emit("Asked", "c2", {"text": "inner"})
            assert inner.now.year == 2027
        assert outer.now.year == 2026
        outer.emit("Asked", "c3")
        assert len(outer.table("items")) == 2
    assert dict(os.environ) == before
    assert datetime.now(UTC).year != 2027
    assert time.sleep.__module__ == "time"


def test_two_runs_tell_the_same(mini_template: Path, tmp_path: Path) -> None:
    def run() -> list[object]:
        with LocalCloud(template=mini_template, published=tmp_path) as cloud:
            cloud.emit("Asked", "c1", {"email": "bounce@simulator.amazonses.com"})
            cloud.advance(by=timedelta(days=1))
            return list(cloud.timeline)

    assert run() == run()


def test_nothing_leaves_the_machine(cloud: LocalCloud) -> None:
    from foreword.local.mends.unmocked import UnmockedRequest
    from foreword.local.network import LeavingTheMachine

    with pytest.raises(UnmockedRequest, match="no-such-host"):
        boto3.client("sqs", endpoint_url="https://no-such-host.example").list_queues()
    import socket

    with socket.socket() as out, pytest.raises(LeavingTheMachine, match=r"192\.0\.2\.1"):
        out.connect(("192.0.2.1", 443))


def test_items_past_their_ttl_go_when_they_are_let_go(cloud: LocalCloud) -> None:
    client = boto3.client("dynamodb")
    (table,) = [name for name in client.list_tables()["TableNames"] if "Items" in name]
    for name, seconds in (("old", 60), ("new", 7200)):
        expires = str(int(time.time()) + seconds)
        client.put_item(
            TableName=table, Item={"id": {"S": name}, "kind": {"S": "x"}, "expires_at": {"N": expires}}
        )
    cloud.advance(by=timedelta(hours=1))

    assert len(cloud.table("items")) == 2
    assert cloud.expire_items() == 1
    assert [item["id"] for item in cloud.table("items")] == ["new"]


def test_an_unknown_table_or_function_is_told_with_those_there_are(cloud: LocalCloud) -> None:
    with pytest.raises(LookupError, match="there are items, seen"):
        cloud.table("item")
