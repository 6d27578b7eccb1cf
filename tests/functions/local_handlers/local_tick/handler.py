"""Every minute: takes the deadline off each item that is due."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3


@cache
def _dynamodb() -> Any:
    return boto3.client("dynamodb")


def handle(event: dict[str, Any], context: Any) -> None:
    table = os.environ["ITEMS_TABLE"]
    now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    for item in _dynamodb().scan(TableName=table)["Items"]:
        if "due_at" in item and item["due_at"]["S"] <= now:
            _dynamodb().update_item(
                TableName=table,
                Key={"id": item["id"], "kind": item["kind"]},
                UpdateExpression="SET released_at = :now REMOVE due_shard, due_at",
                ExpressionAttributeValues={":now": {"S": event["time"]}},
            )
