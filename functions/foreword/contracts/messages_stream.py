"""The stream of the messages table as Lambda hands it on: which message changed, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from foreword.app.handle_changes import Change
from foreword.domain.instants import parse_instant
from foreword.domain.messages import MessageStatus
from foreword.domain.outgoing import Outcome


def _text(attribute: Any) -> Any:
    """A string attribute of a DynamoDB image; whatever else it is stays, and is refused."""
    return attribute.get("S") if isinstance(attribute, dict) and set(attribute) == {"S"} else attribute


Text = Annotated[str, BeforeValidator(_text)]
Status = Annotated[MessageStatus, BeforeValidator(_text)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _OldImage(_Shape):
    status: Status


class _Image(_Shape):
    customer_id: Text
    message_id: Text
    rule: Text
    message: Text
    status: Status
    case: Text | None = None
    channel: Text | None = None
    reason: Text | None = None
    closed_at: Text | None = None
    tried: Any = None


class _Stream(_Shape):
    sequence_number: str = Field(alias="SequenceNumber")
    new_image: _Image = Field(alias="NewImage")
    old_image: _OldImage | None = Field(default=None, alias="OldImage")


class _Record(_Shape):
    dynamodb: _Stream


def read_messages_stream(event: Mapping[str, Any]) -> tuple[list[Change], list[str]]:
    """The changes to act on, and the sequence numbers of records that cannot be read.

    A terminal state that was there before, or a state nobody acts on, is left out. Raises KeyError where not
    even a sequence number is found: then the batch as a whole is none of ours.
    """
    changes: list[Change] = []
    unreadable: list[str] = []
    for record in event["Records"]:
        try:
            change = _change(_Record.model_validate(record).dynamodb)
        except (ValidationError, ValueError):
            unreadable.append(str(record["dynamodb"]["SequenceNumber"]))
            continue
        if change is not None:
            changes.append(change)
    return changes, unreadable


def _change(stream: _Stream) -> Change | None:
    image = stream.new_image
    if image.status is MessageStatus.READY:
        return Change(stream.sequence_number, image.customer_id, image.message_id, None)
    unchanged = stream.old_image is not None and stream.old_image.status is image.status
    if not image.status.terminal or unchanged:
        return None
    if image.closed_at is None:
        raise ValueError(f"message {image.message_id} is {image.status} without closed_at")
    outcome = Outcome(
        customer_id=image.customer_id,
        message_id=image.message_id,
        rule=image.rule,
        message=image.message,
        case=image.case,
        channel=image.channel,
        status=image.status,
        reason=image.reason,
        closed_at=parse_instant(image.closed_at),
        again=image.tried is not None and image.status is MessageStatus.SENT,
    )
    return Change(stream.sequence_number, image.customer_id, image.message_id, outcome)
