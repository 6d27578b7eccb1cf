"""The progress of the daily reconciliation, an item of the customers table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from foreword.adapters.transactions import over_version
from foreword.domain.reconciling import Reconciliation

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_KEY: dict[str, AttributeValueTypeDef] = {"customer_id": {"S": " suppressions"}, "item": {"S": "progress"}}
"""No customer is called so: an id has no space."""


@dataclass(frozen=True, slots=True)
class ReconciliationItem:
    """The port `Reconciliations`."""

    client: DynamoDBClient
    table: str

    def load(self) -> Reconciliation | None:
        item = self.client.get_item(TableName=self.table, Key=_KEY, ConsistentRead=True).get("Item")
        if item is None:
            return None
        page = item["page"]["S"] if "page" in item else None
        return Reconciliation(int(item["day"]["N"]), int(item["at"]["N"]), page, int(item["version"]["N"]))

    def keep(self, before: Reconciliation, after: Reconciliation) -> bool:
        item: dict[str, AttributeValueTypeDef] = {
            **_KEY,
            "day": {"N": str(after.day)},
            "at": {"N": str(after.at)},
            "version": {"N": str(after.version)},
        }
        if after.page is not None:
            item["page"] = {"S": after.page}
        try:
            self.client.put_item(
                **over_version({"TableName": self.table, "Item": item}, before.version)["Put"]
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        return True
