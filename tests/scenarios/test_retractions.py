"""An event taken back, from the bus to what becomes of the message: nothing is sent for what never was."""

from __future__ import annotations

from datetime import timedelta

import pytest

from foreword.local.cloud import LocalCloud

ADA = {"email": "ada@example.com", "locale": "en", "timezone": "Europe/Berlin"}
DAY = timedelta(days=1)


def contact(cloud: LocalCloud, id: str, *, retracts: str | None = None) -> None:
    if retracts is None:
        cloud.emit("SupportContactOpened", "ada", {"channel": "phone"}, source="support", id=id)
    else:
        cloud.emit("SupportContactWithdrawn", "ada", source="support", id=id, retracts=retracts)


def test_a_contact_taken_back_does_not_count(foreword_cloud: LocalCloud) -> None:
    foreword_cloud.emit("CustomerUpdated", "ada", ADA, source="crm")
    contact(foreword_cloud, "1")
    contact(foreword_cloud, "2")
    contact(foreword_cloud, "2-withdrawn", retracts="2")
    foreword_cloud.advance(by=DAY)
    contact(foreword_cloud, "3")
    assert not foreword_cloud.messages
    contact(foreword_cloud, "4")
    assert len(foreword_cloud.sent) == 1


def test_it_may_come_before_what_it_takes_back(foreword_cloud: LocalCloud) -> None:
    foreword_cloud.emit("CustomerUpdated", "ada", ADA, source="crm")
    contact(foreword_cloud, "3-withdrawn", retracts="3")
    for id in ("1", "2", "3"):
        contact(foreword_cloud, id)
    assert not foreword_cloud.messages


@pytest.mark.foreword(at="2026-03-02T21:00:00Z")
def test_what_has_not_left_yet_stays(foreword_cloud: LocalCloud) -> None:
    foreword_cloud.emit("CustomerUpdated", "ada", ADA, source="crm")
    for id in ("1", "2", "3"):
        contact(foreword_cloud, id)
    (held,) = foreword_cloud.messages
    assert held["status"] == "DEFERRED"
    contact(foreword_cloud, "3-withdrawn", retracts="3")
    foreword_cloud.advance(by=DAY)
    (ended,) = foreword_cloud.messages
    assert (ended["status"], ended["reason"]) == ("NOT_SENT", "RETRACTED")
    assert not foreword_cloud.sent


def test_what_was_sent_stays_sent(foreword_cloud: LocalCloud) -> None:
    foreword_cloud.emit("CustomerUpdated", "ada", ADA, source="crm")
    for id in ("1", "2", "3"):
        contact(foreword_cloud, id)
    contact(foreword_cloud, "3-withdrawn", retracts="3")
    foreword_cloud.advance(by=DAY)
    (message,) = foreword_cloud.messages
    assert message["status"] == "SENT"
    assert len(foreword_cloud.sent) == 1


def test_another_sources_event_of_the_same_id_is_left_alone(foreword_cloud: LocalCloud) -> None:
    foreword_cloud.emit("CustomerUpdated", "ada", ADA, source="crm")
    contact(foreword_cloud, "1")
    contact(foreword_cloud, "2")
    foreword_cloud.emit("OrderCancelled", "ada", {"order_id": "o-1"}, source="shop", id="x", retracts="2")
    contact(foreword_cloud, "3")
    assert len(foreword_cloud.sent) == 1


def test_a_profile_is_not_taken_back(foreword_cloud: LocalCloud) -> None:
    foreword_cloud.emit("CustomerUpdated", "ada", ADA, source="crm", id="profile")
    foreword_cloud.emit("CustomerUndone", "ada", source="crm", id="undone", retracts="profile")
    for id in ("1", "2", "3"):
        contact(foreword_cloud, id)
    assert len(foreword_cloud.sent_to(ADA["email"])) == 1
