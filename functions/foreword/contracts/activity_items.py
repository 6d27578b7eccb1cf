"""A fact as an item of the activity table, and as the image its stream carries: one shape for both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from foreword.domain import json_text
from foreword.domain.facts import Fact
from foreword.domain.instants import Instant, parse_instant, sortable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


def item_of(fact: Fact, expires_at: Instant) -> dict[str, AttributeValueTypeDef]:
    """The item; `data` is JSON text, so that numbers keep their source text.

    `retracts` and `imported` are there only where set.
    """
    item: dict[str, AttributeValueTypeDef] = {
        "customer_id": {"S": fact.customer_id},
        "fact": {"S": fact.key},
        "type": {"S": fact.type},
        "source": {"S": fact.source},
        "event_id": {"S": fact.id},
        "occurred_at": {"S": sortable(fact.occurred_at)},
        "received_at": {"S": sortable(fact.received_at)},
        "data": {"S": json_text.dumps(fact.data)},
        "expires_at": {"N": str(expires_at // 1_000_000)},
    }
    if fact.retracts is not None:
        item["retracts"] = {"S": fact.retracts}
    if fact.imported:
        item["imported"] = {"BOOL": True}
    return item


def fact_of(item: Mapping[str, Any]) -> Fact:
    """The fact of an item or image in the client's form (`{"S": ...}`); KeyError or ValueError if it is none."""
    return Fact(
        source=item["source"]["S"],
        id=item["event_id"]["S"],
        type=item["type"]["S"],
        customer_id=item["customer_id"]["S"],
        occurred_at=parse_instant(item["occurred_at"]["S"]),
        received_at=parse_instant(item["received_at"]["S"]),
        # Measured when it was accepted; what Foreword itself puts around a value may go deeper.
        data=json_text.loads(item["data"]["S"], max_depth=2 * json_text.MAX_DEPTH),
        retracts=item["retracts"]["S"] if "retracts" in item else None,
        imported=bool(item.get("imported", {}).get("BOOL", False)),
    )
