"""What SES tells of a message: published to the event destinations of its configuration set, on a bus.

A message that is accepted is told as sent and as delivered. Addresses of the SES mailbox simulator get what they
get on AWS: bounce@, complaint@ and ooto@simulator.amazonses.com.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from email.utils import parseaddr
from typing import Any, Literal, TypeAlias

from foreword.local.account import ACCOUNT, arn
from foreword.local.deploy.stack import MailEvents
from foreword.local.records import SentMessage

Kind: TypeAlias = Literal[
    "Send", "Delivery", "Bounce", "Complaint", "DeliveryDelay", "Reject", "Open", "Click", "Subscription"
]
# bus ARN, detail-type, detail
Publish: TypeAlias = Callable[[str, str, Mapping[str, Any]], None]

_DETAIL_TYPES: Mapping[str, str] = {
    "Send": "Email Sent",
    "Delivery": "Email Delivered",
    "Bounce": "Email Bounced",
    "Complaint": "Email Complaint Received",
    "DeliveryDelay": "Email Delivery Delayed",
    "Reject": "Email Rejected",
    "Open": "Email Opened",
    "Click": "Email Clicked",
    "Subscription": "Email Subscribed",
}
_SIMULATOR = "simulator.amazonses.com"


def usual_kinds(address: str) -> Sequence[Kind]:
    """What follows when a message to `address` is accepted."""
    local, _, host = parseaddr(address)[1].lower().rpartition("@")
    if host == _SIMULATOR and local.split("+")[0] == "bounce":
        return ("Send", "Bounce")
    if host == _SIMULATOR and local.split("+")[0] == "complaint":
        return ("Send", "Delivery", "Complaint")
    return ("Send", "Delivery")


class MailFeedback:
    """Publishes what happened to a message to every destination that asks for it."""

    def __init__(self, destinations: Sequence[MailEvents], publish: Publish) -> None:
        self._destinations = destinations
        self._publish = publish

    def tell(self, message: SentMessage, configuration_set: str | None, kind: Kind, now: datetime) -> None:
        for destination in self._destinations:
            if destination.configuration_set == configuration_set and kind in destination.kinds:
                detail = _detail(message, configuration_set, kind, now)
                self._publish(destination.bus_arn, _DETAIL_TYPES[kind], detail)


def _detail(message: SentMessage, configuration_set: str, kind: Kind, now: datetime) -> dict[str, Any]:
    sender = message.headers.get("from", "")
    tags = {name: [value] for name, value in message.tags.items()}
    tags |= {
        "ses:operation": ["SendEmail"],
        "ses:configuration-set": [configuration_set],
        "ses:from-domain": [parseaddr(sender)[1].rpartition("@")[2]],
    }
    mail = {
        "timestamp": _text(message.at),
        "source": sender,
        "sourceArn": arn("ses", f"identity/{parseaddr(sender)[1]}"),
        "sendingAccountId": ACCOUNT,
        "messageId": message.provider_id,
        "destination": [message.to],
        "headersTruncated": False,
        "headers": [{"name": name, "value": value} for name, value in message.headers.items()],
        "commonHeaders": {
            "from": [sender],
            "to": [message.to],
            "messageId": message.provider_id,
            "subject": message.subject,
        },
        "tags": tags,
    }
    name = kind[0].lower() + kind[1:]
    return {"eventType": kind, "mail": mail, name: _particulars(kind, message.to, _text(now))}


def _particulars(kind: Kind, to: str, at: str) -> dict[str, Any]:
    if kind == "Delivery":
        return {
            "timestamp": at,
            "recipients": [to],
            "processingTimeMillis": 500,
            "smtpResponse": "250 2.6.0 Message received",
        }
    if kind == "Bounce":
        return {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [
                {
                    "emailAddress": to,
                    "action": "failed",
                    "status": "5.1.1",
                    "diagnosticCode": "smtp; 550 5.1.1 user unknown",
                }
            ],
            "timestamp": at,
            "feedbackId": f"local-bounce-{at}",
        }
    if kind == "Complaint":
        return {
            "complainedRecipients": [{"emailAddress": to}],
            "timestamp": at,
            "complaintFeedbackType": "abuse",
            "feedbackId": f"local-complaint-{at}",
        }
    if kind == "DeliveryDelay":
        return {
            "timestamp": at,
            "delayType": "MailboxFull",
            "delayedRecipients": [{"emailAddress": to, "status": "4.2.2"}],
        }
    if kind == "Subscription":
        topics: dict[str, Any] = {"topicSubscriptionStatus": []}
        return {
            "contactList": "local",
            "timestamp": at,
            "source": "UnsubscribeHeader",
            "newTopicPreferences": {"unsubscribeAll": True, **topics},
            "oldTopicPreferences": {"unsubscribeAll": False, **topics},
        }
    if kind == "Reject":
        return {"reason": "Bad content"}
    if kind == "Send":
        return {}
    return {"timestamp": at, "ipAddress": "192.0.2.1", "userAgent": "local"} | (
        {"link": "https://example.com/"} if kind == "Click" else {}
    )


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
