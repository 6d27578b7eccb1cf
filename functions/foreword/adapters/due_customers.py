"""The due index of the customers table: who has a deadline that has come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foreword.adapters.due_index import due_items
from foreword.domain.instants import Instant, parse_instant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class DueCustomersIndex:
    client: DynamoDBClient
    table: str

    def due(self, shard: str, now: Instant) -> Iterator[tuple[str, Instant]]:
        """(customer_id, due_at), the longest overdue first; the index may lag behind the table."""
        for item in due_items(self.client, self.table, shard, now):
            yield item["customer_id"]["S"], parse_instant(item["due_at"]["S"])
