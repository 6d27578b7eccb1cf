"""Where the local cloud pretends to be. moto's own account number, and a region whose zone is not UTC."""

from __future__ import annotations

from typing import Final

REGION: Final = "eu-central-1"
ACCOUNT: Final = "123456789012"
PARTITION: Final = "aws"


def arn(service: str, resource: str) -> str:
    """`arn("sqs", "dead")` -> "arn:aws:sqs:eu-central-1:123456789012:dead"."""
    return f"arn:{PARTITION}:{service}:{REGION}:{ACCOUNT}:{resource}"


def name_of(resource_arn: str) -> str:
    """The last part of an ARN: a queue's, function's, bus's or table's name (a stream's ARN gives its table)."""
    resource = resource_arn.split(":", 5)[5]
    if resource.startswith("table/"):
        return resource.split("/")[1]
    return resource.rsplit(":", 1)[-1].rsplit("/", 1)[-1]
