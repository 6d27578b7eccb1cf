"""What a role may do, as callables handed to the construct of a function: exact actions on exact resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from aws_cdk import Arn, ArnComponents, Aws, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs

from infra.stage import OWN_SOURCE, Stage
from infra.storage import DUE_INDEX

Grant: TypeAlias = Callable[[iam.Role], None]


def allow(
    actions: Sequence[str], resources: Sequence[str], conditions: Mapping[str, Any] | None = None
) -> Grant:
    def grant(role: iam.Role) -> None:
        role.add_to_policy(
            iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=conditions)
        )

    return grant


def use_table(table: dynamodb.Table, *actions: str) -> Grant:
    """`actions` as DynamoDB calls them, of items: a transaction needs those of its parts."""
    return allow([f"dynamodb:{action}" for action in actions], [table.table_arn])


def query_due(table: dynamodb.Table) -> Grant:
    return query_index(table, DUE_INDEX)


def query_index(table: dynamodb.Table, *names: str) -> Grant:
    return allow(["dynamodb:Query"], [f"{table.table_arn}/index/{name}" for name in names])


def read_stream(table: dynamodb.Table) -> Grant:
    """What Lambda's poller does in the name of the function's role."""

    def grant(role: iam.Role) -> None:
        actions = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
        allow(actions, [_stream_arn(table)])(role)
        # Streams are listed before one of them is known by its name.
        allow(["dynamodb:ListStreams"], [f"{table.table_arn}/stream/*"])(role)

    return grant


def use_key(key: kms.Key, *services: str) -> Grant:
    """The key, by way of the `services` ("dynamodb", "sqs") whose data it encrypts and not otherwise."""
    actions = [
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    ]
    endpoints = [f"{service}.{Aws.REGION}.{Aws.URL_SUFFIX}" for service in services]
    return allow(actions, [key.key_arn], {"StringEquals": {"kms:ViaService": endpoints}})


def put_events(bus: events.EventBus) -> Grant:
    """In Foreword's own name alone."""
    only_own = {"ForAllValues:StringEquals": {"events:source": OWN_SOURCE}}
    return allow(["events:PutEvents"], [bus.event_bus_arn], only_own)


def read_secret(secret: secretsmanager.CfnSecret, key: kms.Key) -> Grant:
    """The secret, and the key by way of Secrets Manager to decrypt it and for nothing else."""

    def grant(role: iam.Role) -> None:
        allow(["secretsmanager:GetSecretValue"], [secret.ref])(role)
        only_there = {"kms:ViaService": f"secretsmanager.{Aws.REGION}.{Aws.URL_SUFFIX}"}
        allow(["kms:Decrypt"], [key.key_arn], {"StringEquals": only_there})(role)

    return grant


def send_to(queue: sqs.Queue) -> Grant:
    return allow(["sqs:SendMessage"], [queue.queue_arn])


def receive_from(queue: sqs.Queue) -> Grant:
    """What Lambda's poller does in the name of the function's role."""
    return allow(["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], [queue.queue_arn])


def send_email(stage: Stage) -> Grant:
    """From the stage's sender, whether its address or its whole domain is the verified identity.

    SES v2 authorizes `SendEmail` with raw content as `ses:SendRawEmail`.
    """

    def grant(role: iam.Role) -> None:
        names = (
            ("identity", stage.sender_address),
            ("identity", stage.sender_domain),
            ("configuration-set", stage.full_name),
        )
        arns = [
            Arn.format(ArnComponents(service="ses", resource=resource, resource_name=name), Stack.of(role))
            for resource, name in names
        ]
        only_sender = {"StringEquals": {"ses:FromAddress": stage.sender_address}}
        allow(["ses:SendEmail", "ses:SendRawEmail"], arns, only_sender)(role)

    return grant


def publish_sms() -> Grant:
    """A telephone number has no ARN, so this takes `*`; topics, which have one, are refused."""

    def grant(role: iam.Role) -> None:
        allow(["sns:Publish"], ["*"])(role)
        role.add_to_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                actions=["sns:Publish"],
                resources=[f"arn:{Aws.PARTITION}:sns:*:*:*"],
            )
        )

    return grant


def list_suppressed() -> Grant:
    """The account's own lists, which have no ARN, so this takes `*`."""
    return allow(["ses:ListSuppressedDestinations", "sns:ListPhoneNumbersOptedOut"], ["*"])


def _stream_arn(table: dynamodb.Table) -> str:
    arn = table.table_stream_arn
    if arn is None:
        raise ValueError(f"table {table.node.path} has no stream")
    return arn
