"""The activity table: the journal, one item per fact, the truth from which every state can be rebuilt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foreword.contracts.activity_items import fact_of, item_of
from foreword.domain.facts import Fact
from foreword.domain.instants import Duration

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_IS_NEW = "attribute_not_exists(fact)"


class ActivityTable:
    """`retention` is how long after its receipt a fact is kept."""

    def __init__(self, client: DynamoDBClient, table: str, retention: Duration) -> None:
        self._client = client
        self._table = table
        self._retention = retention

    def add(self, fact: Fact) -> bool:
        """Whether it was new: identity is the key, so a duplicate is refused whatever else differs."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item_of(fact, fact.received_at + self._retention),
                ConditionExpression=_IS_NEW,
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def entry(self, fact: Fact) -> TransactWriteItemTypeDef:
        """The same as a part of a transaction."""
        return {
            "Put": {
                "TableName": self._table,
                "Item": item_of(fact, fact.received_at + self._retention),
                "ConditionExpression": _IS_NEW,
            }
        }

    def read(self, customer_id: str) -> list[Fact]:
        """All facts of a customer, in no order, read with strong consistency."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="customer_id = :customer",
            ExpressionAttributeValues={":customer": {"S": customer_id}},
            ConsistentRead=True,
        )
        return [fact_of(item) for page in pages for item in page["Items"]]
