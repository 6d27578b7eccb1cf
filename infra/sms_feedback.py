"""What comes back of text messages: their delivery status, out of the logs, and the replies of customers."""

from __future__ import annotations

from aws_cdk import Arn, ArnComponents, ArnFormat, Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.function import Function

_SMS_SERVICE = "sms-voice.amazonaws.com"
_LOG_GROUP = f"sns/{Aws.REGION}/{Aws.ACCOUNT_ID}/DirectPublishToPhoneNumber"
"""SNS has one for the account, and makes it when it first logs: no stack can own it."""


def sms_statuses(scope: Construct, feedback: Function) -> None:
    """Both logs, of what was delivered and of what was not, are handed to the function as they are written."""
    for id, log_group in {"SmsDelivered": _LOG_GROUP, "SmsFailed": f"{_LOG_GROUP}/Failure"}.items():
        arn = Arn.format(
            ArnComponents(
                service="logs",
                resource="log-group",
                resource_name=f"{log_group}:*",
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            ),
            Stack.of(scope),
        )
        permission = lambda_.CfnPermission(
            scope,
            f"{id}Invoke",
            action="lambda:InvokeFunction",
            function_name=feedback.function.function_arn,
            principal="logs.amazonaws.com",
            source_account=Aws.ACCOUNT_ID,
            source_arn=arn,
        )
        logs.CfnSubscriptionFilter(
            scope,
            id,
            log_group_name=log_group,
            filter_pattern="",
            destination_arn=feedback.function.function_arn,
        ).node.add_dependency(permission)


def sms_replies(scope: Construct, feedback: Function, key: kms.Key) -> sns.Topic:
    """The topic to which a number with two-way SMS is to publish what customers answer."""
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="SmsRepliesToTopic",
            principals=[iam.ServicePrincipal(_SMS_SERVICE)],
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=["*"],  # in a key's own policy: this key
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
        )
    )
    topic = sns.Topic(scope, "SmsReplies", master_key=key, enforce_ssl=True)
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal(_SMS_SERVICE)],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
        )
    )
    permission = lambda_.CfnPermission(
        scope,
        "SmsRepliesInvoke",
        action="lambda:InvokeFunction",
        function_name=feedback.function.function_arn,
        principal="sns.amazonaws.com",
        source_arn=topic.topic_arn,
    )
    sns.CfnSubscription(
        scope,
        "SmsRepliesToFeedback",
        topic_arn=topic.topic_arn,
        protocol="lambda",
        endpoint=feedback.function.function_arn,
    ).node.add_dependency(permission)
    return topic
