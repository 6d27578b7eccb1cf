"""A customer's cap ledger as an item of the messages table, each place an attribute of its own.

So a place is given back by an update that needs to know nothing of the others; it counts the version up, so that
nobody writes the place anew from what was read before.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from foreword.adapters.transactions import over_version
from foreword.domain import json_text
from foreword.domain.instants import SECOND, Instant
from foreword.domain.ledger import Ledger, Place
from foreword.domain.rulebook import Channel, Purpose

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

LEDGER = " ledger"
"""Where a message has its id; no message's begins with a blank."""

_PLACE = "place#"


def ledger_key(customer_id: str) -> dict[str, AttributeValueTypeDef]:
    return {"customer_id": {"S": customer_id}, "message_id": {"S": LEDGER}}


def ledger_from_item(item: Mapping[str, Any] | None, customer_id: str) -> Ledger:
    """The ledger of a DynamoDB item as the client returns it; an empty one where there is none."""
    if item is None:
        return Ledger(customer_id)
    places = {
        name.removeprefix(_PLACE): _place(name.removeprefix(_PLACE), json_text.loads(value["S"]))
        for name, value in item.items()
        if name.startswith(_PLACE)
    }
    return Ledger(customer_id, places, int(item["version"]["N"]))


def load_ledger(client: DynamoDBClient, table: str, customer_id: str) -> Ledger:
    """Read with strong consistency."""
    response = client.get_item(TableName=table, Key=ledger_key(customer_id), ConsistentRead=True)
    return ledger_from_item(response.get("Item"), customer_id)


def ledger_write(table: str, ledger: Ledger, kept_until: Instant) -> TransactWriteItemTypeDef:
    """The transaction entry that writes the ledger over the version it was read at."""
    places: dict[str, AttributeValueTypeDef] = {
        f"{_PLACE}{name}": {"S": json_text.dumps(_written(place))} for name, place in ledger.places.items()
    }
    item = {
        **ledger_key(ledger.customer_id),
        **places,
        "version": {"N": str(ledger.version + 1)},
        "expires_at": {"N": str(kept_until // SECOND)},
    }
    return over_version({"TableName": table, "Item": item}, ledger.version)


def place_given_back(
    table: str, customer_id: str, message_id: str, kept_until: Instant
) -> TransactWriteItemTypeDef:
    """The transaction entry that gives a message's place back, whatever else the ledger holds."""
    return {
        "Update": {
            "TableName": table,
            "Key": ledger_key(customer_id),
            "UpdateExpression": "REMOVE #place SET expires_at = if_not_exists(expires_at, :until) ADD version :one",
            "ExpressionAttributeNames": {"#place": f"{_PLACE}{message_id}"},
            "ExpressionAttributeValues": {":one": {"N": "1"}, ":until": {"N": str(kept_until // SECOND)}},
        }
    }


def _written(place: Place) -> list[Any]:
    return [
        place.rule,
        place.message,
        place.purpose,
        place.channel,
        str(place.score),
        place.decided_for,
        place.deliver_by,
        place.dated,
    ]


def _place(message_id: str, written: list[Any]) -> Place:
    rule, message, purpose, channel, score, decided_for, deliver_by, dated = written
    return Place(
        message_id,
        rule,
        message,
        Purpose(purpose),
        Channel(channel),
        Decimal(score),
        decided_for,
        deliver_by,
        dated,
    )
