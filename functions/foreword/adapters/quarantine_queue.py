"""The quarantine: events that were refused, as they came, with the reason beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foreword.domain.errors import InvalidEvent

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class QuarantineQueue:
    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, body: str, error: InvalidEvent) -> None:
        """Keep the event's text untouched, so that it can be redriven after mending."""
        self._client.send_message(
            QueueUrl=self._queue_url,
            MessageBody=body,
            MessageAttributes={
                "reason": {"DataType": "String", "StringValue": error.reason},
                "detail": {"DataType": "String", "StringValue": error.detail},
            },
        )
