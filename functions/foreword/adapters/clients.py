"""boto3 clients, made when first asked for and never at import.

Stores may be retried: every write of ours is conditional. A provider is called exactly once per claim, so its
clients retry nothing; the SDK's default would send up to three mails when a response is lost.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

_STORE = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=2, read_timeout=5)
_PROVIDER = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=2, read_timeout=6)


@cache
def dynamodb() -> DynamoDBClient:
    return boto3.client("dynamodb", config=_STORE)


@cache
def events() -> EventBridgeClient:
    return boto3.client("events", config=_STORE)


@cache
def request_events() -> EventBridgeClient:
    """The bus as a provider: a task is put there once for each claim."""
    return boto3.client("events", config=_PROVIDER)


@cache
def sqs() -> SQSClient:
    return boto3.client("sqs", config=_STORE)


@cache
def ses() -> SESV2Client:
    return boto3.client("sesv2", config=_PROVIDER)


@cache
def sns() -> SNSClient:
    return boto3.client("sns", config=_PROVIDER)


@cache
def secrets() -> Any:
    return boto3.client("secretsmanager", config=_STORE)
