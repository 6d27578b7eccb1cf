"""The `peers` table: the values of periods by shard of customers, what is reckoned of them, and the truths.

    part                                         item                 is
    value/<rule>/<digest>/<period>/<shard>       customer             a value, by the version of the state
    frozen/<rule>/<digest>/<period>/<shard>      number               a run of values, as they were at the close
    told/<rule>/<digest>/<period>/<round>/<b>    shard/number         what a shard told of a bucket's cohorts
    settled/<rule>/<digest>/<period>             round/bucket/number  what was made of it
    true/<rule>/<shard>                          customer             for whom the rule was true ever since when
    close/<rule>                                 period/digest        see adapters.peer_closes

A part is a shard of customers or of cohorts, so that no item and no partition is that of all. All but who is true
expires; it stands in a table of its own because consents never do, and nothing but closing may touch it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from foreword.app.count_peers import runs
from foreword.app.ports import Frozen
from foreword.domain.instants import Instant, parse_instant, sortable
from foreword.domain.peers_closing import KEPT_FOR, Close, Truth, shard_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


@dataclass(frozen=True, slots=True)
class PeersTable:
    """The port `PeerStore`."""

    client: DynamoDBClient
    table: str

    def put_value(self, close: Close, customer_id: str, line: str | None, version: int) -> None:
        attributes: dict[str, AttributeValueTypeDef] = {
            "version": {"N": str(version)},
            **({} if line is None else {"line": {"S": line}}),
            **_expiring(close.end),
        }
        self._put(
            _part("value", close, shard_of(customer_id)),
            customer_id,
            attributes,
            "attribute_not_exists(version) OR version <= :written",
            {":written": {"N": str(version)}},
        )

    def values(self, close: Close, shard: str, after: str) -> Iterator[tuple[str, str]]:
        # Every customer id is behind the space, the last character before the visible ones.
        for item in self._query(_part("value", close, shard), "#item > :first", {":first": after or " "}):
            if "line" in item:
                yield item["item"]["S"], item["line"]["S"]

    def freeze(self, close: Close, shard: str, frozen: Frozen) -> bool:
        return self._put(
            _part("frozen", close, shard),
            f"{frozen.number:06d}",
            {
                "lines": _packed(frozen.lines),
                "through": {"S": frozen.through},
                "is_last": {"BOOL": frozen.is_last},
                **_expiring(close.end),
            },
            "attribute_not_exists(part)",
        )

    def frozen(self, close: Close, shard: str, begin: int = 0) -> Iterator[Frozen]:
        part = _part("frozen", close, shard)
        for item in self._query(part, "#item >= :first", {":first": f"{begin:06d}"}):
            yield Frozen(
                int(item["item"]["S"]), _unpacked(item), item["through"]["S"], item["is_last"]["BOOL"]
            )

    def tell(self, close: Close, round_: int, bucket: str, shard: str, lines: Sequence[str]) -> None:
        self._write(_part("told", close, f"{round_}/{bucket}"), shard, lines, close)

    def told(self, close: Close, round_: int, bucket: str) -> Iterator[str]:
        return self._lines(_part("told", close, f"{round_}/{bucket}"), "")

    def settle(self, close: Close, round_: int, bucket: str, lines: Sequence[str]) -> None:
        self._write(_part("settled", close), f"{round_}/{bucket}", lines, close)

    def settled(self, close: Close, round_: int | None = None) -> Iterator[str]:
        return self._lines(_part("settled", close), "" if round_ is None else f"{round_}/")

    def truths(self, rule: str, shard: str, first: str, last: str) -> Mapping[str, Truth]:
        ends = {":first": first, ":last": last}
        return {
            item["item"]["S"]: Truth(item["is_true"]["BOOL"], parse_instant(item["period"]["S"]))
            for item in self._query(f"true/{rule}/{shard}", "#item BETWEEN :first AND :last", ends)
        }

    def set_truth(self, rule: str, customer_id: str, truth: Truth, now: Instant) -> None:
        self._put(
            f"true/{rule}/{shard_of(customer_id)}",
            customer_id,
            {
                "is_true": {"BOOL": truth.is_true},
                "period": {"S": sortable(truth.period)},
                # For whom it is not true any more is told for as long as work of that close may come again.
                **({} if truth.is_true else _expiring(now)),
            },
            "attribute_not_exists(#period) OR #period < :this",
            {":this": {"S": sortable(truth.period)}},
            {"#period": "period"},
        )

    def _write(self, part: str, name: str, lines: Sequence[str], close: Close) -> None:
        """Written again, with the same lines, they are cut at the same places."""
        for run in runs((("", line) for line in lines), 0, ""):
            item = {"lines": _packed(run.lines), **_expiring(close.end)}
            self._put(part, f"{name}/{run.number:06d}", item)

    def _lines(self, part: str, beginning: str) -> Iterator[str]:
        condition = "begins_with(#item, :first)" if beginning else ""
        for item in self._query(part, condition, {":first": beginning}):
            yield from _unpacked(item)

    def _put(
        self,
        part: str,
        item: str,
        attributes: Mapping[str, AttributeValueTypeDef],
        condition: str = "",
        values: Mapping[str, AttributeValueTypeDef] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> bool:
        """False where the condition did not hold."""
        request: Any = {
            "TableName": self.table,
            "Item": {"part": {"S": part}, "item": {"S": item}, **attributes},
        }
        if condition:
            request["ConditionExpression"] = condition
        if values:
            request["ExpressionAttributeValues"] = values
        if names:
            request["ExpressionAttributeNames"] = names
        try:
            self.client.put_item(**request)
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _query(self, part: str, condition: str, values: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """With strong consistency, in the order of the items, page by page."""
        request: Any = {
            "TableName": self.table,
            "KeyConditionExpression": "part = :part",
            "ExpressionAttributeValues": {":part": {"S": part}},
            "ConsistentRead": True,
        }
        if condition:
            request["KeyConditionExpression"] += f" AND {condition}"
            request["ExpressionAttributeNames"] = {"#item": "item"}
            request["ExpressionAttributeValues"] |= {name: {"S": value} for name, value in values.items()}
        for page in self.client.get_paginator("query").paginate(**request):
            yield from page["Items"]


def _part(kind: str, close: Close, *more: str) -> str:
    return "/".join((kind, close.rule, close.digest, sortable(close.period), *more))


def _expiring(at: Instant) -> dict[str, AttributeValueTypeDef]:
    return {"expires_at": {"N": str((at + KEPT_FOR) // 1_000_000)}}


def _packed(lines: Sequence[str]) -> AttributeValueTypeDef:
    return {"B": zlib.compress("\n".join(lines).encode())}


def _unpacked(item: Mapping[str, Any]) -> tuple[str, ...]:
    text = zlib.decompress(item["lines"]["B"]).decode()
    return tuple(text.split("\n")) if text else ()
