"""moto never expires an item. AWS deletes it some time (up to days) after its TTL, and tells the stream.

Mend: expiry on demand, at the present (virtual) time.
"""

from __future__ import annotations

import time

from moto.dynamodb.models import dynamodb_backends

from foreword.local.account import ACCOUNT, REGION


def expire_items() -> int:
    """Delete every item whose TTL is past; returns how many. The streams tell of REMOVEs by DynamoDB itself."""
    expired = 0
    for table in dynamodb_backends[ACCOUNT][REGION].tables.values():
        if table.ttl.get("TimeToLiveStatus") != "ENABLED":
            continue
        attribute = table.ttl["AttributeName"]
        for item in table.all_items():
            ttl = item.attrs.get(attribute)
            if ttl is not None and ttl.type == "N" and float(ttl.value) <= time.time():
                table.delete_item(item.hash_key, item.range_key)
                _say_who(table)
                expired += 1
    return expired


def _say_who(table: object) -> None:
    stream = getattr(table, "stream_shard", None)
    if stream is not None:
        stream.items[-1].record["userIdentity"] = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
