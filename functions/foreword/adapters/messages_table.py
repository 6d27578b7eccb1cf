"""The messages table: every write holds only where the message is still as it was read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from foreword.adapters.clock import SystemClock
from foreword.adapters.due_index import due_items
from foreword.adapters.message_items import message_from_item, message_item, message_key, steps_from_item
from foreword.domain.contact_history import MOST_STEPS, Step, step_to
from foreword.domain.instants import Instant
from foreword.domain.messages import Message

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import UpdateTypeDef

# What changes in a message's life. All else is written once; attributes of a newer release stay untouched.
_CHANGING = (
    "status",
    "reason",
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
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="customer_id = :customer",
            ExpressionAttributeValues={":customer": {"S": customer_id}},
            ConsistentRead=True,
        )
        return [message_from_item(item) for page in pages for item in page["Items"]]

    def steps(self, customer_id: str) -> dict[str, list[Step]]:
        """By message id: the history of all the customer's messages, read with strong consistency."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="customer_id = :customer",
            ExpressionAttributeValues={":customer": {"S": customer_id}},
            ProjectionExpression="message_id, steps",
            ConsistentRead=True,
        )
        return {item["message_id"]["S"]: steps_from_item(item) for page in pages for item in page["Items"]}

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
        try:
            self.client.update_item(**message_update(self.table, before, after))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            refused_by: Any = error.response.get("Item")
            return is_written(refused_by, after)
        return True

    def due(self, shard: str, now: Instant) -> Iterator[tuple[str, str]]:
        for item in due_items(self.client, self.table, shard, now):
            yield item["customer_id"]["S"], item["message_id"]["S"]


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
