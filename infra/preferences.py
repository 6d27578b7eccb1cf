"""Where customers choose: the HTTP API, the function behind it, and the keys that sign its links."""

from __future__ import annotations

import json

from aws_cdk import Aws, CfnDeletionPolicy, Duration, RemovalPolicy
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.function import Function
from infra.grants import put_events, read_secret, use_table
from infra.stage import Stage
from infra.storage import Storage

PAGES = ("p", "u", "c")
"""Preferences, unsubscribing, confirming: the first letter of each path."""

_METHODS = ("GET", "HEAD", "POST")
_RATE, _BURST = 50, 100
"""Requests a second over all customers: many mailboxes unsubscribe at once after a large send."""

_LOGGED = {
    "request_id": "$context.requestId",
    "time": "$context.requestTime",
    "route": "$context.routeKey",
    "status": "$context.status",
    "latency_ms": "$context.responseLatency",
    "error": "$context.error.message",
}
"""No path: it holds the token, and whoever reads logs must not be able to change what customers chose."""


class LinkAddress(Construct):
    """What both ends of a link need: where it leads (`url`), and the secret whose keys sign it.

    Apart from the function, so that those who make links and those who answer them depend on neither.
    """

    def __init__(self, scope: Construct, id: str, stage: Stage, storage: Storage) -> None:
        super().__init__(scope, id)
        self.api = apigateway.CfnApi(
            self,
            "Api",
            name=f"{stage.full_name}-preferences",
            description="Where customers choose what they receive",
            protocol_type="HTTP",
        )
        self.url = self.api.attr_api_endpoint
        # Made at the first deployment and never changed by a later one: rotating is adding a key by hand.
        self.secret = secretsmanager.CfnSecret(
            self,
            "Keys",
            description=f"{stage.full_name}: the keys that sign customers' links; the first signs, all are valid",
            kms_key_id=storage.key.key_arn,
            generate_secret_string=secretsmanager.CfnSecret.GenerateSecretStringProperty(
                secret_string_template="{}",  # noqa: S106 - what the generated key goes into
                generate_string_key="1",
                password_length=64,
                exclude_punctuation=True,
            ),
        )
        kept = CfnDeletionPolicy.RETAIN if stage.protected else CfnDeletionPolicy.DELETE
        self.secret.cfn_options.deletion_policy = self.secret.cfn_options.update_replace_policy = kept


class Preferences(Construct):
    """The function preferences, its routes and its stage."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        stage: Stage,
        storage: Storage,
        bus: events.EventBus,
        address: LinkAddress,
    ) -> None:
        super().__init__(scope, id)
        self._api = address.api
        self.preferences = Function(
            self,
            "Preferences",
            stage,
            storage.key,
            name="preferences",
            description="The customer's own page, unsubscribing and confirming; looking changes nothing",
            timeout=Duration.seconds(20),
            environment={
                "ACTIVITY_TABLE": storage.activity.table_name,
                "CUSTOMERS_TABLE": storage.customers.table_name,
                "CONSENTS_TABLE": storage.consents.table_name,
                "BUS_NAME": bus.event_bus_name,
                "PREFERENCES_URL": address.url,
                "LINKS_SECRET": address.secret.ref,
            },
            grants=(
                use_table(storage.activity, "PutItem"),
                use_table(storage.customers, "BatchGetItem"),
                use_table(storage.consents, "BatchGetItem", "GetItem", "PutItem"),
                put_events(bus),
                read_secret(address.secret, storage.key),
            ),
        )
        self._routes()
        self._stage(stage)
        self._alarm()

    def _routes(self) -> None:
        function = self.preferences.function
        integration = apigateway.CfnIntegration(
            self,
            "Integration",
            api_id=self._api.ref,
            integration_type="AWS_PROXY",
            integration_uri=function.function_arn,
            payload_format_version="2.0",
        )
        for page in PAGES:
            for method in _METHODS:
                apigateway.CfnRoute(
                    self,
                    f"{method.title()}{page.upper()}",
                    api_id=self._api.ref,
                    route_key=f"{method} /{page}/{{token}}",
                    target=f"integrations/{integration.ref}",
                )
        lambda_.CfnPermission(
            self,
            "Invoke",
            action="lambda:InvokeFunction",
            function_name=function.function_arn,
            principal="apigateway.amazonaws.com",
            source_arn=f"arn:{Aws.PARTITION}:execute-api:{Aws.REGION}:{Aws.ACCOUNT_ID}:{self._api.ref}/*/*/*/{{token}}",
        )

    def _stage(self, stage: Stage) -> None:
        log_group = logs.LogGroup(
            self,
            "AccessLog",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.RETAIN if stage.protected else RemovalPolicy.DESTROY,
        )
        apigateway.CfnStage(
            self,
            "Stage",
            api_id=self._api.ref,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=log_group.log_group_arn, format=json.dumps(_LOGGED)
            ),
            default_route_settings=apigateway.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=_RATE, throttling_burst_limit=_BURST
            ),
        )

    def _alarm(self) -> None:
        """A person waits for the answer, so what fails here is in no dead-letter queue."""
        cloudwatch.CfnAlarm(
            self,
            "NotServed",
            alarm_description="Customers could not see or change what they receive",
            namespace="AWS/ApiGateway",
            metric_name="5xx",
            dimensions=[cloudwatch.CfnAlarm.DimensionProperty(name="ApiId", value=self._api.ref)],
            statistic="Sum",
            period=300,
            evaluation_periods=1,
            threshold=0,
            comparison_operator="GreaterThanThreshold",
            treat_missing_data="notBreaching",
        )
