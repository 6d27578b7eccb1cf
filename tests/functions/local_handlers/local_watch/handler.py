"""Stream of `items` -> table `seen` (how often each was handled), an e-mail where there is an address, an SMS where
there is a number. `{"text": "poison"}` is reported as failed, `{"text": "bomb"}` raises.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config


@cache
def _client(name: Any) -> Any:
    return boto3.client(name, config=Config(retries={"total_max_attempts": 1}))


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    failures = []
    for record in event["Records"]:
        image = {name: value["S"] for name, value in record["dynamodb"]["NewImage"].items()}
        if image.get("text") == "bomb":
            raise RuntimeError("a bomb")
        if image.get("text") == "poison":
            failures.append({"itemIdentifier": record["dynamodb"]["SequenceNumber"]})
            continue
        _client("dynamodb").update_item(
            TableName=os.environ["SEEN_TABLE"],
            Key={"id": {"S": image["id"]}, "kind": {"S": "seen"}},
            UpdateExpression="ADD times :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )
        if "email" in image:
            _mail(image["email"], image.get("text", ""))
        if "phone" in image:
            _client("sns").publish(PhoneNumber=image["phone"], Message=image.get("text", ""))
    return {"batchItemFailures": failures}


def _mail(to: str, text: str) -> None:
    _client("sesv2").send_email(
        FromEmailAddress=os.environ["EMAIL_SENDER"],
        Destination={"ToAddresses": [to]},
        Content={
            "Simple": {
                "Subject": {"Data": "Seen"},
                "Body": {"Text": {"Data": text}, "Html": {"Data": f"<p>{text}</p>"}},
                "Headers": [{"Name": "X-Seen", "Value": "yes"}],
            }
        },
        EmailTags=[{"Name": "about", "Value": "seen"}],
        ConfigurationSetName=os.environ["CONFIGURATION_SET"],
    )
