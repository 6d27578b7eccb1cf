"""Tasks for the contact centre as a topic: whoever subscribes is handed each TaskRequested, as it stands on the
bus.
"""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.sources import rule_target
from infra.stage import OWN_SOURCE


def task_topic(
    scope: Construct, bus: events.EventBus, key: kms.Key, dead_letters: sqs.Queue
) -> tuple[sns.Topic, events.CfnRule]:
    """The topic, and the rule that fills it: it must be let into `dead_letters`, for what it cannot hand over."""
    topic = sns.Topic(scope, "Tasks", master_key=key, enforce_ssl=True)
    rule = events.CfnRule(
        scope,
        "TasksToTopic",
        event_bus_name=bus.event_bus_name,
        event_pattern={"source": [OWN_SOURCE], "detail-type": ["TaskRequested"]},
        state="ENABLED",
        targets=[rule_target("tasks", topic.topic_arn, dead_letters)],
    )
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={
                "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                "ArnEquals": {"aws:SourceArn": rule.attr_arn},
            },
        )
    )
    return topic, rule
