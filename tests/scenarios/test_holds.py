"""What ends a hold sooner, or later, than was known when it began is known to the messages that wait."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from foreword.local.cloud import LocalCloud

ADA = {"email": "ada@example.com", "timezone": "Europe/Berlin"}


def held(cloud: LocalCloud, *before: str) -> Mapping[str, Any]:
    """A message of marketing, which an open complaint or a bad week holds back."""
    cloud.emit("CustomerUpdated", "ada", ADA, source="crm")
    cloud.emit("PreferenceChanged", "ada", {"topic": "advice", "channel": "email", "choice": "in"})
    for number, event in enumerate(before):
        data = {"complaint_id": f"k-{number}"} if event == "ComplaintOpened" else {"channel": "phone"}
        cloud.emit(event, "ada", data)
    cloud.emit("OrderDelivered", "ada", {"order_id": "o-1"})
    return waiting(cloud)


def waiting(cloud: LocalCloud) -> Mapping[str, Any]:
    (message,) = cloud.messages
    assert not cloud.sent
    assert message["status"] == "DEFERRED"
    return message


def due(message: Mapping[str, Any]) -> str:
    return str(message["due_at"])[:16]


def test_a_complaint_that_is_resolved_gives_the_hold_its_end(foreword_cloud: LocalCloud) -> None:
    unknown = held(foreword_cloud, "ComplaintOpened")
    assert (unknown["reason"], unknown["due_at"]) == ("ON_HOLD", unknown["deliver_by"])
    foreword_cloud.emit("ComplaintResolved", "ada", {"complaint_id": "k-0"})
    assert due(waiting(foreword_cloud)) == "2026-03-07T09:00", "five days after it"
    foreword_cloud.advance(to="2026-03-07T09:01:00Z")
    assert [sent.to for sent in foreword_cloud.sent] == ["ada@example.com"]


def test_a_second_complaint_holds_on(foreword_cloud: LocalCloud) -> None:
    held(foreword_cloud, "ComplaintOpened", "ComplaintOpened")
    foreword_cloud.emit("ComplaintResolved", "ada", {"complaint_id": "k-0"})
    still = waiting(foreword_cloud)
    assert still["due_at"] == still["deliver_by"]
    foreword_cloud.advance(by=timedelta(days=8))
    assert [message["reason"] for message in foreword_cloud.messages] == ["ON_HOLD"]
    assert not foreword_cloud.sent


def test_another_bad_day_makes_the_wait_longer_and_a_good_one_ends_it(foreword_cloud: LocalCloud) -> None:
    first = held(foreword_cloud, "SupportContactOpened")
    assert (first["reason"], due(first)) == ("UNWILLING", "2026-03-09T09:00")
    foreword_cloud.advance(to="2026-03-03T10:00:00Z")
    foreword_cloud.emit("OrderReturned", "ada", {"order_id": "o-1"})
    assert due(waiting(foreword_cloud)) == "2026-03-09T09:00", "by then it expires: no longer"
    for number in range(2):
        foreword_cloud.emit("OrderPlaced", "ada", {"order_id": f"o-2{number}", "amount": 20})
    assert [sent.to for sent in foreword_cloud.sent] == ["ada@example.com"]


def test_an_event_that_changes_no_end_writes_no_message(foreword_cloud: LocalCloud) -> None:
    before = held(foreword_cloud, "ComplaintOpened")
    foreword_cloud.emit("OrderPlaced", "ada", {"order_id": "o-9", "amount": 20})
    assert waiting(foreword_cloud)["version"] == before["version"]
