"""Items of several tables, read at once with what DynamoDB leaves over asked for again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from foreword.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_READS = 3


def read_all(client: DynamoDBClient, asked: dict[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """A BatchGetItem to its end. A throttled key is not an absent one: StoreUnavailable."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for _ in range(_READS):
        response = client.batch_get_item(RequestItems=asked)
        for table, items in response["Responses"].items():
            found.setdefault(table, []).extend(items)
        asked = dict(response.get("UnprocessedKeys", {}))
        if not asked:
            return found
    raise StoreUnavailable(f"no answer for {', '.join(sorted(asked))}")


def first(found: Mapping[str, list[Mapping[str, Any]]], table: str) -> Mapping[str, Any] | None:
    items = found.get(table)
    return items[0] if items else None
