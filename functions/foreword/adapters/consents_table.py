"""The consents table: a customer's choices and suppressions, one item each customer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from foreword.domain import json_text
from foreword.domain.consent import Choice, Consents

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, PutTypeDef, TransactWriteItemTypeDef

CURRENT = "current"


def consents_key(customer_id: str) -> dict[str, AttributeValueTypeDef]:
    return {"customer_id": {"S": customer_id}, "item": {"S": CURRENT}}


def consents_from_item(item: Mapping[str, Any] | None, customer_id: str) -> Consents:
    """The consents of a DynamoDB item as the client returns it; no choices where there is none."""
    if item is None:
        return Consents(customer_id)
    choices = {
        (topic, channel): Choice(bool(opted_in), (occurred_at, received_at, key))
        for topic, channel, opted_in, occurred_at, received_at, key in json_text.loads(item["choices"]["S"])
    }
    suppressed = frozenset(json_text.loads(item["suppressed"]["S"]))
    return Consents(customer_id, choices, suppressed, int(item["version"]["N"]))


def consents_write(table: str, consents: Consents) -> TransactWriteItemTypeDef:
    """The transaction entry that writes `consents` over the version it was read at."""
    choices = [
        [topic, channel, choice.opted_in, *choice.written]
        for (topic, channel), choice in sorted(consents.choices.items())
    ]
    put: PutTypeDef = {
        "TableName": table,
        "Item": {
            **consents_key(consents.customer_id),
            "version": {"N": str(consents.version + 1)},
            "choices": {"S": json_text.dumps(choices)},
            "suppressed": {"S": json_text.dumps(sorted(consents.suppressed))},
        },
        "ConditionExpression": "attribute_not_exists(version)",
    }
    if consents.version > 0:
        put["ConditionExpression"] = "version = :read"
        put["ExpressionAttributeValues"] = {":read": {"N": str(consents.version)}}
    return {"Put": put}


def load_consents(client: DynamoDBClient, table: str, customer_id: str) -> Consents:
    """Read with strong consistency: the next write is conditional on this version."""
    response = client.get_item(TableName=table, Key=consents_key(customer_id), ConsistentRead=True)
    return consents_from_item(response.get("Item"), customer_id)
