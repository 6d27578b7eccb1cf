"""moto's DynamoDB streams tell of writes that did not happen so.

- An UpdateItem that creates its item is told as two INSERTs: its key alone, then the item. AWS tells one.
- A write that changes nothing is told as a MODIFY. AWS tells nothing.
- An UpdateItem that fails after creating its item leaves the item and its record. AWS leaves neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import StreamShard

from foreword.local.mends.patching import patched


@contextmanager
def streams_tell_what_happened() -> Iterator[None]:
    with (
        patched(StreamShard, "add", _without_no_ops(StreamShard.add)),
        patched(DynamoDBBackend, "update_item", _as_one_write(DynamoDBBackend.update_item)),
    ):
        yield


def _without_no_ops(original: Any) -> Any:
    def add(self: StreamShard, old: Any, new: Any) -> None:
        if old is not None and new is not None and old.to_json() == new.to_json():
            return
        original(self, old, new)

    return add


def _as_one_write(original: Any) -> Any:
    def update_item(
        self: DynamoDBBackend, table_name: str, key: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        table = self.get_table(table_name)
        hash_key = DynamoType(key[table.hash_key_attr])
        range_key = DynamoType(key[table.range_key_attr]) if table.range_key_attr else None
        created = table.get_item(hash_key, range_key) is None
        stream, records = _set_aside(table)
        try:
            item = original(self, table_name, key, *args, **kwargs)
        except Exception:  # whatever it is, the update did not happen
            if created:
                table.delete_item(hash_key, range_key)
            raise
        finally:
            table.stream_shard = stream
        if stream is not None and created:
            stream.add(None, item)
        elif stream is not None:
            stream.add(*records.changes[-1])
        return item

    return update_item


class _Changes:
    """Stands in for a stream during one update, and remembers (old, new) of each write."""

    def __init__(self) -> None:
        self.changes: list[tuple[Any, Any]] = []

    def add(self, old: Any, new: Any) -> None:
        self.changes.append((old, new))


def _set_aside(table: Any) -> tuple[Any, _Changes]:
    stream, changes = table.stream_shard, _Changes()
    if stream is not None:
        table.stream_shard = changes
    return stream, changes
