"""The closes of periods in the `peers` table: one item each, those of a rule beside one another.

Sets are taken from and added to, never written over, so that many workers report at once and each report counts
once, however often it is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from foreword.adapters.due_index import due_items
from foreword.domain.instants import Instant, parse_instant, sortable
from foreword.domain.peers_closing import KEPT_FOR, Close, Progress, Stage, Work

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

DUE_SHARD = "closes"
"""All in one: they are few, one a rule and period."""

_SETS = ("left", "shards", "cohorts", "again")


@dataclass(frozen=True, slots=True)
class PeerClosesTable:
    """The port `PeerCloses`."""

    client: DynamoDBClient
    table: str

    def register(self, close: Close, due_at: Instant) -> None:
        item: dict[str, AttributeValueTypeDef] = {
            **_key(close),
            "ends": {"S": sortable(close.end)},
            "due_shard": {"S": DUE_SHARD},
            "due_at": {"S": sortable(due_at)},
            "expires_at": {"N": str((close.end + KEPT_FOR) // 1_000_000)},
        }
        try:
            self.client.put_item(
                TableName=self.table, Item=item, ConditionExpression="attribute_not_exists(part)"
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return

    def due(self, now: Instant) -> Iterator[str]:
        for item in due_items(self.client, self.table, DUE_SHARD, now):
            yield item["part"]["S"].removeprefix("close/")

    def load(self, close: Close) -> Progress | None:
        response = self.client.get_item(TableName=self.table, Key=_key(close), ConsistentRead=True)
        item = response.get("Item")
        return None if item is None else _progress(item)

    def of_rule(self, rule: str) -> list[Progress]:
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="part = :part",
            ExpressionAttributeValues={":part": {"S": f"close/{rule}"}},
            ConsistentRead=True,
        )
        return [_progress(item) for page in pages for item in page["Items"]]

    def move(self, before: Progress, after: Progress) -> bool:
        assigned: dict[str, AttributeValueTypeDef] = {
            name: {"SS": sorted(getattr(after, name))} for name in _SETS if getattr(after, name)
        }
        if after.stage is not None:
            assigned["stage"] = {"S": after.stage.to_text()}
        if after.due_at is not None:
            assigned |= {"due_shard": {"S": DUE_SHARD}, "due_at": {"S": sortable(after.due_at)}}
        names = (*_SETS, "stage", "due_shard", "due_at")
        setting = [f"#{name} = :{name}" for name in assigned]
        removing = [f"#{name}" for name in names if name not in assigned]
        request: Any = {
            "TableName": self.table,
            "Key": _key(before.close),
            "UpdateExpression": f"{_clause('SET', setting)} {_clause('REMOVE', removing)}",
            "ConditionExpression": f"{_while_in(before)} AND attribute_not_exists(#left)",
            "ExpressionAttributeNames": {f"#{name}": name for name in names},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        values = {f":{name}": value for name, value in assigned.items()} | _stage_read(before)
        if values:
            request["ExpressionAttributeValues"] = values
        try:
            self.client.update_item(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            refused_by: Any = error.response.get("Item")
            # A write may succeed and its answer be lost; the SDK then fails on its own success.
            return refused_by is not None and _progress(refused_by) == after
        return True

    def look_again(self, progress: Progress, due_at: Instant) -> None:
        try:
            self.client.update_item(
                TableName=self.table,
                Key=_key(progress.close),
                UpdateExpression="SET due_at = :due_at",
                ConditionExpression=_while_in(progress),
                ExpressionAttributeNames={"#stage": "stage"},
                ExpressionAttributeValues={":due_at": {"S": sortable(due_at)}, **_stage_read(progress)},
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return

    def finish(
        self,
        work: Work,
        *,
        shards: Iterable[str] = (),
        cohorts: Iterable[str] = (),
        again: Iterable[str] = (),
    ) -> Progress | None:
        added = {"shards": sorted(shards), "cohorts": sorted(cohorts), "again": sorted(again)}
        added = {name: parts for name, parts in added.items() if parts}
        adding = _clause("ADD", [f"#{name} :{name}" for name in added])
        try:
            response = self.client.update_item(
                TableName=self.table,
                Key=_key(work.close),
                UpdateExpression=f"DELETE #left :left {adding}",
                ConditionExpression="#stage = :stage_read AND attribute_exists(due_at)",
                ExpressionAttributeNames={
                    "#left": "left",
                    "#stage": "stage",
                    **{f"#{name}": name for name in added},
                },
                ExpressionAttributeValues={
                    ":left": {"SS": [work.part]},
                    ":stage_read": {"S": work.stage.to_text()},
                    **{f":{name}": {"SS": parts} for name, parts in added.items()},
                },
                ReturnValues="ALL_NEW",
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return None
        return _progress(response["Attributes"])


def _clause(verb: str, parts: Sequence[str]) -> str:
    return f"{verb} {', '.join(parts)}" if parts else ""


def _key(close: Close) -> dict[str, AttributeValueTypeDef]:
    return {
        "part": {"S": f"close/{close.rule}"},
        "item": {"S": f"{sortable(close.period)}/{close.digest}"},
    }


def _while_in(progress: Progress) -> str:
    """The condition that the close is in this stage, and not closed."""
    stage = "attribute_not_exists(#stage)" if progress.stage is None else "#stage = :stage_read"
    return f"{stage} AND attribute_exists(due_at)"


def _stage_read(progress: Progress) -> dict[str, AttributeValueTypeDef]:
    return {} if progress.stage is None else {":stage_read": {"S": progress.stage.to_text()}}


def _progress(item: Mapping[str, Any]) -> Progress:
    rule = item["part"]["S"].removeprefix("close/")
    period, _, digest = item["item"]["S"].partition("/")
    sets = {name: frozenset(item[name]["SS"]) if name in item else frozenset() for name in _SETS}
    return Progress(
        close=Close(rule, digest, parse_instant(period), parse_instant(item["ends"]["S"])),
        due_at=parse_instant(item["due_at"]["S"]) if "due_at" in item else None,
        stage=Stage.from_text(item["stage"]["S"]) if "stage" in item else None,
        **sets,
    )
