"""Counters of the messages of a day, each an item of its own in the messages table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foreword.adapters.batch_reads import read_all
from foreword.domain.instants import DAY, SECOND, Instant
from foreword.domain.volume import Counter

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

_KEPT_FOR = 3 * DAY


@dataclass(frozen=True, slots=True)
class VolumeCounters:
    """The port `Counters`."""

    client: DynamoDBClient
    table: str

    def with_room(self, counters: Sequence[Counter]) -> Counter | None:
        keys = [counter_key(counter.key) for counter in counters]
        found = read_all(self.client, {self.table: {"Keys": keys, "ConsistentRead": True}})
        taken = {item["customer_id"]["S"]: int(item["taken"]["N"]) for item in found.get(self.table, [])}
        free = (it for it in counters if taken.get(counter_key(it.key)["customer_id"]["S"], 0) < it.at_most)
        return next(free, None)


def one_more(table: str, counter: Counter, now: Instant) -> TransactWriteItemTypeDef:
    """The transaction entry that counts one more, where there is room."""
    return {
        "Update": {
            "TableName": table,
            "Key": counter_key(counter.key),
            "UpdateExpression": "ADD taken :one SET expires_at = :until",
            "ConditionExpression": "(attribute_not_exists(taken) AND :most > :none) OR taken < :most",
            "ExpressionAttributeValues": {
                ":one": {"N": "1"},
                ":none": {"N": "0"},
                ":most": {"N": str(counter.at_most)},
                ":until": {"N": str((now + _KEPT_FOR) // SECOND)},
            },
        }
    }


def one_less(table: str, key: str, now: Instant) -> TransactWriteItemTypeDef:
    """The transaction entry that takes a count back, also of a day that is over and forgotten."""
    return {
        "Update": {
            "TableName": table,
            "Key": counter_key(key),
            "UpdateExpression": "ADD taken :less SET expires_at = if_not_exists(expires_at, :until)",
            "ExpressionAttributeValues": {
                ":less": {"N": "-1"},
                ":until": {"N": str((now + _KEPT_FOR) // SECOND)},
            },
        }
    }


def counter_key(key: str) -> dict[str, AttributeValueTypeDef]:
    """No customer's id holds a blank."""
    return {"customer_id": {"S": f" volume {key}"}, "message_id": {"S": " count"}}
