"""The samples of events/samples: what each function is handed, committed, and held against the local cloud."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from foreword.contracts.activity_stream import facts_by_customer
from foreword.contracts.messages_stream import read_messages_stream
from foreword.contracts.ses_events import read_ses_event
from foreword.contracts.sms_status import read_sms_statuses
from foreword.domain.errors import InvalidEvent
from foreword.domain.facts import DEADLINE_REACHED
from foreword.domain.feedback import Feedback, FeedbackKind
from foreword.domain.tags import tags_of
from tests.contracts.record_samples import HOPS, SAMPLES, bus_cases, bus_events, record, steady, text_of

CASES = bus_cases()
EVENTS = bus_events()
COMMITTED = {
    (path.parent.name, path.stem): path
    for path in sorted(SAMPLES.glob("*/*.json"))
    if path.parent.name in HOPS
}
REFUSED = {"breaks-schema": "BREAKS_SCHEMA", "invalid-time": "INVALID_TIME"}


def of(hop: str) -> list[Any]:
    """The committed samples of a hop, as (case, event)."""
    return [
        pytest.param(case, json.loads(path.read_text("utf-8")), id=case)
        for (found, case), path in COMMITTED.items()
        if found == hop
    ]


def customers(case: str) -> set[str | None]:
    return {EVENTS.customer_of(event.body(event.at or 0)) for event in CASES[case]}


def ids(case: str) -> list[str]:
    """As the journal knows them, of the events that are right."""
    found = []
    for event in CASES[case]:
        with suppress(InvalidEvent):
            found.append(EVENTS.parse(event.body(event.at or 0), event.at or 0).id)
    return found


def test_the_committed_samples_are_what_the_local_cloud_hands_over_now() -> None:
    recorded = {name: text_of(event) for name, event in record().items()}
    committed = {name: path.read_text("utf-8") for name, path in COMMITTED.items()}
    differing = sorted(
        name for name in recorded.keys() | committed.keys() if recorded.get(name) != committed.get(name)
    )
    assert not differing, "if the change is meant: python -m tests.contracts.record_samples"


def test_every_folder_is_a_hop_and_every_sample_has_its_case_on_the_bus() -> None:
    assert {path.name for path in SAMPLES.iterdir()} == {"bus", "happenings.json", *HOPS}
    assert {case for _, case in COMMITTED} <= CASES.keys()
    assert {hop for hop, _ in COMMITTED} == set(HOPS)


def test_every_case_comes_to_record_activity() -> None:
    assert {case for hop, case in COMMITTED if hop == "record_activity"} == CASES.keys()


@pytest.mark.parametrize("path", [pytest.param(path, id="/".join(name)) for name, path in COMMITTED.items()])
def test_nothing_that_moves_is_left(path: Path) -> None:
    event = json.loads(path.read_text("utf-8"))
    assert steady(event) == event


@pytest.mark.parametrize(("case", "event"), of("record_activity"))
def test_bus_events_reads_what_the_queue_hands_over(case: str, event: Any) -> None:
    (queued,) = event["Records"]
    received_at = int(queued["attributes"]["SentTimestamp"]) * 1000
    if case in REFUSED:
        with pytest.raises(InvalidEvent) as refused:
            EVENTS.parse(queued["body"], received_at)
        assert refused.value.reason == REFUSED[case]
        return
    fact = EVENTS.parse(queued["body"], received_at)
    assert fact.id == ids(case)[-1]
    assert fact.customer_id in customers(case)


@pytest.mark.parametrize(("case", "event"), of("evaluate_triggers"))
def test_activity_stream_reads_the_journals_images(case: str, event: Any) -> None:
    (customer,) = facts_by_customer(event["Records"])
    assert customer.customer_id in customers(case)
    (fact,) = customer.facts
    assert customer.sequence_numbers == [event["Records"][0]["dynamodb"]["SequenceNumber"]]
    assert fact.type == DEADLINE_REACHED or fact.id in ids(case)
    assert fact.received_at >= fact.occurred_at


@pytest.mark.parametrize(("case", "event"), of("deliver_message"))
def test_messages_stream_reads_the_outboxs_images(case: str, event: Any) -> None:
    changes, unreadable = read_messages_stream(event)
    assert not unreadable
    images = [entry["dynamodb"]["NewImage"] for entry in event["Records"]]
    for change, image in zip(changes, images, strict=True):
        assert change.customer_id in customers(case)
        was_sent = image["status"]["S"] == "READY"
        assert (change.outcome is None) is was_sent
        if change.outcome is not None:
            assert change.outcome.reason == image["reason"]["S"]


TOLD = of("record_feedback")


@pytest.mark.parametrize(("case", "event"), [one for one in TOLD if "awslogs" in one.values[1]])
def test_sms_statuses_are_read_out_of_the_log_as_it_is_packed(case: str, event: Any) -> None:
    (status,) = read_sms_statuses(event)
    assert status.delivered
    delivered = json.loads(COMMITTED["deliver_message", case].read_text("utf-8"))
    image = delivered["Records"][0]["dynamodb"]["NewImage"]
    assert {"S": "sms"} in image["channels"]["L"]


@pytest.mark.parametrize(("case", "event"), [one for one in TOLD if "awslogs" not in one.values[1]])
def test_ses_events_reads_what_ses_tells(case: str, event: Any) -> None:
    feedback = read_ses_event(event, "foreword-dev")
    assert isinstance(feedback, Feedback)
    assert feedback.kind is FeedbackKind.DELIVERED
    assert feedback.customer_id in customers(case)
    # The same message that was delivered: the tags lead back to it.
    delivered = json.loads(COMMITTED["deliver_message", case].read_text("utf-8"))
    image = delivered["Records"][0]["dynamodb"]["NewImage"]
    if image["status"]["S"] == "READY":  # else the sample is of a later one, which was not sent
        assert feedback.message_id == image["message_id"]["S"]
    tags = {name: [value] for name, value in tags_of(feedback.customer_id, feedback.message_id).items()}
    assert event["detail"]["mail"]["tags"].items() >= tags.items()


@pytest.mark.parametrize(("case", "event"), of("release_due"))
def test_a_tick_comes_on_the_full_minute(case: str, event: Any) -> None:
    assert (event["source"], event["detail-type"]) == ("aws.scheduler", "Scheduled Event")
    assert event["time"].endswith(":00Z")
