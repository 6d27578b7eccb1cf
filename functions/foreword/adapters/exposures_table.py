"""The messages table read for experiments: all decisions of one rule, by a scan, since no index has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from foreword.domain.exposures import Exposure
from foreword.domain.instants import parse_instant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_READ = {"#customer": "customer_id", "#decided": "decided_at", "#reason": "reason", "#variant": "variant"}


@dataclass(frozen=True, slots=True)
class ExposuresTable:
    client: DynamoDBClient
    table: str

    def exposures(self, rule: str) -> Iterator[list[Exposure]]:
        """A list for each page of the scan; most of what is scanned is of other rules."""
        pages = self.client.get_paginator("scan").paginate(
            TableName=self.table,
            FilterExpression="#rule = :rule AND attribute_exists(#decided)",
            ProjectionExpression=", ".join(_READ),
            ExpressionAttributeNames={**_READ, "#rule": "rule"},
            ExpressionAttributeValues={":rule": {"S": rule}},
        )
        for page in pages:
            yield [_exposure(item) for item in page["Items"]]


def _exposure(item: Mapping[str, Any]) -> Exposure:
    return Exposure(
        item["customer_id"]["S"],
        parse_instant(item["decided_at"]["S"]),
        item["reason"]["S"] if "reason" in item else None,
        item["variant"]["S"] if "variant" in item else None,
    )
