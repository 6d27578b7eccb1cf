"""What SES reports -> table `seen`, and a metric. A complaint is too much for it."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import boto3


def handle(event: dict[str, Any], context: Any) -> None:
    kind = event["detail"]["eventType"]
    directive = {"CloudWatchMetrics": [{"Metrics": [{"Name": "Heard"}]}]}
    sys.stdout.write(json.dumps({"_aws": directive, "Heard": [1], "kind": kind}) + "\n")
    if kind == "Complaint":
        raise RuntimeError("somebody complained")
    boto3.client("dynamodb").put_item(
        TableName=os.environ["SEEN_TABLE"],
        Item={"id": {"S": event["detail"]["mail"]["messageId"]}, "kind": {"S": kind}},
    )
