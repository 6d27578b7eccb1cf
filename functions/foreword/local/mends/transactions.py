"""moto copies every table a TransactWriteItems names, and on failure puts the copies in place of the tables.

That costs one transaction a second at 5,000 items, and whoever holds the table itself keeps the failed writes.
Mend: only the items named are remembered, and put back in the same table, stream and all.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

from foreword.local.mends.patching import patched


class _Undo(Protocol):
    def __call__(self) -> None: ...


@contextmanager
def transactions_touch_their_items_only() -> Iterator[None]:
    original = DynamoDBBackend.transact_write_items

    def transact_write_items(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
        undo = [_undo(self, *next(iter(item.items()))) for item in transact_items]
        with patched(Table, "__deepcopy__", lambda table, _memo: table):  # moto's own whole-table backup
            try:
                original(self, transact_items)
            except Exception:  # whatever it is, the transaction did not happen
                for step in undo:
                    step()
                raise

    with patched(DynamoDBBackend, "transact_write_items", transact_write_items):
        yield


def _undo(backend: DynamoDBBackend, operation: str, request: dict[str, Any]) -> _Undo:
    """How to make one item, and its table's stream, what they are now."""
    table = backend.tables.get(request.get("TableName", "").rsplit("/", 1)[-1])
    key = request.get("Item" if operation == "Put" else "Key", {})
    if table is None or table.hash_key_attr not in key:
        return lambda: None  # moto refuses such a request before it writes
    hash_key = DynamoType(key[table.hash_key_attr])
    range_key = DynamoType(key[table.range_key_attr]) if table.range_key_attr in key else None
    before = copy.deepcopy(_find(table, hash_key, range_key))
    stream = table.stream_shard
    length = len(stream.items) if stream is not None else 0

    def step() -> None:
        if stream is not None:
            del stream.items[length:]
        held = table.items if range_key is None else table.items[hash_key]
        place = hash_key if range_key is None else range_key
        if before is None:
            held.pop(place, None)
        else:
            held[place] = before

    return step


def _find(table: Any, hash_key: DynamoType, range_key: DynamoType | None) -> Any:
    held = table.items.get(hash_key)
    return held if range_key is None or held is None else held.get(range_key)
