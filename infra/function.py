"""One function: its code, a role of its own, its log group and a queue for what it could not do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.bundling import function_code
from infra.grants import Grant, allow, send_to, use_key
from infra.stage import Stage

DEAD_LETTER_RETENTION = Duration.days(14)
"""The longest that SQS keeps anything."""


class Function(Construct):
    """`name` is the function's package and its service name in logs and metrics."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        stage: Stage,
        key: kms.Key,
        *,
        name: str,
        description: str,
        timeout: Duration,
        environment: Mapping[str, str],
        grants: Sequence[Grant],
    ) -> None:
        super().__init__(scope, id)
        self.dead_letters = dead_letter_queue(self, "DeadLetters", key)
        log_group = logs.LogGroup(
            self,
            "Log",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.RETAIN if stage.protected else RemovalPolicy.DESTROY,
        )
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"{stage.full_name}: what {name} may do",
        )
        # Lambda hands failed batches and invocations to the dead letters in the name of this role.
        write_log = allow(["logs:CreateLogStream", "logs:PutLogEvents"], [log_group.log_group_arn])
        for grant in (write_log, use_key(key, "dynamodb", "sqs"), send_to(self.dead_letters), *grants):
            grant(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"{name}.handler.handle",
            code=function_code(name),
            role=self.role,
            log_group=log_group,
            memory_size=512,
            timeout=timeout,
            environment={
                "POWERTOOLS_SERVICE_NAME": name,
                "POWERTOOLS_METRICS_NAMESPACE": "Foreword",
                "LOG_LEVEL": "INFO",
                **environment,
            },
        )

    def keep_failed_invocations(self, *, retries: int, max_age: Duration) -> None:
        """For what is invoked asynchronously: a rule's dead-letter queue does not receive a function's errors."""
        lambda_.CfnEventInvokeConfig(
            self,
            "FailedInvocations",
            function_name=self.function.function_name,
            qualifier="$LATEST",
            maximum_retry_attempts=retries,
            maximum_event_age_in_seconds=max_age.to_seconds(),
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(
                    destination=self.dead_letters.queue_arn
                )
            ),
        )


def dead_letter_queue(scope: Construct, id: str, key: kms.Key) -> sqs.Queue:
    return sqs.Queue(
        scope,
        id,
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=key,
        enforce_ssl=True,
        retention_period=DEAD_LETTER_RETENTION,
    )
