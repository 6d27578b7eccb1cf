"""The delivery status of a text message, as SNS writes it into CloudWatch Logs: one JSON text a line.

    {"notification": {"messageId": "34d9b400-…", "timestamp": "2026-03-04 12:00:01.558"},
     "delivery": {"destination": "+4915112345678", "providerResponse": "Message has been accepted by phone carrier",
                  "dwellTimeMs": 599, …},
     "status": "SUCCESS"}

SNS keeps no tags of ours: a message is found by the `messageId` that Publish answered with. Of `providerResponse`,
which is a sentence, one word of ours is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from foreword.contracts.log_events import LogLine, read_log_lines
from foreword.domain import json_text
from foreword.domain.feedback import Feedback, FeedbackKind
from foreword.domain.instants import format_instant
from foreword.domain.rulebook import Channel

LOG_GROUP = "sns/"

_FAILURES = (
    ("opted out", "Permanent", "OptedOut"),
    ("invalid phone number", "Permanent", "InvalidNumber"),
    ("phone has blocked sms", "Permanent", "Blocked"),
    ("phone is on a blocked list", "Permanent", "Blocked"),
    ("destination is on a blocked list", "Permanent", "Blocked"),
    ("carrier has blocked", "Undetermined", "CarrierBlocked"),
    ("blocked as spam", "Undetermined", "Spam"),
    ("unreachable/unavailable", "Transient", "Unreachable"),
    ("max price", "Undetermined", "PriceLimit"),
    ("message body is invalid", "Undetermined", "InvalidBody"),
)
"""Words of `providerResponse`, and what they say of the number: only what will never change is Permanent."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Notification(_Part):
    message_id: str = Field(alias="messageId", min_length=1, max_length=256)


class _Delivery(_Part):
    destination: str | None = None
    response: str = Field(default="", alias="providerResponse")


class _Status(_Part):
    notification: _Notification
    delivery: _Delivery
    status: Literal["SUCCESS", "FAILURE"]


@dataclass(frozen=True, slots=True)
class SmsStatus:
    """What SNS says of the text message with that id of its own; whose it is has to be looked up."""

    provider_message_id: str
    delivered: bool
    line: LogLine
    details: dict[str, str]
    address: str | None

    def about(self, customer_id: str, message_id: str) -> Feedback:
        return Feedback(
            FeedbackKind.DELIVERED if self.delivered else FeedbackKind.BOUNCED,
            customer_id,
            message_id,
            self.provider_message_id,
            self.line.at,
            format_instant(self.line.at),
            Channel.SMS,
            self.details,
            self.address,
        )


def read_sms_statuses(event: Any) -> Sequence[SmsStatus]:
    """Those in an event of the logs' subscription; a line that is none is left out, and nothing is raised."""
    found: list[SmsStatus] = []
    for line in read_log_lines(event, LOG_GROUP):
        try:
            said = _Status.model_validate(json_text.loads(line.text))
        except ValueError:
            continue
        delivered = said.status == "SUCCESS"
        details = {} if delivered else _failure(said.delivery.response)
        found.append(
            SmsStatus(said.notification.message_id, delivered, line, details, said.delivery.destination)
        )
    return found


def _failure(response: str) -> dict[str, str]:
    plain = response.casefold()
    for words, kind, sub_kind in _FAILURES:
        if words in plain:
            return {"bounce_type": kind, "bounce_sub_type": sub_kind}
    return {"bounce_type": "Undetermined", "bounce_sub_type": "Unknown"}
