"""A task for another service, from its message to the bus and back: never twice, never lost unseen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Literal

import pytest
from botocore.exceptions import ReadTimeoutError

from foreword.domain.rulebook import Channel
from foreword.local.cloud import LocalCloud
from foreword.local.faults import service_error
from foreword.local.records import BusEvent
from tests.fakes.decided import decide
from tests.fakes.samples import CUSTOMER

LOST = ReadTimeoutError(endpoint_url="events")


def decided(cloud: LocalCloud) -> None:
    decide(cloud, channels=(Channel.TASK,))


def tasks(cloud: LocalCloud) -> list[BusEvent]:
    return [event for event in cloud.bus_events if event.type == "TaskRequested"]


def the_message(cloud: LocalCloud) -> dict[str, Any]:
    (message,) = cloud.messages
    return message


def test_a_task_is_on_the_bus_in_the_journal_and_announced(foreword_cloud: LocalCloud) -> None:
    decided(foreword_cloud)
    (task,) = tasks(foreword_cloud)
    (handed,) = foreword_cloud.tasks
    assert (handed["detail-type"], handed["detail"]) == ("TaskRequested", task.detail)
    message = the_message(foreword_cloud)
    assert (message["status"], message["channel"]) == ("SENT", "task")
    assert task.detail["id"] == f"{message['message_id']}/requested"
    assert task.detail["data"]["signals"] == {"contacts": 3}
    journal = {item["type"]: item for item in foreword_cloud.table("activity")}
    assert journal.keys() == {"TaskRequested", "MessageSent"}
    assert journal["TaskRequested"]["customer_id"] == CUSTOMER
    assert foreword_cloud.metrics(service="record_feedback") == {"FeedbackRecorded": 1}
    assert not foreword_cloud.sent


@pytest.mark.parametrize(("when", "status", "put"), [("after", "SENT", 1), ("before", "UNKNOWN", 0)])
def test_an_answer_that_is_lost_is_settled_by_the_task_itself_and_nothing_is_put_again(
    foreword_cloud: LocalCloud, when: Literal["before", "after"], status: str, put: int
) -> None:
    foreword_cloud.faults.fail("events", "PutEvents", error=LOST, when=when, function="deliver_message")
    decided(foreword_cloud)
    assert the_message(foreword_cloud)["status"] == ("SENT" if put else "CALLING")
    foreword_cloud.advance(by=timedelta(hours=2))
    assert the_message(foreword_cloud)["status"] == status
    assert len(tasks(foreword_cloud)) == put


def test_a_task_that_the_bus_refused_is_put_again_later_once(foreword_cloud: LocalCloud) -> None:
    throttled = service_error("ThrottlingException", 400)
    foreword_cloud.faults.fail("events", "PutEvents", error=throttled, function="deliver_message")
    decided(foreword_cloud)
    assert (the_message(foreword_cloud)["reason"], tasks(foreword_cloud)) == ("DEFERRED_BY_PROVIDER", [])
    foreword_cloud.advance(by=timedelta(minutes=2))
    assert the_message(foreword_cloud)["status"] == "SENT"
    assert len(tasks(foreword_cloud)) == 1


CALLS = 13
"""How many AWS calls the functions make for one task: to put it, to remember it, to settle and announce it."""


@pytest.fixture(scope="class")
def cloud() -> Iterator[LocalCloud]:
    """One for all cases: each is a customer of its own."""
    with LocalCloud() as cloud:
        yield cloud


class TestKilledAtEveryCall:
    def test_the_cases_cover_every_call(self, cloud: LocalCloud) -> None:
        so_far = len(cloud.invocations)
        decide(cloud, customer_id="undisturbed", channels=(Channel.TASK,))
        assert sum(len(one.aws_calls) for one in cloud.invocations[so_far:]) == CALLS

    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize("call", range(1, CALLS + 1))
    def test_no_task_is_put_twice_or_lost(
        self, cloud: LocalCloud, call: int, when: Literal["before", "after"]
    ) -> None:
        customer = f"{when}-{call}"
        cloud.faults.kill_any(call=call, when=when)
        decide(cloud, customer_id=customer, channels=(Channel.TASK,))
        cloud.advance(by=timedelta(days=2))
        assert not cloud.faults.armed, "the call was never made"

        (message,) = [item for item in cloud.messages if item["customer_id"] == customer]
        put = sum(task.detail["customer_id"] == customer for task in tasks(cloud))
        assert (put, message["status"]) in {(1, "SENT"), (0, "UNKNOWN")}
        journal = [item["type"] for item in cloud.table("activity") if item["customer_id"] == customer]
        assert journal.count("TaskRequested") == put
        assert journal.count("MessageSent" if put else "MessageOutcomeUnknown") == 1
        assert not cloud.dead_letters


def test_a_customer_who_wants_no_calls_is_no_task(foreword_cloud: LocalCloud) -> None:
    choice = {"topic": "care", "channel": "task", "choice": "out"}
    foreword_cloud.emit("PreferenceChanged", CUSTOMER, choice, source="crm")
    decided(foreword_cloud)
    assert (the_message(foreword_cloud)["reason"], tasks(foreword_cloud)) == ("NO_CONSENT", [])
