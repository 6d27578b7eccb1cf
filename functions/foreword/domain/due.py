"""The sharded due index: which of its partitions a customer's deadlines are kept in."""

from __future__ import annotations

import hashlib

DUE_SHARDS = 8


def due_shard(customer_id: str) -> str:
    """`"0"` to `"7"`: one customer always in the same shard, all customers spread evenly."""
    return str(hashlib.sha256(customer_id.encode()).digest()[0] % DUE_SHARDS)


def all_due_shards() -> tuple[str, ...]:
    return tuple(str(shard) for shard in range(DUE_SHARDS))
