"""A message goes by the next channel only when it is certain that nothing arrived by the one before."""

from __future__ import annotations

from datetime import timedelta

from foreword.local.cloud import LocalCloud
from foreword.local.records import SentMessage

ADA = {"email": "ada@customer.example", "phone": "+4915112345678", "timezone": "Europe/Berlin"}


def three_contacts(cloud: LocalCloud, customer: str = "ada", **profile: str) -> SentMessage:
    cloud.emit("CustomerUpdated", customer, {**ADA, **profile}, source="crm")
    for _ in range(3):
        cloud.emit("SupportContactOpened", customer, {"channel": "phone"}, source="support")
    return cloud.sent[-1]


def test_what_bounced_for_good_goes_by_text_message(foreword_cloud: LocalCloud) -> None:
    mail = three_contacts(foreword_cloud)
    assert mail.channel == "email"
    foreword_cloud.feedback(mail, "Bounce")
    assert [sent.channel for sent in foreword_cloud.sent] == ["email", "sms"]
    (message,) = foreword_cloud.messages
    assert (message["status"], message["channel"]) == ("SENT", "sms")
    told = [event.type for event in foreword_cloud.bus_events if event.source == "foreword"]
    assert told.count("MessageSent") == 2
    assert told.count("MessageBounced") == 1


def test_a_bounce_told_twice_is_one_text_message(foreword_cloud: LocalCloud) -> None:
    mail = three_contacts(foreword_cloud)
    foreword_cloud.feedback(mail, "Bounce")
    foreword_cloud.feedback(mail, "Bounce")
    assert [sent.channel for sent in foreword_cloud.sent] == ["email", "sms"]


def test_without_another_channel_it_ends_as_bounced(foreword_cloud: LocalCloud) -> None:
    foreword_cloud.emit("CustomerUpdated", "bob", {"email": "bob@customer.example"}, source="crm")
    for _ in range(3):
        foreword_cloud.emit("SupportContactOpened", "bob", {"channel": "phone"}, source="support")
    (mail,) = foreword_cloud.sent
    foreword_cloud.feedback(mail, "Bounce")
    (message,) = foreword_cloud.messages
    assert (message["status"], message["reason"]) == ("NOT_SENT", "BOUNCED")


def test_after_its_expiry_nothing_follows(foreword_cloud: LocalCloud) -> None:
    mail = three_contacts(foreword_cloud)
    foreword_cloud.advance(by=timedelta(days=2))
    foreword_cloud.feedback(mail, "Bounce")
    assert [sent.channel for sent in foreword_cloud.sent] == ["email"]
    assert foreword_cloud.messages[0]["reason"] == "BOUNCED"
