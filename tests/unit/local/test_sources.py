"""What wakes a function, and what happens when it fails."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from foreword.local.cloud import LocalCloud
from foreword.local.records import Tick
from foreword.local.sources.source import failed_items
from tests.unit.local.support import template, written


def seen(cloud: LocalCloud) -> dict[str, int]:
    """How often local_watch handled each item."""
    return {item["id"]: item["times"] for item in cloud.table("seen") if item["kind"] == "seen"}


def runs(cloud: LocalCloud, function: str) -> list[Any]:
    return [one for one in cloud.invocations if one.function == function]


def put_items(cloud: LocalCloud, *texts: str) -> None:
    """Several items into the stream at once, ids a, b, c ..."""
    client = boto3.client("dynamodb")
    for name, text in zip("abcdefghij", texts, strict=False):
        item = {"id": {"S": name}, "kind": {"S": "item"}, "text": {"S": text}}
        client.put_item(TableName="foreword-Items", Item=item)
    cloud.settle()


# ---- queues


def test_the_events_of_one_request_make_one_batch(cloud: LocalCloud) -> None:
    entries = [
        {"Source": "test", "DetailType": "Asked", "Detail": json.dumps({"id": str(n), "data": {}})}
        for n in range(3)
    ]
    cloud.put_events(entries)
    assert [len(one.event["Records"]) for one in runs(cloud, "local_gather")] == [3]


def test_a_reported_message_comes_back_alone_after_the_visibility_timeout(cloud: LocalCloud) -> None:
    cloud.put_events(
        [
            {"Source": "test", "DetailType": "Asked", "Detail": '{"id": "bad", "data": {"fail": true}}'},
            {"Source": "test", "DetailType": "Asked", "Detail": '{"id": "good", "data": {}}'},
        ]
    )
    assert [item["id"] for item in cloud.table("items")] == ["good"]
    assert cloud.waiting() == 1

    cloud.advance(by=timedelta(seconds=179))
    assert len(runs(cloud, "local_gather")) == 1
    cloud.advance(by=timedelta(seconds=2))
    (again,) = runs(cloud, "local_gather")[1].event["Records"]
    assert again["attributes"]["ApproximateReceiveCount"] == "2"


def test_a_message_received_too_often_becomes_a_dead_letter(cloud: LocalCloud) -> None:
    cloud.emit("Asked", "c1", {"raise": True})
    cloud.advance(by=timedelta(minutes=30))

    assert len(runs(cloud, "local_gather")) == 3
    (letter,) = cloud.dead_letters["dead"]
    assert letter.content["detail"]["data"] == {"raise": True}
    assert letter.at == runs(cloud, "local_gather")[2].at + timedelta(minutes=3, milliseconds=1)
    assert cloud.waiting() == 0


# ---- streams


def test_only_what_the_filter_lets_through_reaches_the_function(cloud: LocalCloud) -> None:
    put_items(cloud, "one")
    put_items(cloud, "two")  # a MODIFY
    assert seen(cloud) == {"a": 1}
    assert len(runs(cloud, "local_watch")) == 1


def test_a_bomb_is_bisected_out_and_given_up_while_its_neighbours_go_on(cloud: LocalCloud) -> None:
    put_items(cloud, "x", "x", "bomb", "x")
    cloud.advance(by=timedelta(minutes=1))

    assert set(seen(cloud)) == {"a", "b", "d"}
    (letter,) = cloud.dead_letters["dead"]
    assert letter.content["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert letter.content["DDBStreamBatchInfo"]["batchSize"] == 1
    sizes = [len(one.event["Records"]) for one in runs(cloud, "local_watch") if one.error is not None]
    assert sizes == [4, 2, 1, 1, 1], "bisecting costs no retry; then once and two retries"


def test_a_reported_failure_moves_the_checkpoint_and_repeats_nothing_before_it(cloud: LocalCloud) -> None:
    put_items(cloud, "x", "x", "poison", "x")
    cloud.advance(by=timedelta(minutes=1))

    counts = seen(cloud)
    assert (counts["a"], counts["b"]) == (1, 1)
    assert "d" in counts
    assert len(cloud.dead_letters["dead"]) == 1


def test_the_first_retry_is_at_once_and_the_next_takes_time(cloud: LocalCloud) -> None:
    put_items(cloud, "bomb")
    assert len(runs(cloud, "local_watch")) == 2
    cloud.advance(by=timedelta(seconds=2))
    assert len(runs(cloud, "local_watch")) == 3
    assert len(cloud.dead_letters["dead"]) == 1


def test_a_record_older_than_its_limit_is_given_up_unseen(tmp_path: Path) -> None:
    document = template()
    mapping = document["Resources"]["WatchStream"]["Properties"]
    del mapping["MaximumRetryAttempts"]
    mapping["MaximumRecordAgeInSeconds"] = 300
    with LocalCloud(template=written(document, tmp_path), published=tmp_path) as cloud:
        put_items(cloud, "bomb")
        cloud.advance(by=timedelta(minutes=10))

        (letter,) = cloud.dead_letters["dead"]
        assert letter.content["requestContext"]["condition"] == "RecordAgeExceeded"
        tries = [one.at for one in runs(cloud, "local_watch")]
        assert len(tries) == 11, "at once, after 1, 2, 4, 8, 16, 32 s, then every minute"


@pytest.mark.parametrize(
    ("result", "failed"),
    [
        (None, []),
        ({}, []),
        ({"batchItemFailures": None}, []),
        ({"batchItemFailures": []}, []),
        ({"batchItemFailures": [{"itemIdentifier": "b"}]}, ["b"]),
        ({"batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "a"}]}, ["a", "b"]),
        ({"batchItemFailures": [{"itemIdentifier": "z"}]}, None),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, None),
        ({"batchItemFailures": [{}]}, None),
        ({"batchItemFailures": "a"}, None),
        ("done", None),
    ],
)
def test_an_answer_that_cannot_be_read_fails_the_whole_batch(result: Any, failed: list[str] | None) -> None:
    assert failed_items(result, ["a", "b"]) == failed


# ---- asynchronous invocations


def test_a_failed_asynchronous_invocation_is_retried_after_one_and_two_minutes_and_then_told(
    cloud: LocalCloud,
) -> None:
    cloud.emit("Asked", "c1", {"email": "complaint@simulator.amazonses.com"})
    cloud.advance(by=timedelta(hours=1))

    failed = [one for one in runs(cloud, "local_hear") if one.error is not None]
    assert [(one.at - failed[0].at).total_seconds() // 60 for one in failed] == [0, 1, 3]
    (letter,) = cloud.dead_letters["dead"]
    assert letter.content["requestContext"]["condition"] == "RetriesExhausted"
    assert letter.content["requestContext"]["approximateInvokeCount"] == 3
    assert letter.content["requestPayload"]["detail"]["eventType"] == "Complaint"
    assert letter.content["responsePayload"]["errorType"] == "RuntimeError"


def test_an_event_too_old_to_retry_is_given_up(tmp_path: Path) -> None:
    document = template()
    document["Resources"]["HearFailures"]["Properties"]["MaximumEventAgeInSeconds"] = 60
    with LocalCloud(template=written(document, tmp_path), published=tmp_path) as cloud:
        cloud.emit("Asked", "c1", {"email": "complaint@simulator.amazonses.com"})
        cloud.advance(by=timedelta(hours=1))

        (letter,) = cloud.dead_letters["dead"]
        assert letter.content["requestContext"]["condition"] == "EventAgeExceeded"
        assert letter.content["requestContext"]["approximateInvokeCount"] == 1


def test_feedback_can_be_told_later(cloud: LocalCloud) -> None:
    cloud.emit("Asked", "c1", {"email": "ada@example.com"})
    cloud.advance(by=timedelta(days=1))
    cloud.feedback(cloud.sent[0], "Bounce")
    assert cloud.sent[0].provider_id in {
        item["id"] for item in cloud.table("seen") if item["kind"] == "Bounce"
    }


# ---- the tick


def due(cloud: LocalCloud, at: str) -> None:
    cloud.emit("Asked", "c1", {"due_shard": "1", "due_at": at})


def test_idle_minutes_are_skipped_and_a_deadline_is_met_on_its_minute(cloud: LocalCloud) -> None:
    due(cloud, "2026-03-09T10:30:20.000000Z")
    cloud.advance(by=timedelta(days=14))

    assert [one.scheduled_for for one in cloud.timeline if isinstance(one, Tick)] == [
        datetime(2026, 3, 9, 10, 31, tzinfo=UTC)
    ]
    (item,) = cloud.table("items")
    assert item["released_at"] == "2026-03-09T10:31:00Z"
    assert "due_at" not in item


def test_a_deadline_already_past_is_met_on_the_next_minute(cloud: LocalCloud) -> None:
    due(cloud, "2026-03-01T00:00:00.000000Z")
    cloud.advance(by=timedelta(minutes=5))
    assert [one.scheduled_for.minute for one in cloud.timeline if isinstance(one, Tick)] == [1]


def test_ticks_skipped_while_nothing_was_due_are_not_run_late(cloud: LocalCloud) -> None:
    cloud.advance(by=timedelta(days=3))
    due(cloud, "2026-03-02T10:00:00.000000Z")
    cloud.advance(by=timedelta(hours=1))
    assert [one.scheduled_for for one in cloud.timeline if isinstance(one, Tick)] == [
        datetime(2026, 3, 5, 9, 1, tzinfo=UTC)
    ]


def test_every_tick_runs_when_that_is_asked_for(mini_template: Path, tmp_path: Path) -> None:
    with LocalCloud(template=mini_template, published=tmp_path, every_tick=True) as cloud:
        cloud.advance(by=timedelta(minutes=10))
        ticks = [one.scheduled_for.minute for one in cloud.timeline if isinstance(one, Tick)]
        assert ticks == list(range(1, 11))


def test_a_tick_that_leaves_the_deadline_runs_again_each_minute(cloud: LocalCloud) -> None:
    due(cloud, "2026-03-02T09:00:30.000000Z")
    cloud.faults.fail("dynamodb", "Scan", error=RuntimeError("down"), times=3)
    cloud.advance(by=timedelta(seconds=290))
    ticks = [one.scheduled_for.minute for one in cloud.timeline if isinstance(one, Tick)]
    assert ticks[:2] == [1, 2]
    assert "due_at" not in cloud.table("items")[0]
