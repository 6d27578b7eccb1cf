"""The due index of the customers table: who has a deadline that has come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foreword.domain.instants import Instant, parse_instant, sortable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class DueCustomersIndex:
    client: DynamoDBClient
    table: str

    def due(self, shard: str, now: Instant) -> Iterator[tuple[str, Instant]]:
        """(customer_id, due_at), the longest overdue first; the index may lag behind the table."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            IndexName="due",
            KeyConditionExpression="due_shard = :shard AND due_at <= :now",
            ExpressionAttributeValues={":shard": {"S": shard}, ":now": {"S": sortable(now)}},
        )
        for page in pages:
            for item in page["Items"]:
                yield item["customer_id"]["S"], parse_instant(item["due_at"]["S"])
