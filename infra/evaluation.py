"""From the journal to decisions: the stream of new facts, and the function that folds them into state."""

from __future__ import annotations

from aws_cdk import Duration
from constructs import Construct

from infra.function import Function
from infra.grants import use_table
from infra.sources import consume_stream
from infra.stage import Stage
from infra.storage import Storage


class Evaluation(Construct):
    """The function evaluate_triggers on the stream of `activity`. Facts are added, never changed."""

    def __init__(self, scope: Construct, id: str, stage: Stage, storage: Storage) -> None:
        super().__init__(scope, id)
        self.evaluate_triggers = Function(
            self,
            "EvaluateTriggers",
            stage,
            storage.key,
            name="evaluate_triggers",
            description="Folds new facts into each customer's state, and decides",
            timeout=Duration.seconds(60),
            environment={
                "ACTIVITY_TABLE": storage.activity.table_name,
                "CUSTOMERS_TABLE": storage.customers.table_name,
                "MESSAGES_TABLE": storage.messages.table_name,
                "CONSENTS_TABLE": storage.consents.table_name,
                "PEERS_TABLE": storage.peers.table_name,
            },
            grants=(
                use_table(storage.activity, "Query"),
                use_table(storage.customers, "BatchGetItem", "ConditionCheckItem", "PutItem"),
                # BatchGetItem: what a firing is judged by. The others: what waits is called off, or gives way.
                use_table(storage.messages, "BatchGetItem", "GetItem", "PutItem", "Query", "UpdateItem"),
                use_table(storage.consents, "BatchGetItem"),
                use_table(storage.peers, "PutItem"),
            ),
        )
        consume_stream(
            self.evaluate_triggers,
            storage.activity,
            batch_size=100,
            # Whatever one customer does is caught in the function: what is left to retry is a store that is down,
            # and a fact that is given up is missing in the state until the customer is rebuilt.
            retries=50,
            pattern={"eventName": ["INSERT"]},
        )
