from __future__ import annotations

from typing import Any

import pytest

from foreword.adapters.message_items import message_from_item, message_item
from foreword.app.handle_changes import Change
from foreword.contracts.messages_stream import read_messages_stream
from foreword.domain.instants import MINUTE
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.outgoing import Outcome
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Channel
from tests.fakes.samples import CUSTOMER, NOON, a_message

READY = a_message(case="order-7")
CALLING = READY.claimed("attempt-1", Channel.EMAIL, NOON)
SENT = CALLING.sent("ses-1", NOON + 1)


def record(new: Message, old: Message | None = None, number: str = "1") -> dict[str, Any]:
    change: dict[str, Any] = {"SequenceNumber": number, "NewImage": message_item(new)}
    if old is not None:
        change["OldImage"] = message_item(old)
    return {"eventID": number, "eventName": "MODIFY" if old else "INSERT", "dynamodb": change}


def read(*records: dict[str, Any]) -> tuple[list[Change], list[str]]:
    return read_messages_stream({"Records": list(records)})


def test_a_ready_image_is_to_be_delivered_whatever_it_was_before() -> None:
    deferred = READY.deferred(NOON, Reason.DEFERRED_QUIET_HOURS)
    change = Change("1", CUSTOMER, READY.message_id, None)
    assert read(record(READY)) == ([change], [])
    assert read(record(deferred.ready_again(NOON), deferred)) == ([change], [])


def test_a_terminal_image_is_to_be_announced_with_what_it_tells() -> None:
    outcome = Outcome(
        customer_id=CUSTOMER,
        message_id=READY.message_id,
        rule="repeated-contacts",
        message="we-are-sorry",
        case="order-7",
        channel="email",
        status=MessageStatus.SENT,
        reason="SENT",
        closed_at=NOON + 1,
    )
    assert read(record(SENT, CALLING)) == ([Change("1", CUSTOMER, READY.message_id, outcome)], [])


def test_a_terminal_state_that_was_there_before_is_not_news() -> None:
    assert read(record(SENT, SENT)) == ([], [])


def test_unknown_settled_by_evidence_is_news() -> None:
    settled = CALLING.unknown(NOON).sent("ses-1", NOON + 1)
    changes, _ = read(record(settled, CALLING.unknown(NOON)))
    assert [change.outcome.status for change in changes if change.outcome] == [MessageStatus.SENT]


@pytest.mark.parametrize("waiting", [CALLING, READY.deferred(NOON + MINUTE, Reason.DEFERRED_QUIET_HOURS)])
def test_what_waits_is_nobodys_business(waiting: Message) -> None:
    assert read(record(waiting, READY)) == ([], [])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda image: image.pop("status"),
        lambda image: image.update(status={"S": "NEW_IN_A_LATER_RELEASE"}),
        lambda image: image.update(customer_id={"N": "7"}),
        lambda image: image.pop("closed_at"),
        lambda image: image.update(closed_at={"S": "yesterday"}),
    ],
)
def test_a_record_that_cannot_be_read_fails_alone(spoil: Any) -> None:
    bad = record(SENT, CALLING, "2")
    spoil(bad["dynamodb"]["NewImage"])
    changes, unreadable = read(record(READY), bad, record(READY, number="3"))
    assert ([change.sequence_number for change in changes], unreadable) == (["1", "3"], ["2"])


@pytest.mark.parametrize("message", [READY, CALLING, SENT, CALLING.unknown(NOON), CALLING.backed_off(NOON)])
def test_a_message_survives_its_item(message: Message) -> None:
    item = message_item(message)
    assert message_from_item(item) == message
    assert ("due_at" in item) == ("due_shard" in item) == (message.due_at is not None)
    assert None not in item.values()
