"""A DynamoDB stream that feeds a function: filtered batches in order, one at a time.

A batch that fails blocks what comes after it: it is tried again at once, then after 1, 2, 4 ... 60 s, until its
retries or its age are used up; then its place in the stream goes to the on-failure queue and the stream goes on.
Bisecting a batch of several costs no retry. A partial failure moves on to the first record that failed, and tries
all the rest again with it (Lambda's guide, "Configuring partial batch response with DynamoDB").
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.events.models import EventPattern

from foreword.local.account import ACCOUNT, REGION
from foreword.local.deploy.stack import StreamMapping
from foreword.local.records import Invocation
from foreword.local.sources.source import Invoke, Send, failed_items

RETENTION = timedelta(hours=24)  # a stream forgets after that
_LONGEST_WAIT = 60  # seconds


@dataclass
class _Batch:
    """Where the stream stands: the next record, how often it failed, and until where a bisected batch reaches."""

    position: int = 0
    failures: int = 0
    due: datetime | None = None
    ends: tuple[int, ...] = ()

    def moved_to(self, position: int) -> None:
        self.position, self.failures, self.due = position, 0, None
        self.ends = tuple(end for end in self.ends if end > position)


class StreamSource:
    """One event source mapping of a stream."""

    def __init__(self, mapping: StreamMapping, invoke: Invoke, send: Send) -> None:
        self._mapping = mapping
        self._invoke = invoke
        self._send = send
        self._patterns: list[Any] = [EventPattern.load(pattern) for pattern in mapping.patterns]
        self._at = _Batch()

    def step(self, now: datetime) -> bool:
        stream = self._stream()
        at = self._at
        if at.position >= len(stream) or (at.due is not None and at.due > now):
            return False
        end = min([at.position + self._mapping.batch_size, len(stream), *at.ends])
        records = [(index, self._record(stream[index])) for index in range(at.position, end)]
        wanted = [(index, record) for index, record in records if self._passes(record)]
        if not wanted:
            at.moved_to(end)
        elif now - _created(stream[at.position]) > self._longest():
            self._give_up(stream, end, now, "RecordAgeExceeded")
        else:
            invocation = self._invoke(
                self._mapping.function_arn, {"Records": [record for _, record in wanted]}
            )
            self._settle(stream, wanted, end, invocation)
        return True

    def waits_until(self) -> datetime | None:
        return self._at.due if self._at.position < len(self._stream()) else None

    def _settle(
        self,
        stream: Sequence[Any],
        wanted: Sequence[tuple[int, dict[str, Any]]],
        end: int,
        invocation: Invocation,
    ) -> None:
        at = self._at
        failed = self._first_failure(wanted, invocation)
        if failed is None:
            at.moved_to(end)
            return
        if failed > wanted[0][0]:
            at.moved_to(failed)  # what came before it is done
        reported = invocation.error is None and isinstance(invocation.result, dict)
        if self._mapping.bisect and not reported and end - at.position > 1:
            at.ends = (at.position + (end - at.position + 1) // 2, *at.ends)
            return
        at.failures += 1
        if self._mapping.retries is not None and at.failures > self._mapping.retries:
            self._give_up(stream, end, invocation.at, "RetryAttemptsExhausted")
        elif at.failures > 1:
            at.due = invocation.at + timedelta(seconds=min(2 ** min(at.failures - 2, 6), _LONGEST_WAIT))

    def _first_failure(
        self, wanted: Sequence[tuple[int, dict[str, Any]]], invocation: Invocation
    ) -> int | None:
        """The index of the first record that failed; None when all went well."""
        if invocation.error is not None:
            return wanted[0][0]
        if not self._mapping.partial_failures:
            return None
        numbers = {record["dynamodb"]["SequenceNumber"]: index for index, record in wanted}
        failures = failed_items(invocation.result, list(numbers))
        if failures is None:
            return wanted[0][0]
        return numbers[failures[0]] if failures else None

    def _give_up(self, stream: Sequence[Any], end: int, now: datetime, condition: str) -> None:
        if self._mapping.on_failure is not None:
            self._send(self._mapping.on_failure, self._account(stream, end, now, condition))
        self._at.moved_to(end)

    def _account(self, stream: Sequence[Any], end: int, now: datetime, condition: str) -> dict[str, Any]:
        """What an on-failure destination of a stream receives: where to look, not the records."""
        first, last = stream[self._at.position], stream[end - 1]
        return {
            "version": "1.0",
            "timestamp": _text(now),
            "requestContext": {
                "functionArn": self._mapping.function_arn,
                "condition": condition,
                "approximateInvokeCount": self._at.failures,
            },
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
            },
            "DDBStreamBatchInfo": {
                "shardId": "shardId-00000000000000000000-00000000",
                "startSequenceNumber": first.record["dynamodb"]["SequenceNumber"],
                "endSequenceNumber": last.record["dynamodb"]["SequenceNumber"],
                "approximateArrivalOfFirstRecord": _text(_created(first)),
                "approximateArrivalOfLastRecord": _text(_created(last)),
                "batchSize": end - self._at.position,
                "streamArn": self._mapping.stream_arn,
            },
        }

    def _longest(self) -> timedelta:
        return min(self._mapping.max_age or RETENTION, RETENTION)

    def _passes(self, record: dict[str, Any]) -> bool:
        return not self._patterns or any(pattern.matches_event(record) for pattern in self._patterns)

    def _stream(self) -> Sequence[Any]:
        stream = dynamodb_backends[ACCOUNT][REGION].tables[self._mapping.table].stream_shard
        return stream.items if stream is not None else ()

    def _record(self, item: Any) -> dict[str, Any]:
        at = _created(item).timestamp()
        body = item.record["dynamodb"] | {"ApproximateCreationDateTime": at}
        record = item.record | {
            "awsRegion": REGION,  # moto says us-east-1 everywhere
            "eventSourceARN": self._mapping.stream_arn,
            "dynamodb": body,
        }
        copy: dict[str, Any] = json.loads(json.dumps(record))
        return copy


def _created(item: Any) -> datetime:
    at: datetime = item.record["dynamodb"]["ApproximateCreationDateTime"]
    return at.replace(tzinfo=UTC)


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
