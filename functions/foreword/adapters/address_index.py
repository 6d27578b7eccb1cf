"""The customers table by address: whose e-mail address or number is it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foreword.domain.addresses import ATTRIBUTES
from foreword.domain.rulebook import Channel

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class AddressIndex:
    """The port `CustomersByAddress`, over the indexes `email` and `phone`."""

    client: DynamoDBClient
    table: str

    def with_address(self, channel: Channel, key: str) -> Iterator[str]:
        attribute = ATTRIBUTES[channel]
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            IndexName=attribute,
            KeyConditionExpression=f"{attribute}_key = :key",
            ExpressionAttributeValues={":key": {"S": key}},
        )
        for page in pages:
            yield from (item["customer_id"]["S"] for item in page["Items"])
