"""From a decision to the customer and back: delivery, the tick, and what the providers report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.function import Function
from infra.grants import (
    allow,
    list_suppressed,
    publish_sms,
    put_events,
    query_due,
    query_index,
    read_secret,
    send_email,
    send_to,
    use_key,
    use_table,
)
from infra.preferences import LinkAddress
from infra.sms_feedback import sms_replies, sms_statuses
from infra.sources import accept_from_rules, consume_stream, default_bus_arn, rule_target
from infra.stage import OWN_SOURCE, Stage
from infra.storage import ADDRESS_INDEXES, SMS_INDEX, Storage
from infra.tasks import task_topic

_DELIVERED_OR_ANNOUNCED = {
    "eventName": ["INSERT", "MODIFY"],
    "dynamodb": {"NewImage": {"status": {"S": ["READY", "SENT", "NOT_SENT", "UNKNOWN"]}}},
}
_SES_EVENTS = [
    *("send", "reject", "renderingFailure", "bounce", "complaint"),
    *("delivery", "deliveryDelay", "open", "click", "subscription"),
]


class Messaging(Construct):
    """The functions deliver_message, release_due and record_feedback."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        stage: Stage,
        storage: Storage,
        bus: events.EventBus,
        peers_queue: sqs.Queue,
        links: LinkAddress,
    ) -> None:
        super().__init__(scope, id)
        self._stage, self._storage, self._bus, self._peers_queue = stage, storage, bus, peers_queue
        self._links = links
        self.deliver_message = self._deliver_message()
        self.release_due = self._release_due()
        self.record_feedback = self._record_feedback()
        self._tick()
        self.tasks, self.task_rule = task_topic(self, bus, storage.key, self.record_feedback.dead_letters)
        self._feedback_events()
        self.sms_replies = sms_replies(self, self.record_feedback, storage.key)
        if stage.sms_status:
            sms_statuses(self, self.record_feedback)

    def _deliver_message(self) -> Function:
        storage = self._storage
        function = Function(
            self,
            "DeliverMessage",
            self._stage,
            storage.key,
            name="deliver_message",
            description="Claims each message that is ready, and hands it to its provider once",
            timeout=Duration.seconds(120),  # ten messages, each with a provider that takes its time
            environment={
                "MESSAGES_TABLE": storage.messages.table_name,
                "CUSTOMERS_TABLE": storage.customers.table_name,
                "CONSENTS_TABLE": storage.consents.table_name,
                "BUS_NAME": self._bus.event_bus_name,
                "PREFERENCES_URL": self._links.url,
                "LINKS_SECRET": self._links.secret.ref,
                "EMAIL_SENDER": self._stage.sender,
                "CONFIGURATION_SET": self._stage.full_name,
                "SMS_SENDER_ID": self._stage.sms_sender_id,
            },
            grants=(
                # PutItem: the ledger of the frequency caps. GetItem of consents: the emergency stop.
                use_table(storage.messages, "BatchGetItem", "GetItem", "PutItem", "UpdateItem"),
                use_table(storage.customers, "BatchGetItem", "ConditionCheckItem"),
                use_table(storage.consents, "BatchGetItem", "ConditionCheckItem", "GetItem"),
                send_email(self._stage),
                publish_sms(),
                put_events(self._bus),
                read_secret(self._links.secret, storage.key),
            ),
        )
        # Few retries, so that one message holds its neighbours up for seconds: the tick brings a READY one again.
        consume_stream(function, storage.messages, batch_size=10, retries=3, pattern=_DELIVERED_OR_ANNOUNCED)
        return function

    def _release_due(self) -> Function:
        storage = self._storage
        function = Function(
            self,
            "ReleaseDue",
            self._stage,
            storage.key,
            name="release_due",
            description="Every minute: hands on what has become due",
            timeout=Duration.seconds(55),
            environment={
                "ACTIVITY_TABLE": storage.activity.table_name,
                "CUSTOMERS_TABLE": storage.customers.table_name,
                "MESSAGES_TABLE": storage.messages.table_name,
                "CONSENTS_TABLE": storage.consents.table_name,
                "PEERS_TABLE": storage.peers.table_name,
                "PEERS_QUEUE_URL": self._peers_queue.queue_url,
                "BUS_NAME": self._bus.event_bus_name,
            },
            grants=(
                query_due(storage.customers),
                query_due(storage.messages),
                query_due(storage.peers),
                use_table(storage.activity, "PutItem"),
                # A new rulebook reaches customers who do nothing: page by page, with the progress beside them.
                use_table(storage.customers, "GetItem", "PutItem", "Scan"),
                use_table(storage.messages, "GetItem", "UpdateItem"),
                use_table(storage.peers, "Query", "UpdateItem"),
                send_to(self._peers_queue),
                # Once a day what the providers suppress is suppressed here, too.
                list_suppressed(),
                query_index(storage.customers, *ADDRESS_INDEXES),
                use_table(storage.consents, "GetItem", "PutItem"),
                put_events(self._bus),
            ),
        )
        # An old tick is worth no more than the next one; a failure three times over is worth an alarm.
        function.keep_failed_invocations(retries=2, max_age=Duration.minutes(10))
        return function

    def _record_feedback(self) -> Function:
        storage = self._storage
        function = Function(
            self,
            "RecordFeedback",
            self._stage,
            storage.key,
            name="record_feedback",
            description="Matches what is reported of a message to it, and puts it on the bus",
            timeout=Duration.seconds(30),
            environment={
                "ACTIVITY_TABLE": storage.activity.table_name,
                "CUSTOMERS_TABLE": storage.customers.table_name,
                "MESSAGES_TABLE": storage.messages.table_name,
                "CONSENTS_TABLE": storage.consents.table_name,
                "BUS_NAME": self._bus.event_bus_name,
                "CONFIGURATION_SET": self._stage.full_name,
            },
            grants=(
                use_table(storage.messages, "GetItem", "UpdateItem"),
                query_index(storage.messages, SMS_INDEX),
                # An address that bounced, or said STOP, is suppressed with the fact that tells it.
                use_table(storage.activity, "PutItem"),
                use_table(storage.consents, "GetItem", "PutItem"),
                query_index(storage.customers, *ADDRESS_INDEXES),
                put_events(self._bus),
            ),
        )
        function.keep_failed_invocations(retries=2, max_age=Duration.hours(6))
        return function

    def _tick(self) -> None:
        due = self.release_due
        role = iam.Role(
            self,
            "TickRole",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            ),
            description=f"{self._stage.full_name}: invokes release_due every minute",
        )
        invoke = allow(["lambda:InvokeFunction"], [due.function.function_arn])
        for grant in (invoke, send_to(due.dead_letters), use_key(self._storage.key, "sqs")):
            grant(role)
        scheduler.CfnSchedule(
            self,
            "Tick",
            description="What has become due, every minute",
            schedule_expression="rate(1 minute)",
            schedule_expression_timezone="UTC",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            state="ENABLED",
            target=scheduler.CfnSchedule.TargetProperty(
                arn=due.function.function_arn,
                role_arn=role.role_arn,
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=due.dead_letters.queue_arn
                ),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=60, maximum_retry_attempts=2
                ),
            ),
        ).node.add_dependency(role)

    def _feedback_events(self) -> None:
        """Of e-mails SES tells on the account's default bus; of a task its own event does, on ours."""
        name = self._stage.full_name
        configuration_set = ses.CfnConfigurationSet(
            self,
            "ConfigurationSet",
            name=name,
            delivery_options=ses.CfnConfigurationSet.DeliveryOptionsProperty(tls_policy="REQUIRE"),
            reputation_options=ses.CfnConfigurationSet.ReputationOptionsProperty(
                reputation_metrics_enabled=True
            ),
        )
        ses.CfnConfigurationSetEventDestination(
            self,
            "EmailEvents",
            configuration_set_name=configuration_set.ref,
            event_destination=ses.CfnConfigurationSetEventDestination.EventDestinationProperty(
                name="default-bus",
                enabled=True,
                matching_event_types=_SES_EVENTS,
                event_bridge_destination=ses.CfnConfigurationSetEventDestination.EventBridgeDestinationProperty(
                    event_bus_arn=default_bus_arn(Stack.of(self))
                ),
            ),
        )
        emails = {"source": ["aws.ses"], "detail": {"mail": {"tags": {"ses:configuration-set": [name]}}}}
        tasks = {"source": [OWN_SOURCE], "detail-type": ["TaskRequested", "OutboundRequested"]}
        rules = [
            self._to_feedback("OwnEmailEvents", emails),
            self._to_feedback("OwnTasks", tasks, self._bus.event_bus_name),
            self.task_rule,
        ]
        accept_from_rules(self.record_feedback.dead_letters, rules)

    def _to_feedback(
        self, id: str, pattern: Mapping[str, Any], bus_name: str | None = None
    ) -> events.CfnRule:
        feedback = self.record_feedback
        rule = events.CfnRule(
            self,
            id,
            event_bus_name=bus_name,
            event_pattern=pattern,
            state="ENABLED",
            targets=[rule_target("record_feedback", feedback.function.function_arn, feedback.dead_letters)],
        )
        lambda_.CfnPermission(
            self,
            f"{id}Invoke",
            action="lambda:InvokeFunction",
            function_name=feedback.function.function_arn,
            principal="events.amazonaws.com",
            source_arn=rule.attr_arn,
        )
        return rule
