"""moto's tables read directly: their items, what their streams have told since last time, and when the next
deadline in a `due` index comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from foreword.domain.instants import parse_instant, to_datetime
from foreword.local.account import ACCOUNT, REGION
from foreword.local.items import plain
from foreword.local.records import TableChange

DUE_INDEX = "due"


class Tables:
    """The tables of one stack, by the short names people use ("messages")."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names
        self._told = dict.fromkeys(names, 0)

    def items(self, short_name: str) -> list[dict[str, Any]]:
        return [plain(item) for item in self.typed_items(short_name)]

    def typed_items(self, short_name: str) -> list[dict[str, Any]]:
        """As the DynamoDB client gives them: {"name": {"S": "Ada"}}."""
        if short_name not in self.names:
            raise LookupError(f"there is no table {short_name!r}; there are {', '.join(sorted(self.names))}")
        table = self._table(short_name)
        return [item.to_json()["Attributes"] for item in table.all_items()]

    def changes(self) -> Iterator[TableChange]:
        """What the streams have told since the last call."""
        for short_name in self.names:
            stream = self._table(short_name).stream_shard
            records: Sequence[Any] = stream.items if stream is not None else ()
            while self._told[short_name] < len(records):
                self._told[short_name] += 1
                yield _change(short_name, records[self._told[short_name] - 1].record)

    def next_due(self) -> datetime | None:
        """The earliest deadline of any item in a `due` index."""
        deadlines = []
        for short_name in self.names:
            table = self._table(short_name)
            index = next((one for one in table.global_indexes if one.name == DUE_INDEX), None)
            if index is not None:
                shard, at = index.schema_key_attrs
                due = [item.attrs[at].value for item in table.all_items() if {shard, at} <= item.attrs.keys()]
                deadlines += due
        return to_datetime(parse_instant(min(deadlines))) if deadlines else None

    def _table(self, short_name: str) -> Any:
        return dynamodb_backends[ACCOUNT][REGION].tables[self.names[short_name]]


def _change(table: str, record: Mapping[str, Any]) -> TableChange:
    body = record["dynamodb"]
    return TableChange(
        at=body["ApproximateCreationDateTime"].replace(tzinfo=UTC),
        table=table,
        kind=record["eventName"],
        key=plain(body["Keys"]),
        old=plain(body["OldImage"]) if "OldImage" in body else None,
        new=plain(body["NewImage"]) if "NewImage" in body else None,
    )
