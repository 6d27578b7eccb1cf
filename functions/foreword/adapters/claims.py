"""What a send is judged by, read at once; and its claim, which holds only while all of that still stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from foreword.adapters.consents_table import CURRENT, consents_from_item, consents_key
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
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

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
        profile_key = {"customer_id": {"S": customer_id}, "item": {"S": PROFILE}}
        asked: dict[str, Any] = {
            self.messages: {"Keys": [message_key(customer_id, message_id)], "ConsistentRead": True},
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
        update: Any = message_update(self.messages, dossier.message, claimed)
        try:
            self.client.transact_write_items(
                TransactItems=[
                    {"Update": {**update, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}},
                    _profile_stands(self.customers, dossier.profile),
                    _consents_stand(self.consents, dossier.consents),
                ],
                ClientRequestToken=claimed.attempt_id,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            reasons: list[Mapping[str, Any]] = list(error.response.get("CancellationReasons", []))  # type: ignore[call-overload]
            if reasons and is_written(reasons[0].get("Item"), claimed):
                return True
            if not reasons or any(reason.get("Code") not in _LOST for reason in reasons):
                raise
            return False
        return True


def _profile_stands(table: str, profile: Profile) -> TransactWriteItemTypeDef:
    key = {"customer_id": profile.customer_id, "item": PROFILE}
    not_erased = "(attribute_not_exists(erased) OR erased = :false)"
    if profile.version == 0:
        return _check(table, key, "attribute_not_exists(version)", {})
    values = {":version": {"N": str(profile.version)}, ":false": {"BOOL": False}}
    return _check(table, key, f"version = :version AND {not_erased}", values)


def _consents_stand(table: str, consents: Consents) -> TransactWriteItemTypeDef:
    key = {"customer_id": consents.customer_id, "item": CURRENT}
    if consents.version == 0:
        return _check(table, key, "attribute_not_exists(version)", {})
    return _check(table, key, "version = :version", {":version": {"N": str(consents.version)}})


def _check(
    table: str, key: dict[str, str], condition: str, values: dict[str, Any]
) -> TransactWriteItemTypeDef:
    return {
        "ConditionCheck": {
            "TableName": table,
            "Key": {name: {"S": value} for name, value in key.items()},
            "ConditionExpression": condition,
            **({"ExpressionAttributeValues": values} if values else {}),
        }
    }
