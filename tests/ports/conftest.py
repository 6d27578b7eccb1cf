"""The stores of the road as moto makes them, with the keys and indexes of the template."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLES = {
    "activity": ("customer_id", "fact"),
    "customers": ("customer_id", "item"),
    "messages": ("customer_id", "message_id"),
    "consents": ("customer_id", "item"),
    "peers": ("part", "item"),
}

FINDING = {
    "messages": {"sms": "sms_id"},
    "customers": {"email": "email_key", "phone": "phone_key"},
}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def dynamodb(aws: None) -> DynamoDBClient:
    client: DynamoDBClient = boto3.client("dynamodb")
    for table, keys in TABLES.items():
        indexed = table in ("customers", "messages", "peers")
        indexes: dict[str, Any] = {}
        if indexed:
            projection: dict[str, Any] = {"ProjectionType": "KEYS_ONLY"}
            if table == "messages":
                projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["status"]}
            indexes["GlobalSecondaryIndexes"] = [
                {"IndexName": "due", "KeySchema": _keys("due_shard", "due_at"), "Projection": projection}
            ]
            indexes["GlobalSecondaryIndexes"] += [
                {
                    "IndexName": name,
                    "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
                for name, key in FINDING.get(table, {}).items()
            ]
        names = [*keys, *(("due_shard", "due_at") if indexed else ()), *FINDING.get(table, {}).values()]
        client.create_table(
            TableName=table,
            KeySchema=_keys(*keys),
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
            BillingMode="PAY_PER_REQUEST",
            **indexes,
        )
    return client


def _keys(partition: str, sort: str) -> Any:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]
