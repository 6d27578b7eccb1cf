"""Who a customer is and what they chose, in one read of two tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from foreword.adapters.batch_reads import first, read_all
from foreword.adapters.consents_table import consents_from_item, consents_key
from foreword.adapters.customers_table import PROFILE, customer_key, profile_from_item
from foreword.domain.consent import Consents
from foreword.domain.profiles import Profile

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class CustomerChoicesTables:
    """The port `CustomerChoices`."""

    client: DynamoDBClient
    customers: str
    consents: str

    def read(self, customer_id: str) -> tuple[Profile, Consents]:
        asked: dict[str, Any] = {
            self.customers: {"Keys": [customer_key(customer_id, PROFILE)], "ConsistentRead": True},
            self.consents: {"Keys": [consents_key(customer_id)], "ConsistentRead": True},
        }
        found = read_all(self.client, asked)
        return (
            profile_from_item(first(found, self.customers), customer_id),
            consents_from_item(first(found, self.consents), customer_id),
        )
