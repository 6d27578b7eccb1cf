"""Queue -> table `items`. An event's data says what goes wrong: {"fail": true} or {"raise": true}."""

from __future__ import annotations

import json
import os
import sys
from functools import cache
from typing import Any

import boto3


@cache
def _dynamodb() -> Any:
    return boto3.client("dynamodb")


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    failures = []
    for record in event["Records"]:
        detail = json.loads(record["body"])["detail"]
        data = detail["data"]
        if data.get("raise"):
            raise RuntimeError("told to raise")
        if data.get("fail"):
            failures.append({"itemIdentifier": record["messageId"]})
            continue
        item = {"id": {"S": detail["id"]}, "kind": {"S": "item"}}
        item |= {name: {"S": value} for name, value in data.items() if isinstance(value, str)}
        _dynamodb().put_item(TableName=os.environ["ITEMS_TABLE"], Item=item)
        sys.stdout.write(f"kept {detail['id']} with {context.get_remaining_time_in_millis()} ms left\n")
    return {"batchItemFailures": failures}
