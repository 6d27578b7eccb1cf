"""From the bus to the journal: who may put events, the queue they wait in, and what becomes of a wrong one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.function import DEAD_LETTER_RETENTION, Function
from infra.grants import put_events, send_to, use_table
from infra.sources import accept_from_rules, consume_queue, rule_target
from infra.stage import OWN_SOURCE, Stage
from infra.storage import Storage

OWN_FACTS = (
    "MessageSent",
    "MessageDelivered",
    "MessageDelayed",
    "MessageBounced",
    "MessageComplained",
    "MessageOpened",
    "MessageClicked",
    "MessageSkipped",
    "MessageOutcomeUnknown",
    "TaskRequested",
    "OutboundRequested",
    "PreferenceChanged",
    "ConfirmationRequested",
    "AddressSuppressed",
    "EventRejected",
)
"""What Foreword says itself and remembers, so that rules can speak of it."""

_TIMEOUT = Duration.seconds(30)
_TRIES = 5


class Ingestion(Construct):
    """`bus`, `queue`, `quarantine` and the function record_activity."""

    def __init__(self, scope: Construct, id: str, stage: Stage, storage: Storage) -> None:
        super().__init__(scope, id)
        self._stage = stage
        self.bus = events.EventBus(self, "Bus", event_bus_name=stage.full_name)
        self.quarantine = sqs.Queue(
            self,
            "Quarantine",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=storage.key,
            enforce_ssl=True,
            retention_period=DEAD_LETTER_RETENTION,
        )
        self.record_activity = self._record_activity(storage)
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=storage.key,
            enforce_ssl=True,
            retention_period=Duration.days(4),
            visibility_timeout=Duration.seconds(6 * _TIMEOUT.to_seconds()),  # as Lambda asks of its queues
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.record_activity.dead_letters, max_receive_count=_TRIES
            ),
        )
        consume_queue(self.record_activity, self.queue, batch_size=10)
        self._rules()

    def _record_activity(self, storage: Storage) -> Function:
        return Function(
            self,
            "RecordActivity",
            self._stage,
            storage.key,
            name="record_activity",
            description="Checks each event, and puts it in the journal once",
            timeout=_TIMEOUT,
            environment={
                "ACTIVITY_TABLE": storage.activity.table_name,
                "CUSTOMERS_TABLE": storage.customers.table_name,
                "CONSENTS_TABLE": storage.consents.table_name,
                "BUS_NAME": self.bus.event_bus_name,
                "QUARANTINE_QUEUE_URL": self.quarantine.queue_url,
            },
            grants=(
                use_table(storage.activity, "PutItem"),
                # Queried once a minute: who was erased.
                use_table(storage.customers, "GetItem", "PutItem", "Query"),
                use_table(storage.consents, "GetItem", "PutItem"),
                put_events(self.bus),
                send_to(self.quarantine),
            ),
        )

    def _rules(self) -> None:
        patterns = {
            "Emitted": {"source": [{"anything-but": [OWN_SOURCE]}]},
            "OwnFacts": {"source": [OWN_SOURCE], "detail-type": list(OWN_FACTS)},
        }
        dead_letters = self.record_activity.dead_letters
        rules = [
            events.CfnRule(
                self,
                id,
                event_bus_name=self.bus.event_bus_name,
                event_pattern=pattern,
                state="ENABLED",
                targets=[rule_target("queue", self.queue.queue_arn, dead_letters)],
            )
            for id, pattern in patterns.items()
        ]
        accept_from_rules(self.queue, rules)
        accept_from_rules(dead_letters, rules)

    def admit(self, own_roles: Sequence[iam.Role]) -> None:
        """Only the stage's sources from this account, and in Foreword's own name only Foreword's functions.

        Within an account an Allow alone would bar nobody who has `events:PutEvents`; hence the two refusals.
        """
        emitters = list(self._stage.allowed_sources)
        account, anyone = iam.AccountRootPrincipal(), iam.AnyPrincipal()
        listed = {"ForAllValues:StringEquals": {"events:source": emitters}}
        others = {"ForAnyValue:StringNotEquals": {"events:source": [*emitters, OWN_SOURCE]}}
        strangers = {
            "ForAnyValue:StringEquals": {"events:source": OWN_SOURCE},
            "ArnNotEquals": {"aws:PrincipalArn": [role.role_arn for role in own_roles]},
        }
        self._bus_policy("ListedSources", iam.Effect.ALLOW, account, listed)
        self._bus_policy("NoOtherSource", iam.Effect.DENY, anyone, others)
        self._bus_policy("NobodyElseAsForeword", iam.Effect.DENY, anyone, strangers)

    def _bus_policy(
        self, sid: str, effect: iam.Effect, principal: iam.PrincipalBase, conditions: Mapping[str, object]
    ) -> None:
        self.bus.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                effect=effect,
                principals=[principal],
                actions=["events:PutEvents"],
                resources=[self.bus.event_bus_arn],
                conditions=conditions,
            )
        )
