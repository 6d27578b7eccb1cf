"""The contact history as experiments read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from foreword.adapters.exposures_table import ExposuresTable
from foreword.domain.exposures import Exposure
from foreword.domain.instants import parse_instant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

AT = "2026-03-02T09:00:00.000001Z"


def put(client: DynamoDBClient, message: str, **attributes: str) -> None:
    item: Any = {name: {"S": value} for name, value in attributes.items()}
    client.put_item(
        TableName="messages",
        Item={"customer_id": {"S": f"c-{message}"}, "message_id": {"S": message}, **item},
    )


def test_every_decision_of_the_rule_is_read_and_nothing_else(dynamodb: DynamoDBClient) -> None:
    put(dynamodb, "1", rule="stuck", decided_at=AT, reason="HELD_OUT")
    put(dynamodb, "2", rule="stuck", decided_at=AT, reason="SENT", variant="calm")
    put(dynamodb, "3", rule="stuck", decided_at=AT)
    put(dynamodb, "4", rule="other", decided_at=AT, reason="SENT")
    put(dynamodb, "ledger", rule="stuck")
    put(dynamodb, "elsewhere")
    read = [one for page in ExposuresTable(dynamodb, "messages").exposures("stuck") for one in page]
    at = parse_instant(AT)
    assert sorted(read) == [
        Exposure("c-1", at, "HELD_OUT", None),
        Exposure("c-2", at, "SENT", "calm"),
        Exposure("c-3", at, None, None),
    ]


def test_it_comes_page_by_page(dynamodb: DynamoDBClient) -> None:
    """DynamoDB ends a page at a megabyte of what it has scanned."""
    for number in range(12):
        put(dynamodb, str(number), rule="stuck", decided_at=AT, signals="x" * 200_000)
    pages = list(ExposuresTable(dynamodb, "messages").exposures("stuck"))
    assert len(pages) > 1
    assert sum(map(len, pages)) == 12
