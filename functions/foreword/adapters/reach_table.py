"""The customers table as seen by who has to reach all customers: page by page, with the progress beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from foreword.adapters.customers_table import STATE
from foreword.domain.instants import parse_instant, sortable
from foreword.domain.reaching import Reach

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_KEY: dict[str, AttributeValueTypeDef] = {"customer_id": {"S": " rulebook"}, "item": {"S": "reach"}}
"""No customer is called so: an id has no space."""

PAGE = 500
"""Items looked at in one request, profiles included."""


@dataclass(frozen=True, slots=True)
class ReachTable:
    """The port `CustomersToReach`."""

    client: DynamoDBClient
    table: str

    def progress(self) -> Reach | None:
        item = self.client.get_item(TableName=self.table, Key=_KEY, ConsistentRead=True).get("Item")
        if item is None:
            return None
        through = item["through"]["S"] if "through" in item else None
        begins_at = parse_instant(item["begins_at"]["S"])
        return Reach(item["mark"]["S"], begins_at, through, item["done"]["BOOL"], int(item["version"]["N"]))

    def page(self, through: str | None, generation: str) -> tuple[list[str], str | None]:
        start = {} if through is None else {"ExclusiveStartKey": _key(through)}
        response = self.client.scan(
            TableName=self.table,
            Limit=PAGE,
            FilterExpression="#item = :state AND generation <> :generation",
            ProjectionExpression="customer_id",
            ExpressionAttributeNames={"#item": "item"},
            ExpressionAttributeValues={":state": {"S": STATE}, ":generation": {"S": generation}},
            ConsistentRead=True,
            **start,  # type: ignore[arg-type]  # the stubs know no keyword that may be left out
        )
        last = response.get("LastEvaluatedKey")
        met = [item["customer_id"]["S"] for item in response["Items"]]
        return met, None if last is None else f"{last['customer_id']['S']} {last['item']['S']}"

    def keep(self, before: Reach, after: Reach) -> bool:
        item: dict[str, AttributeValueTypeDef] = {
            **_KEY,
            "mark": {"S": after.mark},
            "begins_at": {"S": sortable(after.begins_at)},
            "done": {"BOOL": after.done},
            "version": {"N": str(after.version)},
        }
        if after.through is not None:
            item["through"] = {"S": after.through}
        try:
            self.client.put_item(
                TableName=self.table,
                Item=item,
                ConditionExpression="attribute_not_exists(version) OR version = :before",
                ExpressionAttributeValues={":before": {"N": str(before.version)}},
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        return True


def _key(through: str) -> dict[str, AttributeValueTypeDef]:
    """Of the last item looked at: a customer and an item, and neither has a space."""
    customer_id, _, item = through.rpartition(" ")
    return {"customer_id": {"S": customer_id}, "item": {"S": item}}
