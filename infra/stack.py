"""One stage of Foreword as one stack: composition only."""

from __future__ import annotations

from aws_cdk import CfnOutput, DefaultStackSynthesizer, Stack
from constructs import Construct

from infra.evaluation import Evaluation
from infra.ingestion import Ingestion
from infra.messaging import Messaging
from infra.monitoring import Monitoring
from infra.peers import Peers
from infra.preferences import LinkAddress, Preferences
from infra.stage import Stage
from infra.storage import Storage


class ForewordStack(Stack):
    """Knows neither account nor region: the same template goes anywhere."""

    def __init__(self, scope: Construct, stage: Stage) -> None:
        super().__init__(
            scope,
            stage.full_name,
            description="Foreword: proactive customer messages, triggered by rules",
            termination_protection=stage.protected,
            # The CLI checks the bootstrap by itself; in the template it would be noise.
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )
        storage = Storage(self, "Storage", stage)
        ingestion = Ingestion(self, "Ingestion", stage, storage)
        evaluation = Evaluation(self, "Evaluation", stage, storage)
        peers = Peers(self, "Peers", stage, storage)
        links = LinkAddress(self, "Links", stage, storage)
        messaging = Messaging(self, "Messaging", stage, storage, ingestion.bus, peers.queue, links)
        choosing = Preferences(self, "Choosing", stage, storage, ingestion.bus, links)
        speaking = (
            ingestion.record_activity,
            messaging.deliver_message,
            messaging.record_feedback,
            messaging.release_due,
            choosing.preferences,
        )
        ingestion.admit([function.role for function in speaking])
        silent = (evaluation.evaluate_triggers, peers.compare_peers)
        Monitoring(self, "Monitoring", (*speaking, *silent))
        outputs = {
            "BusName": ingestion.bus.event_bus_name,
            "BusArn": ingestion.bus.event_bus_arn,
            "ActivityTable": storage.activity.table_name,
            "CustomersTable": storage.customers.table_name,
            "MessagesTable": storage.messages.table_name,
            "ConsentsTable": storage.consents.table_name,
            "PeersTable": storage.peers.table_name,
            "QuarantineQueueUrl": ingestion.quarantine.queue_url,
            "PreferencesUrl": links.url,
            "TasksTopicArn": messaging.tasks.topic_arn,
            "SmsRepliesTopicArn": messaging.sms_replies.topic_arn,
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
