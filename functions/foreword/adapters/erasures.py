"""Who was erased: a list of keyed hashes in the customers table, and the key beside it.

    customer_id    item               is
    " erased"      key                the key, made by the first erasure
    " erased"      <time>/<hash>      one erasure

No customer is called so: an id has no space. In the order of time, so that who knows the list reads on where it
ended.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from foreword.app.ports import Clock
from foreword.domain.erasure import KEY_BYTES, LOOKED_AT_EVERY, hash_of
from foreword.domain.instants import Instant, sortable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_PARTITION = " erased"
_KEY = "key"


class Erasures:
    """The port `ErasedCustomers`. What is known here of the list is at most LOOKED_AT_EVERY old."""

    def __init__(self, client: DynamoDBClient, table: str, clock: Clock) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._key: bytes | None = None
        self._hashes: set[str] = set()
        self._read_at: Instant | None = None

    def is_erased(self, customer_id: str) -> bool:
        now = self._clock.now()
        if self._read_at is None or now - self._read_at >= LOOKED_AT_EVERY:
            self._read(now)
        return self._key is not None and hash_of(self._key, customer_id) in self._hashes

    def add(self, customer_id: str, now: Instant) -> None:
        """Once, however often."""
        key = self._made_key()
        self._read(now)
        if self.is_erased(customer_id):
            return
        name = f"{sortable(now)}/{hash_of(key, customer_id)}"
        self._client.put_item(TableName=self._table, Item=_item(name))

    def _made_key(self) -> bytes:
        item = {**_item(_KEY), "key": {"B": secrets.token_bytes(KEY_BYTES)}}
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.put_item(
                TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(customer_id)"
            )
        stored = self._client.get_item(TableName=self._table, Key=_item(_KEY), ConsistentRead=True)["Item"]
        return stored["key"]["B"]

    def _read(self, now: Instant) -> None:
        # Clocks of different machines differ, and a write takes its time: the last hour is read again.
        after = "" if self._read_at is None else sortable(self._read_at - 60 * LOOKED_AT_EVERY)
        request: Any = {
            "TableName": self._table,
            "KeyConditionExpression": "customer_id = :erased AND #item > :after",
            "ExpressionAttributeNames": {"#item": "item"},
            "ExpressionAttributeValues": {":erased": {"S": _PARTITION}, ":after": {"S": after or " "}},
            "ConsistentRead": True,
        }
        for page in self._client.get_paginator("query").paginate(**request):
            for item in page["Items"]:
                if item["item"]["S"] == _KEY:
                    self._key = bytes(item["key"]["B"])
                else:
                    self._hashes.add(item["item"]["S"].rpartition("/")[2])
        self._read_at = now


def _item(name: str) -> dict[str, AttributeValueTypeDef]:
    return {"customer_id": {"S": _PARTITION}, "item": {"S": name}}
