"""The comparison of peers: the queue of the parts of closes, and the function that works on them."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.function import Function
from infra.grants import send_to, use_table
from infra.sources import consume_queue
from infra.stage import Stage
from infra.storage import Storage

_TIMEOUT = Duration.seconds(180)
_TRIES = 5


class Peers(Construct):
    """`queue` and the function compare_peers."""

    def __init__(self, scope: Construct, id: str, stage: Stage, storage: Storage) -> None:
        super().__init__(scope, id)
        self.compare_peers = Function(
            self,
            "ComparePeers",
            stage,
            storage.key,
            name="compare_peers",
            description="Closes a period: compares customers with their peers, a part of them at a time",
            timeout=_TIMEOUT,
            environment={
                "ACTIVITY_TABLE": storage.activity.table_name,
                "PEERS_TABLE": storage.peers.table_name,
            },
            grants=(
                use_table(storage.activity, "PutItem"),
                use_table(storage.peers, "GetItem", "PutItem", "Query", "UpdateItem"),
            ),
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=storage.key,
            enforce_ssl=True,
            retention_period=Duration.days(4),
            visibility_timeout=Duration.seconds(6 * _TIMEOUT.to_seconds()),  # as Lambda asks of its queues
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.compare_peers.dead_letters, max_receive_count=_TRIES
            ),
        )
        # One part at a time: each may take a minute, and all of them are worked on beside one another.
        consume_queue(self.compare_peers, self.queue, batch_size=1)
        # What a part leads to, the next stage or the rest of a shard, is put on the queue by its worker.
        self.compare_peers.function.add_environment("PEERS_QUEUE_URL", self.queue.queue_url)
        send_to(self.queue)(self.compare_peers.role)
