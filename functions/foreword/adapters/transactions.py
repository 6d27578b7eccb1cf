"""What went wrong in a DynamoDB transaction, entry by entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        ConditionCheckTypeDef,
        PutTypeDef,
        TransactWriteItemTypeDef,
    )


def transact(client: DynamoDBClient, entries: Sequence[TransactWriteItemTypeDef]) -> list[int]:
    """Write all entries or none. Gives the entries whose condition failed (none: all are written).

    Every other failure, a conflict with another transaction among them, is the client's own error.
    """
    try:
        client.transact_write_items(TransactItems=entries)
    except ClientError as error:
        failed = failed_conditions(error)
        if failed:
            return failed
        raise
    return []


def failed_conditions(error: ClientError) -> list[int]:
    """The positions of the entries whose condition failed; empty when something else was the matter."""
    # Of a TransactionCanceledException alone, which the stubs of ClientError do not tell.
    reasons: Any = error.response.get("CancellationReasons", [])
    return [at for at, reason in enumerate(reasons) if reason.get("Code") == "ConditionalCheckFailed"]


def over_version(put: PutTypeDef, version: int) -> TransactWriteItemTypeDef:
    """Put only where nobody wrote the item since it was read at `version`; 0 is no item."""
    if version == 0:
        return {"Put": {**put, "ConditionExpression": "attribute_not_exists(version)"}}
    return {
        "Put": {
            **put,
            "ConditionExpression": "version = :read",
            "ExpressionAttributeValues": {":read": {"N": str(version)}},
        }
    }


def at_version(table: str, key: Mapping[str, AttributeValueTypeDef], version: int) -> ConditionCheckTypeDef:
    """A check that nobody wrote the item since it was read at `version`; 0 is no item, and still must be none."""
    if version == 0:
        return {"TableName": table, "Key": key, "ConditionExpression": "attribute_not_exists(version)"}
    return {
        "TableName": table,
        "Key": key,
        "ConditionExpression": "version = :read",
        "ExpressionAttributeValues": {":read": {"N": str(version)}},
    }
