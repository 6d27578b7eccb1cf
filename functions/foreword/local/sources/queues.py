"""An SQS queue that feeds a function: batches, partial failures, and what is not deleted seen again after the
queue's visibility timeout, until its redrive policy moves it to the dead-letter queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.sqs.models import Message, sqs_backends

from foreword.local.account import ACCOUNT, REGION, arn
from foreword.local.deploy.stack import QueueMapping
from foreword.local.sources.source import Invoke, failed_items


class QueueSource:
    """One event source mapping of a queue."""

    def __init__(self, mapping: QueueMapping, invoke: Invoke) -> None:
        self._mapping = mapping
        self._invoke = invoke
        self._backend = sqs_backends[ACCOUNT][REGION]

    def step(self, now: datetime) -> bool:  # noqa: ARG002 - moto asks the (virtual) clock itself
        queue: Any = self._backend.get_queue(self._mapping.queue)
        if not queue.messages:
            return False
        # Receiving is also when moto, like SQS, moves what was received too often to the dead-letter queue.
        batch = self._backend.receive_message(
            queue.name, self._mapping.batch_size, 0, queue.visibility_timeout
        )
        if batch:
            self._run(batch)
        return True

    def waits_until(self) -> datetime | None:
        queue = self._backend.get_queue(self._mapping.queue)
        times = [max(message.visible_at, message.delayed_until) for message in queue._messages]
        if not times:
            return None
        # A millisecond more, because moto shows a message only after its time.
        return datetime.fromtimestamp(min(times) / 1000, UTC) + timedelta(milliseconds=1)

    def _run(self, batch: Sequence[Message]) -> None:
        records = [_record(message, self._mapping.queue) for message in batch]
        invocation = self._invoke(self._mapping.function_arn, {"Records": records})
        if invocation.error is not None:
            return
        failed: list[str] | None = []
        if self._mapping.partial_failures:
            failed = failed_items(invocation.result, [message.id for message in batch])
        if failed is None:
            return
        for message in batch:
            if message.id not in failed:
                self._backend.delete_message(self._mapping.queue, str(message.receipt_handle))


def _record(message: Message, queue: str) -> dict[str, Any]:
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.approximate_receive_count),
            "SentTimestamp": str(message.sent_timestamp),
            "SenderId": message.sender_id,
            "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
        },
        "messageAttributes": {},
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": arn("sqs", queue),
        "awsRegion": REGION,
    }
