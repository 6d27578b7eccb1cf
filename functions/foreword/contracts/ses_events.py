"""SES's events as EventBridge brings them from the account's default bus.

Only what is used is read: headers, links, diagnostics and the client's address stay where they are, and the
recipient is known for as long as it takes to find out whether it is to be suppressed.
What is odd beside the evidence (whose message it is, and what became of it) counts as not said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from foreword.domain.feedback import Feedback, FeedbackKind
from foreword.domain.instants import Instant, parse_instant
from foreword.domain.rulebook import Channel
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


def _said(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(value)
    except ValidationError:
        return None


_Word = Annotated[str | None, WrapValidator(_said)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Mail(_Part):
    timestamp: _Word = None
    message_id: str = Field(alias="messageId", min_length=1, max_length=256)
    tags: Annotated[Mapping[str, Any] | None, WrapValidator(_said)] = None
    destination: Annotated[list[str] | None, WrapValidator(_said)] = None

    @property
    def recipient(self) -> str | None:
        """Our messages have one each."""
        match self.destination:
            case [address]:
                return address
        return None

    def tag(self, name: str) -> str:
        """Its one value, empty where it has none or several."""
        match (self.tags or {}).get(name):
            case [str(value)]:
                return value
        return ""


class _Statement(_Part):
    """What the event's own part says; each kind of event fills some of these."""

    timestamp: _Word = None
    bounce_type: _Word = Field(default=None, alias="bounceType")
    bounce_sub_type: _Word = Field(default=None, alias="bounceSubType")
    complaint_type: _Word = Field(default=None, alias="complaintFeedbackType")
    delay_type: _Word = Field(default=None, alias="delayType")

    def details(self) -> dict[str, str]:
        said = self.model_dump(exclude={"timestamp"}, exclude_none=True)
        return {name: word for name, word in said.items() if _WORD.fullmatch(word)}


class _Topics(_Part):
    unsubscribe_all: bool = Field(default=False, alias="unsubscribeAll")


class _Subscription(_Statement):
    """Made by SES's own list management: of its topics, which are none of ours, only their end is ours to heed."""

    topics: Annotated[_Topics | None, WrapValidator(_said)] = Field(
        default=None, alias="newTopicPreferences", exclude=True
    )


_OwnPart = Annotated[_Statement | None, WrapValidator(_said)]


class _Detail(_Part):
    event_type: str = Field(alias="eventType")
    mail: _Mail
    bounce: _OwnPart = None
    complaint: _OwnPart = None
    delivery: _OwnPart = None
    delivery_delay: _OwnPart = Field(default=None, alias="deliveryDelay")
    open: _OwnPart = None
    click: _OwnPart = None
    subscription: Annotated[_Subscription | None, WrapValidator(_said)] = None


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
    "Subscription": (FeedbackKind.UNSUBSCRIBED, "subscription"),
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
    if kind is FeedbackKind.UNSUBSCRIBED and not _left_altogether(detail.subscription):
        return Ignored.NOT_USED
    statement: _Statement = (part and getattr(detail, part)) or _Statement()
    time = _time(statement.timestamp) or _time(mail.timestamp)
    if time is None:
        return Ignored.MALFORMED
    return Feedback(kind, *named, mail.message_id, *time, Channel.EMAIL, statement.details(), mail.recipient)


def _left_altogether(said: _Subscription | None) -> bool:
    return said is not None and said.topics is not None and said.topics.unsubscribe_all


def _time(text: str | None) -> tuple[Instant, str] | None:
    """With the text as SES wrote it; None where it is no time."""
    try:
        return (parse_instant(text), text) if text else None
    except ValueError:
        return None
