"""The `due` index of a table: what has come due in one of its shards, the longest overdue first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from foreword.domain.instants import Instant, sortable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def due_items(client: DynamoDBClient, table: str, shard: str, now: Instant) -> Iterator[dict[str, Any]]:
    """The index's items, page by page; it may lag behind the table."""
    pages = client.get_paginator("query").paginate(
        TableName=table,
        IndexName="due",
        KeyConditionExpression="due_shard = :shard AND due_at <= :now",
        ExpressionAttributeValues={":shard": {"S": shard}, ":now": {"S": sortable(now)}},
    )
    for page in pages:
        yield from page["Items"]
