"""What comes back of messages: it settles them, makes up their history, and ends what must end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from foreword.local.cloud import LocalCloud
from foreword.local.records import SentMessage

EMAIL, NUMBER = "ada@example.com", "+4915112345678"
ADA = {"email": EMAIL, "locale": "en", "timezone": "Europe/Berlin"}
PHONE = {"phone": NUMBER, "locale": "de", "timezone": "Europe/Berlin"}


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(at="2026-01-12T10:00:00Z") as cloud:
        yield cloud


def contacts(cloud: LocalCloud, customer: str = "c-1", profile: dict[str, Any] = ADA) -> None:
    cloud.emit("CustomerUpdated", customer, profile, source="crm")
    for _ in range(3):
        cloud.emit("SupportContactOpened", customer, {"channel": "phone"}, source="support")


def diagnosis(cloud: LocalCloud, customer: str = "c-1") -> SentMessage:
    cloud.emit("CustomerUpdated", customer, PHONE, source="crm")
    cloud.emit("DiagnosisRecorded", customer, {"code": "E11"}, source="clinic")
    cloud.advance(by=timedelta(days=15))
    return cloud.sent_to(NUMBER)[-1]


def steps(cloud: LocalCloud, customer: str = "c-1") -> list[str]:
    """Of the customer's messages, without their times, in order of them."""
    found = [item for item in cloud.messages if item["customer_id"] == customer]
    return [step.split(" ", 1)[1] for item in found for step in sorted(item["steps"])]


def suppressed(cloud: LocalCloud) -> set[str]:
    return {item["customer_id"] for item in cloud.table("consents") if item["suppressed"] != "[]"}


def told(cloud: LocalCloud, kind: str) -> list[dict[str, Any]]:
    return [dict(event.detail["data"]) for event in cloud.bus_events if event.type == kind]


def test_an_emails_whole_history_is_kept_each_step_once(cloud: LocalCloud) -> None:
    contacts(cloud)
    (message,) = cloud.sent
    for kind in ("DeliveryDelay", "Open", "Open", "Click"):
        cloud.feedback(message, kind)
    kept = set(steps(cloud))
    assert kept == {
        *("DECIDED", "CLAIMED email", "SENT email", "DELIVERED"),
        *("DELAYED MailboxFull", "OPENED", "CLICKED"),
    }
    assert not suppressed(cloud)


def test_a_hard_bounce_ends_e_mails_to_that_address_and_to_no_other(cloud: LocalCloud) -> None:
    contacts(cloud)
    (message,) = cloud.sent
    cloud.feedback(message, "Bounce")
    assert suppressed(cloud) == {"c-1"}
    assert EMAIL not in str(cloud.table("consents"))
    cloud.advance(by=timedelta(days=40))
    contacts(cloud)
    assert len(cloud.sent) == 1
    assert told(cloud, "MessageSkipped")[-1]["reason"] == "SUPPRESSED"
    cloud.advance(by=timedelta(days=40))
    contacts(cloud, profile={**ADA, "email": "new@example.com"})
    assert [one.to for one in cloud.sent] == [EMAIL, "new@example.com"]


@pytest.mark.parametrize("kind", ["Complaint", "Subscription"])
def test_who_complains_or_leaves_is_not_written_to_again(cloud: LocalCloud, kind: Any) -> None:
    contacts(cloud)
    cloud.feedback(cloud.sent[0], kind)
    cloud.advance(by=timedelta(days=40))
    contacts(cloud)
    assert len(cloud.sent) == 1
    assert told(cloud, "MessageSkipped")[-1]["reason"] == "SUPPRESSED"


def test_what_suppresses_is_one_fact_whatever_comes_back_over_the_bus(cloud: LocalCloud) -> None:
    contacts(cloud)
    for _ in range(2):
        cloud.feedback(cloud.sent[0], "Bounce")
    bounces = [item for item in cloud.table("activity") if item["type"] == "MessageBounced"]
    assert len(bounces) == 1
    assert not cloud.dead_letters
    assert not cloud.quarantined


def test_a_text_message_is_known_to_be_delivered(cloud: LocalCloud) -> None:
    diagnosis(cloud)
    assert steps(cloud) == ["DECIDED", "CLAIMED sms", "SENT sms", "DELIVERED"]
    assert [one["channel"] for one in told(cloud, "MessageDelivered")] == ["sms"]


def test_a_number_that_refuses_text_messages_gets_no_more(cloud: LocalCloud) -> None:
    message = diagnosis(cloud)
    cloud.sms_failed(message, "Phone is currently unreachable/unavailable")
    assert not suppressed(cloud)
    cloud.sms_failed(message, "Phone has blocked SMS")
    assert suppressed(cloud) == {"c-1"}
    assert [one["bounce_type"] for one in told(cloud, "MessageBounced")] == ["Transient", "Permanent"]
    assert NUMBER not in str(cloud.bus_events[1:])


def test_a_stop_ends_text_messages_to_whoever_has_that_number(cloud: LocalCloud) -> None:
    diagnosis(cloud)
    cloud.emit("CustomerUpdated", "c-2", PHONE, source="crm")
    cloud.reply(NUMBER, "Danke!")
    assert not suppressed(cloud)
    cloud.reply(NUMBER, "stopp")
    assert suppressed(cloud) == {"c-1", "c-2"}
    assert told(cloud, "AddressSuppressed") == [{"channel": "sms", "cause": "STOP_REPLY"}] * 2
    cloud.emit("DiagnosisRecorded", "c-2", {"code": "E11"}, source="clinic")
    cloud.advance(by=timedelta(days=15))
    assert len(cloud.sent) == 1
    assert told(cloud, "MessageSkipped")[-1]["reason"] == "SUPPRESSED"


def test_the_providers_own_lists_are_heeded_from_the_next_day_on(cloud: LocalCloud) -> None:
    cloud.emit("CustomerUpdated", "c-1", ADA, source="crm")
    cloud.emit("CustomerUpdated", "c-2", PHONE, source="crm")
    cloud.suppressed_addresses.append("ADA@example.com")
    cloud.opted_out_numbers.append(NUMBER)
    cloud.emit("DiagnosisRecorded", "c-3", {"code": "E11"}, source="clinic")
    cloud.advance(by=timedelta(days=15))
    assert suppressed(cloud) == {"c-1", "c-2"}
    assert [one["cause"] for one in told(cloud, "AddressSuppressed")] == ["PROVIDER_LIST"] * 2


def test_a_lost_answer_is_settled_by_evidence_and_announced_once(cloud: LocalCloud) -> None:
    cloud.faults.kill("deliver_message", call=5, when="after")
    contacts(cloud)
    (message,) = cloud.sent
    (item,) = cloud.messages
    assert (item["status"], item["provider_message_id"]) == ("SENT", message.provider_id)
    assert len(told(cloud, "MessageSent")) == 1


def test_a_text_message_of_a_lost_answer_stays_unknown_whatever_is_logged(cloud: LocalCloud) -> None:
    cloud.emit("CustomerUpdated", "c-1", PHONE, source="crm")
    cloud.emit("DiagnosisRecorded", "c-1", {"code": "E11"}, source="clinic")
    cloud.faults.kill("deliver_message", call=5, when="after")
    cloud.advance(by=timedelta(days=15))
    assert len(cloud.sent) == 1
    assert steps(cloud)[-1] == "UNKNOWN UNKNOWN_OUTCOME"
    assert [event.type for event in cloud.bus_events if event.type == "MessageDelivered"] == []
