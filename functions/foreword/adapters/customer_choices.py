"""Who a customer is and what they chose, in one read of two tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from foreword.adapters.consents_table import consents_from_item, consents_key
from foreword.adapters.customers_table import PROFILE, profile_from_item
from foreword.domain.consent import Consents
from foreword.domain.errors import StoreUnavailable
from foreword.domain.profiles import Profile

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_READS = 3


@dataclass(frozen=True, slots=True)
class CustomerChoicesTables:
    """The port `CustomerChoices`."""

    client: DynamoDBClient
    customers: str
    consents: str

    def read(self, customer_id: str) -> tuple[Profile, Consents]:
        profile_key: Any = {"customer_id": {"S": customer_id}, "item": {"S": PROFILE}}
        asked: dict[str, Any] = {
            self.customers: {"Keys": [profile_key], "ConsistentRead": True},
            self.consents: {"Keys": [consents_key(customer_id)], "ConsistentRead": True},
        }
        found: dict[str, Mapping[str, Any]] = {}
        for _ in range(_READS):
            response = self.client.batch_get_item(RequestItems=asked)
            found |= {table: items[0] for table, items in response["Responses"].items() if items}
            asked = dict(response.get("UnprocessedKeys", {}))
            if not asked:
                break
        else:
            raise StoreUnavailable(f"no answer for {', '.join(sorted(asked))}")
        return (
            profile_from_item(found.get(self.customers), customer_id),
            consents_from_item(found.get(self.consents), customer_id),
        )
