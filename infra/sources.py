"""What invokes a function: a queue, a stream or a rule, each with a place for what fails."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from infra.function import Function
from infra.grants import read_stream, receive_from

_PARTIAL_FAILURES = ["ReportBatchItemFailures"]
_STREAM_MAX_AGE = Duration.hours(6)
"""Well within the 24 hours for which the stream has the records that a dead letter points at."""


def consume_queue(function: Function, queue: sqs.Queue, *, batch_size: int) -> None:
    """The queue's own redrive policy names its dead letters."""
    receive_from(queue)(function.role)
    mapping = lambda_.CfnEventSourceMapping(
        function,
        "Queue",
        function_name=function.function.function_name,
        event_source_arn=queue.queue_arn,
        batch_size=batch_size,
        function_response_types=_PARTIAL_FAILURES,
    )
    mapping.node.add_dependency(function.role)


def consume_stream(
    function: Function, table: dynamodb.Table, *, batch_size: int, retries: int, pattern: Mapping[str, Any]
) -> None:
    """A batch that raises is halved until the failing record is alone; after `retries` it is a dead letter."""
    read_stream(table)(function.role)
    mapping = lambda_.CfnEventSourceMapping(
        function,
        "Stream",
        function_name=function.function.function_name,
        event_source_arn=table.table_stream_arn,
        starting_position="TRIM_HORIZON",
        batch_size=batch_size,
        bisect_batch_on_function_error=True,
        maximum_retry_attempts=retries,
        maximum_record_age_in_seconds=_STREAM_MAX_AGE.to_seconds(),
        function_response_types=_PARTIAL_FAILURES,
        filter_criteria=lambda_.CfnEventSourceMapping.FilterCriteriaProperty(
            filters=[lambda_.CfnEventSourceMapping.FilterProperty(pattern=json.dumps(pattern))]
        ),
        destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
            on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(
                destination=function.dead_letters.queue_arn
            )
        ),
    )
    mapping.node.add_dependency(function.role)


def rule_target(id: str, arn: str, dead_letters: sqs.Queue) -> events.CfnRule.TargetProperty:
    return events.CfnRule.TargetProperty(
        id=id,
        arn=arn,
        dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=dead_letters.queue_arn),
        retry_policy=events.CfnRule.RetryPolicyProperty(
            maximum_event_age_in_seconds=Duration.hours(24).to_seconds(), maximum_retry_attempts=185
        ),
    )


def accept_from_rules(queue: sqs.Queue, rules: Sequence[events.CfnRule]) -> None:
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions={"ArnEquals": {"aws:SourceArn": [rule.attr_arn for rule in rules]}},
        )
    )


def default_bus_arn(scope: Stack) -> str:
    """The only bus that SES publishes to."""
    return f"arn:{Aws.PARTITION}:events:{scope.region}:{scope.account}:event-bus/default"
