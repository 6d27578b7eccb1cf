"""The queue of compare_peers: the parts of closes that are to be worked on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foreword.contracts.peer_work import body_of
from foreword.domain.errors import StoreUnavailable
from foreword.domain.peers_closing import Work

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_PER_REQUEST = 10


@dataclass(frozen=True, slots=True)
class PeerWorkQueue:
    """The port `WorkQueue`."""

    client: SQSClient
    queue_url: str

    def send(self, works: Sequence[Work]) -> None:
        """Raises StoreUnavailable where the queue refused some: all may be sent again."""
        for start in range(0, len(works), _PER_REQUEST):
            response = self.client.send_message_batch(
                QueueUrl=self.queue_url,
                Entries=[
                    {"Id": str(at), "MessageBody": body_of(work)}
                    for at, work in enumerate(works[start : start + _PER_REQUEST])
                ],
            )
            if response.get("Failed"):
                raise StoreUnavailable(f"{len(response['Failed'])} parts of a close were not queued")
