"""What a send is judged by, read at once; and its claim, which holds only while all of that still stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from foreword.adapters.consents_table import consents_from_item, consents_key
from foreword.adapters.customers_table import PROFILE, profile_from_item
from foreword.adapters.message_items import message_from_item, message_key
from foreword.adapters.messages_table import MessagesTable, is_written, message_update
from foreword.app.ports import Dossier
from foreword.domain.consent import Consents
from foreword.domain.errors import StoreUnavailable
from foreword.domain.messages import Message
from foreword.domain.profiles import Profile

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        ConditionCheckTypeDef,
        TransactWriteItemTypeDef,
    )

_READS = 3
_LOST = ("ConditionalCheckFailed", "TransactionConflict", "None")


@dataclass(frozen=True, slots=True)
class OutboxTables:
    """The outbox with what its claims depend on: three tables, one read, one transaction."""

    client: DynamoDBClient
    messages: str
    customers: str
    consents: str

    def load(self, customer_id: str, message_id: str) -> Message | None:
        return MessagesTable(self.client, self.messages).load(customer_id, message_id)

    def replace(self, before: Message, after: Message) -> bool:
        return MessagesTable(self.client, self.messages).replace(before, after)

    def dossier(self, customer_id: str, message_id: str) -> Dossier:
        asked: dict[str, Any] = {
            self.messages: {"Keys": [message_key(customer_id, message_id)], "ConsistentRead": True},
            self.customers: {"Keys": [_profile_key(customer_id)], "ConsistentRead": True},
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
            # A throttled key is not an absent one: without consent read, nothing is sent.
            raise StoreUnavailable(f"no answer for {', '.join(sorted(asked))}")
        message = found.get(self.messages)
        return Dossier(
            message=None if message is None else message_from_item(message),
            profile=profile_from_item(found.get(self.customers), customer_id),
            consents=consents_from_item(found.get(self.consents), customer_id),
        )

    def claim(self, dossier: Dossier, claimed: Message) -> bool:
        if dossier.message is None or claimed.attempt_id is None:
            raise ValueError("a claim needs a message and an attempt")
        update = message_update(self.messages, dossier.message, claimed)
        try:
            self.client.transact_write_items(
                TransactItems=[
                    {"Update": update},
                    _profile_stands(self.customers, dossier.profile),
                    _consents_stand(self.consents, dossier.consents),
                ],
                ClientRequestToken=claimed.attempt_id,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            reasons: Any = error.response.get("CancellationReasons", [])
            if reasons and is_written(reasons[0].get("Item"), claimed):
                return True
            if not reasons or any(reason.get("Code") not in _LOST for reason in reasons):
                raise
            return False
        return True


def _profile_key(customer_id: str) -> dict[str, AttributeValueTypeDef]:
    return {"customer_id": {"S": customer_id}, "item": {"S": PROFILE}}


def _profile_stands(table: str, profile: Profile) -> TransactWriteItemTypeDef:
    check = _version_check(table, _profile_key(profile.customer_id), profile.version)
    if profile.version > 0:
        check["ConditionExpression"] += " AND (attribute_not_exists(erased) OR erased = :false)"
        version: AttributeValueTypeDef = {"N": str(profile.version)}
        check["ExpressionAttributeValues"] = {":version": version, ":false": {"BOOL": False}}
    return {"ConditionCheck": check}


def _consents_stand(table: str, consents: Consents) -> TransactWriteItemTypeDef:
    return {"ConditionCheck": _version_check(table, consents_key(consents.customer_id), consents.version)}


def _version_check(
    table: str, key: Mapping[str, AttributeValueTypeDef], version: int
) -> ConditionCheckTypeDef:
    """Version 0 stands for an item that was not there: it still must not be."""
    if version == 0:
        return {"TableName": table, "Key": key, "ConditionExpression": "attribute_not_exists(version)"}
    return {
        "TableName": table,
        "Key": key,
        "ConditionExpression": "version = :version",
        "ExpressionAttributeValues": {":version": {"N": str(version)}},
    }
