"""How a customer may be reached: the choices of the consents table and the cap ledger, read at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from foreword.adapters.batch_reads import first, read_all
from foreword.adapters.consents_table import consents_from_item, consents_key
from foreword.adapters.ledger_items import ledger_from_item, ledger_key
from foreword.domain.consent import Consents
from foreword.domain.ledger import Ledger

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class ContactsTables:
    """The port `Contacts`."""

    client: DynamoDBClient
    messages: str
    consents: str

    def load(self, customer_id: str) -> tuple[Consents, Ledger]:
        asked: dict[str, Any] = {
            self.messages: {"Keys": [ledger_key(customer_id)], "ConsistentRead": True},
            self.consents: {"Keys": [consents_key(customer_id)], "ConsistentRead": True},
        }
        found = read_all(self.client, asked)
        return (
            consents_from_item(first(found, self.consents), customer_id),
            ledger_from_item(first(found, self.messages), customer_id),
        )
