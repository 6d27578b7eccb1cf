"""The consents table: what a customer chose as it stands, one item each, and beside it every change there was.

The item `current` is `Consents`. Its `choices` have had the same shape from the beginning; what came later has
attributes of its own, so that an older function still finds the choices it knows. A change is an item
`history#<when it happened>#<hash of its fact's key>`: the same whoever writes it, and never written again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from foreword.adapters.transactions import over_version
from foreword.domain import json_text
from foreword.domain.consent import Choice, Consents, Setting
from foreword.domain.facts import Fact
from foreword.domain.instants import parse_instant, sortable
from foreword.domain.preference_changes import AtMost, Key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

CURRENT = "current"
HISTORY = "history#"
_NOTHING = {"S": "[]"}


def consents_key(customer_id: str) -> dict[str, AttributeValueTypeDef]:
    return {"customer_id": {"S": customer_id}, "item": {"S": CURRENT}}


def consents_from_item(item: Mapping[str, Any] | None, customer_id: str) -> Consents:
    """The consents of a DynamoDB item as the client returns it; no choices where there is none."""
    if item is None:
        return Consents(customer_id)
    told: dict[Key, tuple[str | None, str | None]] = {
        (topic, channel): (basis, via)
        for topic, channel, basis, via in json_text.loads(item.get("told", _NOTHING)["S"])
    }
    return Consents(
        customer_id,
        choices=_choices(item["choices"], told),
        suppressed=frozenset(json_text.loads(item["suppressed"]["S"])),
        version=int(item["version"]["N"]),
        pending=_choices(item.get("pending", _NOTHING), {}),
        settings={
            name: Setting(_set_value(name, value), (occurred_at, received_at, key))
            for name, value, occurred_at, received_at, key in json_text.loads(
                item.get("settings", _NOTHING)["S"]
            )
        },
    )


def consents_write(table: str, consents: Consents) -> TransactWriteItemTypeDef:
    """The transaction entry that writes `consents` over the version it was read at."""
    told = [
        [*key, choice.basis, choice.via]
        for key, choice in sorted(consents.choices.items())
        if choice.basis is not None or choice.via is not None
    ]
    settings = [
        [name, _kept_value(setting.value), *setting.written]
        for name, setting in sorted(consents.settings.items())
    ]
    item: dict[str, AttributeValueTypeDef] = {
        **consents_key(consents.customer_id),
        "version": {"N": str(consents.version + 1)},
        "choices": _rows(consents.choices),
        "suppressed": {"S": json_text.dumps(sorted(consents.suppressed))},
        "told": {"S": json_text.dumps(told)},
        "pending": _rows(consents.pending),
        "settings": {"S": json_text.dumps(settings)},
    }
    return over_version({"TableName": table, "Item": item}, consents.version)


def history_write(table: str, fact: Fact) -> TransactWriteItemTypeDef:
    """The transaction entry that keeps a change for good, as evidence of who said what, when and where."""
    name = hashlib.sha256(fact.key.encode()).hexdigest()[:32]  # a fact's key may be as long as a sort key
    return {
        "Put": {
            "TableName": table,
            "Item": {
                "customer_id": {"S": fact.customer_id},
                "item": {"S": f"{HISTORY}{sortable(fact.occurred_at)}#{name}"},
                "source": {"S": fact.source},
                "event_id": {"S": fact.id},
                "occurred_at": {"S": sortable(fact.occurred_at)},
                "received_at": {"S": sortable(fact.received_at)},
                "data": {"S": json_text.dumps(fact.data)},
            },
        }
    }


def load_consents(client: DynamoDBClient, table: str, customer_id: str) -> Consents:
    """Read with strong consistency: the next write is conditional on this version."""
    response = client.get_item(TableName=table, Key=consents_key(customer_id), ConsistentRead=True)
    return consents_from_item(response.get("Item"), customer_id)


def load_history(client: DynamoDBClient, table: str, customer_id: str) -> list[dict[str, Any]]:
    """Every change in the order in which they happened: `source`, `event_id`, the two times, and `data`."""
    pages = client.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="customer_id = :customer AND begins_with(#item, :history)",
        ExpressionAttributeNames={"#item": "item"},
        ExpressionAttributeValues={":customer": {"S": customer_id}, ":history": {"S": HISTORY}},
        ConsistentRead=True,
    )
    return [_change(item) for page in pages for item in page["Items"]]


def _change(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "source": item["source"]["S"],
        "event_id": item["event_id"]["S"],
        "occurred_at": parse_instant(item["occurred_at"]["S"]),
        "received_at": parse_instant(item["received_at"]["S"]),
        "data": json_text.loads(item["data"]["S"]),
    }


def _rows(choices: Mapping[Key, Choice]) -> AttributeValueTypeDef:
    rows = [[*key, choice.opted_in, *choice.written] for key, choice in sorted(choices.items())]
    return {"S": json_text.dumps(rows)}


def _choices(
    attribute: Mapping[str, Any], told: Mapping[Key, tuple[str | None, str | None]]
) -> dict[Key, Choice]:
    return {
        (topic, channel): Choice(
            bool(opted_in), (occurred_at, received_at, key), *told.get((topic, channel), (None, None))
        )
        for topic, channel, opted_in, occurred_at, received_at, key in json_text.loads(attribute["S"])
    }


def _kept_value(value: Any) -> Any:
    return [value.count, value.within] if isinstance(value, AtMost) else value


def _set_value(name: str, value: Any) -> Any:
    if value is None or name == "paused_until":
        return value
    return AtMost(*value) if name == "at_most" else tuple(value)
