"""A message as an item of the messages table.

Times are sortable text, signals JSON text, channels a list; what is None, empty or false is absent. `due_shard`
is there exactly when `due_at` is, so that only what the tick must look at is in its index; and `sms_id` where SNS
took a text message, so that its delivery status is found. `steps` is the contact history, a set of lines that
only ever grows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from foreword.domain import json_text
from foreword.domain.contact_history import Step, first_steps
from foreword.domain.due import due_shard
from foreword.domain.instants import SECOND, Duration, Instant, parse_instant, sortable
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Channel, Purpose

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

_TIMES = ("decided_for", "decided_at", "deliver_by", "claimed_at", "closed_at", "due_at")
_NUMBERS = ("priority", "attempts", "version")


def message_key(customer_id: str, message_id: str) -> dict[str, AttributeValueTypeDef]:
    return {"customer_id": {"S": customer_id}, "message_id": {"S": message_id}}


def message_item(message: Message) -> dict[str, AttributeValueTypeDef]:
    """All but `steps`, and `expires_at`, which is set once, when the message is decided."""
    item: dict[str, AttributeValueTypeDef] = {}
    for entry in fields(message):
        value = getattr(message, entry.name)
        if value is not None and value != () and value is not False:
            item[entry.name] = _attribute(entry.name, value)
    if message.due_at is not None:
        item["due_shard"] = {"S": due_shard(message.customer_id)}
    if message.channel is Channel.SMS and message.provider_message_id is not None:
        item["sms_id"] = {"S": message.provider_message_id}
    return item


def new_message_write(table: str, message: Message, kept_for: Duration) -> TransactWriteItemTypeDef:
    """The transaction entry that puts a decided message, unless it is there already (whatever became of it).

    `kept_for` counts from the decision to `expires_at`.
    """
    expires_at = {"N": str((message.decided_at + kept_for) // SECOND)}
    return {
        "Put": {
            "TableName": table,
            "Item": {
                **message_item(message),
                "steps": {"SS": [str(step) for step in first_steps(message)]},
                "expires_at": expires_at,
            },
            "ConditionExpression": "attribute_not_exists(message_id)",
        }
    }


def steps_from_item(item: Mapping[str, Any]) -> list[Step]:
    """In the order of their times; none of a message that an earlier release wrote."""
    return sorted(Step.from_text(text) for text in item.get("steps", {}).get("SS", ()))


def message_from_item(item: Mapping[str, Any]) -> Message:
    """Raises KeyError or ValueError on an item that is no message."""

    def text(name: str) -> str | None:
        return item[name]["S"] if name in item else None

    def time(name: str) -> Instant | None:
        return parse_instant(item[name]["S"]) if name in item else None

    return Message(
        customer_id=item["customer_id"]["S"],
        message_id=item["message_id"]["S"],
        rule=item["rule"]["S"],
        case=text("case"),
        episode=item["episode"]["S"],
        message=item["message"]["S"],
        purpose=Purpose(item["purpose"]["S"]),
        topic=item["topic"]["S"],
        priority=int(item["priority"]["N"]),
        channels=tuple(Channel(channel["S"]) for channel in item["channels"]["L"]),
        decided_for=parse_instant(item["decided_for"]["S"]),
        decided_at=parse_instant(item["decided_at"]["S"]),
        deliver_by=parse_instant(item["deliver_by"]["S"]),
        generation=item["generation"]["S"],
        signals=json_text.loads(item["signals"]["S"]),
        score=Decimal(item["score"]["S"]) if "score" in item else Decimal(item["priority"]["N"]),
        variant=text("variant"),
        follow_up="follow_up" in item,
        status=MessageStatus(item["status"]["S"]),
        reason=Reason(item["reason"]["S"]) if "reason" in item else None,
        winner=text("winner"),
        tried=tuple(Channel(channel["S"]) for channel in item.get("tried", {"L": []})["L"]),
        tried_ids=tuple(id["S"] for id in item.get("tried_ids", {"L": []})["L"]),
        went_out="went_out" in item,
        has_place="has_place" in item,
        volume=text("volume"),
        channel=Channel(item["channel"]["S"]) if "channel" in item else None,
        attempt_id=text("attempt_id"),
        attempts=int(item["attempts"]["N"]),
        claimed_at=time("claimed_at"),
        closed_at=time("closed_at"),
        due_at=time("due_at"),
        provider_message_id=text("provider_message_id"),
        version=int(item["version"]["N"]),
    )


def _attribute(name: str, value: Any) -> AttributeValueTypeDef:
    if name in _TIMES:
        return {"S": sortable(value)}
    if name in _NUMBERS:
        return {"N": str(value)}
    if name in ("follow_up", "has_place", "went_out"):
        return {"BOOL": value}
    if name == "tried_ids":
        return {"L": [{"S": id} for id in value]}
    if name in ("channels", "tried"):
        return {"L": [{"S": channel.value} for channel in value]}
    if name == "signals":
        return {"S": json_text.dumps(value)}
    return {"S": str(value)}
