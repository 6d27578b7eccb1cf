"""The messages table: every write holds only where the message is still as it was read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from foreword.adapters.clock import SystemClock
from foreword.adapters.due_index import due_items
from foreword.adapters.ledger_items import ledger_write, place_given_back
from foreword.adapters.message_items import message_from_item, message_item, message_key, steps_from_item
from foreword.adapters.volume_counters import one_less
from foreword.app.ports import Changes
from foreword.domain.contact_history import MOST_STEPS, Step, step_to
from foreword.domain.instants import DAY, Duration, Instant
from foreword.domain.messages import Message

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef, UpdateTypeDef

LEDGER_KEPT_FOR: Duration = 400 * DAY
"""A ledger of which nothing is left but its version."""

_LOST = ("ConditionalCheckFailed", "TransactionConflict", "None")

# What changes in a message's life. All else is written once; attributes of a newer release stay untouched.
_CHANGING = (
    "status",
    "reason",
    "winner",
    "tried",
    "tried_ids",
    "went_out",
    "has_place",
    "volume",
    "channel",
    "attempt_id",
    "attempts",
    "claimed_at",
    "closed_at",
    "due_at",
    "due_shard",
    "provider_message_id",
    "sms_id",
    "version",
)

SMS_INDEX = "sms"
"""Sparse: only text messages that SNS took are in it, by the id it gave them."""


@dataclass(frozen=True, slots=True)
class MessagesTable:
    client: DynamoDBClient
    table: str

    def load(self, customer_id: str, message_id: str) -> Message | None:
        response = self.client.get_item(
            TableName=self.table, Key=message_key(customer_id, message_id), ConsistentRead=True
        )
        item = response.get("Item")
        return None if item is None else message_from_item(item)

    def named(self, customer_id: str, short_id: str) -> Message | None:
        response = self.client.query(
            TableName=self.table,
            KeyConditionExpression="customer_id = :customer AND begins_with(message_id, :short)",
            ExpressionAttributeValues={":customer": {"S": customer_id}, ":short": {"S": short_id}},
            ConsistentRead=True,
            Limit=1,
        )
        return next((message_from_item(item) for item in response["Items"]), None)

    def of_customer(self, customer_id: str) -> list[Message]:
        """The customer's whole contact history, in no order, read with strong consistency."""
        return [message_from_item(item) for item in self._of_customer(customer_id)]

    def steps(self, customer_id: str) -> dict[str, list[Step]]:
        """By message id: the history of all the customer's messages, read with strong consistency."""
        only = {"ProjectionExpression": "message_id, steps"}
        return {
            item["message_id"]["S"]: steps_from_item(item) for item in self._of_customer(customer_id, **only)
        }

    def _of_customer(self, customer_id: str, **only: Any) -> Iterator[dict[str, Any]]:
        """The items of messages, and not of the cap ledger: no message's id begins with a blank."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="customer_id = :customer AND message_id > :blank",
            ExpressionAttributeValues={":customer": {"S": customer_id}, ":blank": {"S": "!"}},
            ConsistentRead=True,
            **only,
        )
        for page in pages:
            yield from page["Items"]

    def note(self, customer_id: str, message_id: str, step: Step) -> bool:
        try:
            self.client.update_item(
                TableName=self.table,
                Key=message_key(customer_id, message_id),
                UpdateExpression="ADD steps :steps",
                ConditionExpression="attribute_exists(message_id) "
                "AND (attribute_not_exists(steps) OR size(steps) < :most OR contains(steps, :step))",
                ExpressionAttributeValues={
                    ":steps": {"SS": [str(step)]},
                    ":step": {"S": str(step)},
                    ":most": {"N": str(MOST_STEPS)},
                },
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def with_sms_id(self, provider_message_id: str) -> tuple[str, str] | None:
        response = self.client.query(
            TableName=self.table,
            IndexName=SMS_INDEX,
            KeyConditionExpression="sms_id = :id",
            ExpressionAttributeValues={":id": {"S": provider_message_id}},
            Limit=1,
        )
        found = ((item["customer_id"]["S"], item["message_id"]["S"]) for item in response["Items"])
        return next(found, None)

    def replace(self, before: Message, after: Message) -> bool:
        """A place under the caps, or a count of the day, that the message gives up is given back with it."""
        update = message_update(self.table, before, after)
        back = [*place_back(self.table, before, after), *counts_back(self.table, before, after)]
        if back:
            return not lost(self.client, [{"Update": update}, *back], after)
        try:
            self.client.update_item(**update)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            refused_by: Any = error.response.get("Item")
            return is_written(refused_by, after)
        return True

    def due(self, shard: str, now: Instant) -> Iterator[tuple[str, str]]:
        for item in due_items(self.client, self.table, shard, now):
            yield item["customer_id"]["S"], item["message_id"]["S"]


def changes_of(table: str, changes: Changes, now: Instant) -> list[TransactWriteItemTypeDef]:
    """The transaction entries of what changes beside the new messages."""
    entries: list[TransactWriteItemTypeDef] = []
    for before, after in changes.changed:
        entries += [{"Update": message_update(table, before, after)}, *counts_back(table, before, after)]
    if changes.ledger is not None:
        entries.append(ledger_write(table, changes.ledger, now + LEDGER_KEPT_FOR))
    return entries


def place_back(table: str, before: Message, after: Message) -> list[TransactWriteItemTypeDef]:
    if not before.has_place or after.has_place:
        return []
    now = before.decided_at if after.closed_at is None else after.closed_at
    return [place_given_back(table, before.customer_id, before.message_id, now + LEDGER_KEPT_FOR)]


def counts_back(table: str, before: Message, after: Message) -> list[TransactWriteItemTypeDef]:
    """The counts of a day that the message gives up."""
    kept = _counters(after)
    now = before.decided_at if after.claimed_at is None else after.claimed_at
    return [one_less(table, key, now) for key in _counters(before) if key not in kept]


def _counters(message: Message) -> list[str]:
    return [] if message.volume is None else message.volume.split(",")


def lost(
    client: DynamoDBClient, entries: Sequence[TransactWriteItemTypeDef], after: Message, token: str = ""
) -> list[int]:
    """Write all entries, the first of which makes a message `after`; the positions of those that did not hold.

    None are given where it turns out to be written already. Raises where something else was the matter.
    """
    try:
        if token:
            client.transact_write_items(TransactItems=entries, ClientRequestToken=token)
        else:
            client.transact_write_items(TransactItems=entries)
    except ClientError as error:
        if error.response["Error"]["Code"] != "TransactionCanceledException":
            raise
        reasons: Any = error.response.get("CancellationReasons", [])
        if reasons and is_written(reasons[0].get("Item"), after):
            return []
        codes = [reason.get("Code") for reason in reasons]
        if not codes or any(code not in _LOST for code in codes):
            raise
        return [at for at, code in enumerate(codes) if code not in ("None", None)]
    return []


def message_update(table: str, before: Message, after: Message) -> UpdateTypeDef:
    """The arguments of an UpdateItem (or of a transaction's Update) from `before` to `after`.

    The version alone would do, since each write counts it up; status and attempt are named so that a mistake in
    counting could never become a second call.
    """
    item = message_item(after)
    assignments = [f"#{name} = :{name}" for name in _CHANGING if name in item]
    removals = [f"#{name}" for name in _CHANGING if name not in item]
    values = {f":{name}": item[name] for name in _CHANGING if name in item}
    values |= {":old_version": {"N": str(before.version)}, ":old_status": {"S": before.status.value}}
    attempt = "attribute_not_exists(#attempt_id)"
    if before.attempt_id is not None:
        attempt = "#attempt_id = :old_attempt"
        values[":old_attempt"] = {"S": before.attempt_id}
    step = step_to(after, SystemClock().now())
    if step is not None:
        values[":steps"] = {"SS": [str(step)]}
    return {
        "TableName": table,
        "Key": message_key(before.customer_id, before.message_id),
        # The step is written with what it tells of, or not at all.
        "UpdateExpression": f"SET {', '.join(assignments)}"
        + (f" REMOVE {', '.join(removals)}" if removals else "")
        + (" ADD steps :steps" if step is not None else ""),
        "ConditionExpression": f"#version = :old_version AND #status = :old_status AND {attempt}",
        "ExpressionAttributeNames": {f"#{name}": name for name in _CHANGING},
        "ExpressionAttributeValues": values,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def is_written(item: Mapping[str, Any] | None, after: Message) -> bool:
    """Whether the item that refused the write is already what was to be written.

    A write may succeed and its answer be lost; the SDK then writes again, and fails on its own success.
    """
    return item is not None and message_from_item(item) == after
