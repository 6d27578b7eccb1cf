"""SES's events as EventBridge brings them from the account's default bus.

Only what is used is read: recipients, headers, links, diagnostics and the client's address stay where they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from foreword.domain.feedback import Feedback, FeedbackKind
from foreword.domain.instants import parse_instant
from foreword.domain.tags import CUSTOMER_TAG, MESSAGE_TAG, named_by

CONFIGURATION_SET_TAG = "ses:configuration-set"

_WORD = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


class Ignored(StrEnum):
    """Why an event is none that Foreword records."""

    MALFORMED = "MALFORMED"
    NOT_FROM_SES = "NOT_FROM_SES"
    OTHER_CONFIGURATION_SET = "OTHER_CONFIGURATION_SET"
    NOT_TAGGED = "NOT_TAGGED"
    NOT_USED = "NOT_USED"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Mail(_Part):
    timestamp: str
    message_id: str = Field(alias="messageId", min_length=1, max_length=256)
    tags: Mapping[str, list[str]] = {}

    def tag(self, name: str) -> str:
        """Its one value, empty where it has none or several."""
        values = self.tags.get(name, [])
        return values[0] if len(values) == 1 else ""


class _Statement(_Part):
    """What the event's own part says; each kind of event fills some of these."""

    timestamp: str | None = None
    bounce_type: str | None = Field(default=None, alias="bounceType")
    bounce_sub_type: str | None = Field(default=None, alias="bounceSubType")
    complaint_type: str | None = Field(default=None, alias="complaintFeedbackType")
    delay_type: str | None = Field(default=None, alias="delayType")

    def details(self) -> dict[str, str]:
        said = self.model_dump(exclude={"timestamp"}, exclude_none=True)
        return {name: word for name, word in said.items() if _WORD.fullmatch(word)}


class _Detail(_Part):
    event_type: str = Field(alias="eventType")
    mail: _Mail
    bounce: _Statement = _Statement()
    complaint: _Statement = _Statement()
    delivery: _Statement = _Statement()
    delivery_delay: _Statement = Field(default=_Statement(), alias="deliveryDelay")
    open: _Statement = _Statement()
    click: _Statement = _Statement()


class _Event(_Part):
    source: str
    detail: _Detail


_KINDS = {
    "Send": (FeedbackKind.SENT, None),
    "Delivery": (FeedbackKind.DELIVERED, "delivery"),
    "DeliveryDelay": (FeedbackKind.DELAYED, "delivery_delay"),
    "Bounce": (FeedbackKind.BOUNCED, "bounce"),
    "Complaint": (FeedbackKind.COMPLAINED, "complaint"),
    "Open": (FeedbackKind.OPENED, "open"),
    "Click": (FeedbackKind.CLICKED, "click"),
    "Reject": (FeedbackKind.REJECTED, None),
    "Rendering Failure": (FeedbackKind.REJECTED, None),
}


def read_ses_event(event: Any, configuration_set: str) -> Feedback | Ignored:
    """The feedback in an EventBridge event; whatever comes in, nothing is raised."""
    try:
        parsed = _Event.model_validate(event)
    except ValidationError:
        return Ignored.MALFORMED
    if parsed.source != "aws.ses":
        return Ignored.NOT_FROM_SES
    detail, mail = parsed.detail, parsed.detail.mail
    if mail.tag(CONFIGURATION_SET_TAG) != configuration_set:
        return Ignored.OTHER_CONFIGURATION_SET
    named = named_by(mail.tag(MESSAGE_TAG), mail.tag(CUSTOMER_TAG))
    if named is None:
        return Ignored.NOT_TAGGED
    if detail.event_type not in _KINDS:
        return Ignored.NOT_USED
    kind, part = _KINDS[detail.event_type]
    statement: _Statement = _Statement() if part is None else getattr(detail, part)
    time = statement.timestamp or mail.timestamp
    try:
        occurred_at = parse_instant(time)
    except ValueError:
        return Ignored.MALFORMED
    return Feedback(kind, *named, mail.message_id, occurred_at, time, statement.details())
