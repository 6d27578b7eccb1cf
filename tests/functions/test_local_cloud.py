"""Foreword's own handlers, documents and template in the local cloud, through the fixture users get."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from foreword.local.cloud import LocalCloud

CONTACT = "SupportContactOpened"


def test_the_third_contact_in_a_week_brings_one_email(foreword_cloud: LocalCloud) -> None:
    profile = {"email": "ada@example.com", "locale": "en", "timezone": "Europe/Vienna"}
    foreword_cloud.emit("CustomerUpdated", "c1", profile, source="crm")
    for _ in range(3):
        foreword_cloud.emit(CONTACT, "c1", {"channel": "phone"}, source="support")
        foreword_cloud.advance(by=timedelta(hours=2))

    (message,) = foreword_cloud.sent_to("ada@example.com")
    assert message.customer == "c1"
    assert [item["status"] for item in foreword_cloud.messages] == ["SENT"]
    assert [event.type for event in foreword_cloud.bus_events].count("MessageSent") == 1
    assert [event.type for event in foreword_cloud.bus_events].count("MessageDelivered") == 1
    assert foreword_cloud.dead_letters == {}
    assert [one for one in foreword_cloud.invocations if one.error is not None] == []


@pytest.mark.foreword(at="2026-03-02T22:30:00Z")
def test_a_message_in_the_night_is_held_until_the_morning(foreword_cloud: LocalCloud) -> None:
    profile = {"phone": "+4366012345678", "locale": "de-AT", "timezone": "Europe/Vienna"}
    foreword_cloud.emit("CustomerUpdated", "c1", profile, source="crm")
    for _ in range(3):
        foreword_cloud.emit(CONTACT, "c1", {"channel": "chat"}, source="support")
    assert foreword_cloud.sent == []

    foreword_cloud.advance(by=timedelta(hours=12))
    (message,) = foreword_cloud.sent_to("+4366012345678")
    assert (message.channel, message.customer) == ("sms", "c1")
    assert message.at > datetime(2026, 3, 3, 6, tzinfo=UTC)


def test_an_event_without_an_id_is_quarantined_with_its_reason(foreword_cloud: LocalCloud) -> None:
    foreword_cloud.put_events(
        [{"Source": "support", "DetailType": CONTACT, "Detail": '{"customer_id": "c1"}'}]
    )

    (refused,) = foreword_cloud.quarantined
    assert refused.attributes["reason"]
    assert refused.content["detail"] == {"customer_id": "c1"}
    assert [fact for fact in foreword_cloud.table("activity") if fact["source"] == "support"] == []
