"""How each resource of a template is made: real ones by an AWS call, functions and their sources as values.

A property is either used, or listed here as one that changes nothing on a developer's machine (encryption,
roles, tags), or refused: a setting that would be silently ignored makes the local cloud lie.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from foreword.domain.senders import parse_sender
from foreword.local.account import ACCOUNT, REGION, arn, name_of
from foreword.local.deploy.stack import (
    AsyncPolicy,
    Function,
    LogSubscription,
    MailEvents,
    QueueMapping,
    Route,
    Schedule,
    Stack,
    StreamMapping,
    TopicSubscription,
)
from foreword.local.deploy.template import DeployError, Made, Resource

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True)
class Workshop:
    """What the makers below work with."""

    stack: Stack
    stack_name: str
    dynamodb: DynamoDBClient
    events: EventBridgeClient
    sqs: SQSClient
    ses: SESV2Client
    secrets: Any


class Properties:
    """The properties of one resource; `done` refuses those nobody asked for."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        self._left = dict(resource.properties)

    def take(self, name: str, default: Any = None) -> Any:
        return self._left.pop(name, default)

    def done(self, *harmless: str) -> None:
        unknown = sorted(set(self._left) - set(harmless))
        if unknown:
            raise self.error(f"the local cloud does not know the property {', '.join(unknown)}")

    def error(self, message: str) -> DeployError:
        return DeployError(f"{self._resource.logical_id} ({self._resource.type}): {message}")


def make(workshop: Workshop, resource: Resource) -> Made:
    """Make one resource; raises DeployError for one the local cloud cannot stand for."""
    if resource.type in _INERT:
        return _inert(workshop, resource)
    maker = _MAKERS.get(resource.type)
    if maker is None:
        raise DeployError(f"{resource.logical_id}: the local cloud does not know {resource.type}")
    return maker(workshop, resource, Properties(resource))


def _table(workshop: Workshop, resource: Resource, properties: Properties) -> Made:
    name = properties.take("TableName") or f"{workshop.stack_name}-{resource.logical_id}"
    request: dict[str, Any] = {"TableName": name}
    for key in ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes"):
        value = properties.take(key)
        if value is not None:
            request[key] = value
    stream = properties.take("StreamSpecification")
    if stream:
        request["StreamSpecification"] = {"StreamEnabled": True, **stream}
    expiry = properties.take("TimeToLiveSpecification")
    properties.done(
        "PointInTimeRecoverySpecification",
        "SSESpecification",
        "DeletionProtectionEnabled",
        "Tags",
        "ContributorInsightsSpecification",
    )
    description = workshop.dynamodb.create_table(**request)["TableDescription"]
    if expiry:
        workshop.dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)
    workshop.stack.tables.append(name)
    attributes = {"Arn": description["TableArn"], "StreamArn": description.get("LatestStreamArn", "")}
    return Made(name, {key: value for key, value in attributes.items() if value})


_QUEUE_NUMBERS = ("DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod", "VisibilityTimeout")


def _queue(workshop: Workshop, resource: Resource, properties: Properties) -> Made:
    name = properties.take("QueueName") or f"{workshop.stack_name}-{resource.logical_id}"[-80:]
    attributes: dict[Any, str] = {}
    for key in _QUEUE_NUMBERS:
        value = properties.take(key)
        if value is not None:
            attributes[key] = str(value)
    redrive = properties.take("RedrivePolicy")
    if redrive:
        attributes["RedrivePolicy"] = json.dumps(redrive)
        workshop.stack.dead_letter_queues.add(name_of(redrive["deadLetterTargetArn"]))
    properties.done(
        "KmsMasterKeyId",
        "KmsDataKeyReusePeriodSeconds",
        "SqsManagedSseEnabled",
        "Tags",
        "ReceiveMessageWaitTimeSeconds",
    )
    url = workshop.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return Made(url, {"Arn": arn("sqs", name), "QueueName": name, "QueueUrl": url})


def _bus(workshop: Workshop, resource: Resource, properties: Properties) -> Made:
    name = properties.take("Name") or resource.logical_id
    properties.done("Description", "KmsKeyIdentifier", "Tags")
    bus_arn = workshop.events.create_event_bus(Name=name)["EventBusArn"]
    workshop.stack.buses.append(name)
    return Made(name, {"Arn": bus_arn, "Name": name})


def _rule(workshop: Workshop, resource: Resource, properties: Properties) -> Made:
    name = properties.take("Name") or f"{workshop.stack_name}-{resource.logical_id}"[-64:]
    bus = str(properties.take("EventBusName", "default")).rsplit("/", 1)[-1]
    pattern = properties.take("EventPattern")
    if pattern is None:
        raise properties.error("a rule needs an EventPattern; use AWS::Scheduler::Schedule for schedules")
    state = properties.take("State", "ENABLED")
    targets = properties.take("Targets", [])
    properties.done("Description", "Tags")
    for target in targets:
        unknown = sorted(set(target) - {"Arn", "Id", "DeadLetterConfig", "RetryPolicy", "RoleArn"})
        if unknown:
            raise properties.error(f"the local cloud does not know {', '.join(unknown)} of a target")
        _dead_letters(workshop, target.get("DeadLetterConfig"))
    rule_arn = workshop.events.put_rule(
        Name=name, EventBusName=bus, EventPattern=json.dumps(pattern), State=state
    )["RuleArn"]
    if targets:
        workshop.events.put_targets(Rule=name, EventBusName=bus, Targets=targets)
    return Made(name, {"Arn": rule_arn})


def _function(workshop: Workshop, resource: Resource, properties: Properties) -> Made:
    name = properties.take("FunctionName") or f"{workshop.stack_name}-{resource.logical_id}"[-64:]
    handler = properties.take("Handler")
    if not isinstance(handler, str) or handler.count(".") < 1:
        raise properties.error(f"Handler {handler!r} is not like record_activity.handler.handle")
    dead_letters = properties.take("DeadLetterConfig")
    _dead_letters(workshop, dead_letters and {"Arn": dead_letters["TargetArn"]})
    function = Function(
        name=handler.split(".", 1)[0],
        arn=arn("lambda", f"function:{name}"),
        handler=handler,
        environment=(properties.take("Environment") or {}).get("Variables", {}),
        timeout=timedelta(seconds=properties.take("Timeout", 3)),
        memory_mb=int(properties.take("MemorySize", 128)),
        dead_letter_arn=dead_letters["TargetArn"] if dead_letters else None,
    )
    properties.done(
        "Architectures", "Code", "Description", "LoggingConfig", "Role", "Runtime", "Tags", "TracingConfig",
        "ReservedConcurrentExecutions", "EphemeralStorage", "SnapStart", "KmsKeyArn", "RuntimeManagementConfig",
        "RecursiveLoop",
    )  # fmt: skip
    sender = function.environment.get("EMAIL_SENDER")
    if sender:
        _verify(workshop, sender)
    workshop.stack.functions[function.arn] = function
    return Made(name, {"Arn": function.arn})


def _verify(workshop: Workshop, sender: str) -> None:
    """Whoever deploys has proved that the sender is theirs; the template cannot say so."""
    address = parse_sender(sender).address
    known = workshop.ses.list_email_identities()["EmailIdentities"]
    if address not in {identity["IdentityName"] for identity in known}:
        workshop.ses.create_email_identity(EmailIdentity=address)


def _event_invoke_config(workshop: Workshop, resource: Resource, properties: Properties) -> Made:
    function_arn = _function_arn(properties.take("FunctionName"))
    destinations = properties.take("DestinationConfig") or {}
    if set(destinations) - {"OnFailure"}:
        raise properties.error("the local cloud knows on-failure destinations only")
    policy = AsyncPolicy(
        retries=int(properties.take("MaximumRetryAttempts", 2)),
        max_age=timedelta(seconds=int(properties.take("MaximumEventAgeInSeconds", 21_600))),
        on_failure=_destination(workshop, destinations, properties),
    )
    properties.done("Qualifier")
    workshop.stack.async_policies[function_arn] = policy
    return Made(resource.logical_id)


def _event_source_mapping(workshop: Workshop, resource: Resource, properties: Properties) -> Made:
    source = properties.take("EventSourceArn")
    function_arn = _function_arn(properties.take("FunctionName"))
    responses = properties.take("FunctionResponseTypes", [])
    partial = "ReportBatchItemFailures" in responses
    service = source.split(":")[2]
    if service == "sqs":
        batch = int(properties.take("BatchSize", 10))
        properties.done("Enabled", "MaximumBatchingWindowInSeconds", "ScalingConfig", "Tags")
        workshop.stack.queue_mappings.append(QueueMapping(function_arn, name_of(source), batch, partial))
    elif service == "dynamodb":
        workshop.stack.stream_mappings.append(
            _stream_mapping(workshop, properties, source, function_arn, partial)
        )
    else:
        raise properties.error(f"the local cloud knows queues and DynamoDB streams, not {service}")
    return Made(resource.logical_id)


def _stream_mapping(
    workshop: Workshop, properties: Properties, source: str, function_arn: str, partial: bool
) -> StreamMapping:
    retries = int(properties.take("MaximumRetryAttempts", -1))
    age = int(properties.take("MaximumRecordAgeInSeconds", -1))
    filters = (properties.take("FilterCriteria") or {}).get("Filters", [])
    mapping = StreamMapping(
        function_arn=function_arn,
        stream_arn=source,
        table=name_of(source),
        batch_size=int(properties.take("BatchSize", 100)),
        patterns=tuple(one["Pattern"] for one in filters),
        bisect=bool(properties.take("BisectBatchOnFunctionError", False)),
        partial_failures=partial,
        retries=None if retries < 0 else retries,
        max_age=None if age < 0 else timedelta(seconds=age),
        on_failure=_destination(workshop, properties.take("DestinationConfig") or {}, properties),
    )
    properties.done(
        "Enabled", "MaximumBatchingWindowInSeconds", "ParallelizationFactor", "StartingPosition", "Tags"
    )
    return mapping


def _schedule(workshop: Workshop, resource: Resource, properties: Properties) -> Made:
    name = properties.take("Name") or f"{workshop.stack_name}-{resource.logical_id}"[-64:]
    expression = properties.take("ScheduleExpression")
    rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
    if rate is None:
        raise properties.error(f"the local cloud knows schedules like rate(1 minute), not {expression!r}")
    target = properties.take("Target")
    enabled = properties.take("State", "ENABLED") == "ENABLED"
    properties.done("Description", "FlexibleTimeWindow", "ScheduleExpressionTimezone", "GroupName")
    _dead_letters(workshop, target.get("DeadLetterConfig"))
    made = Made(name, {"Arn": arn("scheduler", f"schedule/default/{name}")})
    every = timedelta(**{f"{rate[2]}s": int(rate[1])})
    if enabled:
        workshop.stack.schedules.append(
            Schedule(made.attributes["Arn"], every, target["Arn"], target.get("Input"))
        )
    return made


def _configuration_set(workshop: Workshop, resource: Resource, properties: Properties) -> Made:
    name = properties.take("Name") or resource.logical_id
    properties.done(
        "DeliveryOptions",
        "ReputationOptions",
        "SendingOptions",
        "SuppressionOptions",
        "TrackingOptions",
        "VdmOptions",
        "Tags",
    )
    workshop.ses.create_configuration_set(ConfigurationSetName=name)
    return Made(name)


def _mail_events(workshop: Workshop, resource: Resource, properties: Properties) -> Made:
    destination = properties.take("EventDestination")
    configuration_set = properties.take("ConfigurationSetName")
    properties.done()
    if "EventBridgeDestination" not in destination:
        raise properties.error("the local cloud knows SES events on EventBridge only")
    if destination.get("Enabled", True):
        kinds = frozenset(kind[0].upper() + kind[1:] for kind in destination["MatchingEventTypes"])
        bus_arn = destination["EventBridgeDestination"]["EventBusArn"]
        workshop.stack.mail_events.append(MailEvents(configuration_set, kinds, bus_arn))
    return Made(resource.logical_id)


def _http_api(workshop: Workshop, resource: Resource, properties: Properties) -> Made:
    protocol = properties.take("ProtocolType")
    if protocol != "HTTP":
        raise properties.error(f"the local cloud knows HTTP APIs, not {protocol}")
    if workshop.stack.apis:
        raise properties.error("the local cloud knows one HTTP API")
    properties.done("Name", "Description", "Tags")
    id = hashlib.sha256(resource.logical_id.encode()).hexdigest()[:10]
    endpoint = f"https://{id}.execute-api.{REGION}.amazonaws.com"
    workshop.stack.apis[endpoint] = id
    return Made(id, {"ApiEndpoint": endpoint, "ApiId": id})


def _integration(workshop: Workshop, resource: Resource, properties: Properties) -> Made:
    kind, payload = properties.take("IntegrationType"), properties.take("PayloadFormatVersion")
    if (kind, payload) != ("AWS_PROXY", "2.0"):
        raise properties.error("the local cloud knows AWS_PROXY integrations with payload format 2.0")
    workshop.stack.integrations[resource.logical_id] = properties.take("IntegrationUri")
    properties.done("ApiId", "Description")
    return Made(resource.logical_id)


def _route(workshop: Workshop, resource: Resource, properties: Properties) -> Made:
    key, target = properties.take("RouteKey"), properties.take("Target")
    properties.done("ApiId")
    method, _, path = key.partition(" ")
    if not path.startswith("/") or "+" in path:
        raise properties.error(f"the local cloud knows routes like GET /p/{{token}}, not {key!r}")
    function_arn = workshop.stack.integrations[target.removeprefix("integrations/")]
    workshop.stack.routes.append(Route(method, path, function_arn))
    return Made(resource.logical_id)


def _http_stage(_workshop: Workshop, _resource: Resource, properties: Properties) -> Made:
    name = properties.take("StageName")
    if name != "$default" or properties.take("AutoDeploy") is not True:
        raise properties.error("the local cloud knows the stage $default, deployed by itself")
    properties.done("ApiId", "AccessLogSettings", "DefaultRouteSettings", "Description", "Tags")
    return Made(name)


def _secret(workshop: Workshop, resource: Resource, properties: Properties) -> Made:
    """What AWS draws at random is here the same in each run, so that the links are."""
    generate = properties.take("GenerateSecretString")
    properties.done("Description", "KmsKeyId", "Tags")
    if not generate or set(generate) - {
        "SecretStringTemplate",
        "GenerateStringKey",
        "PasswordLength",
        "ExcludePunctuation",
    }:
        raise properties.error("the local cloud knows secrets of which GenerateSecretString makes a key")
    digits = hashlib.sha512(resource.logical_id.encode()).hexdigest()
    password = (digits * (-(-generate["PasswordLength"] // len(digits))))[: generate["PasswordLength"]]
    text = json.dumps(
        {**json.loads(generate["SecretStringTemplate"]), generate["GenerateStringKey"]: password}
    )
    name = f"{workshop.stack_name}-{resource.logical_id}"
    return Made(workshop.secrets.create_secret(Name=name, SecretString=text)["ARN"])


def _log_subscription(workshop: Workshop, resource: Resource, properties: Properties) -> Made:
    destination = properties.take("DestinationArn")
    if ":lambda:" not in destination:
        raise properties.error(f"the local cloud hands logs to functions only, not to {destination}")
    if properties.take("FilterPattern"):
        raise properties.error("the local cloud knows no patterns of log events")
    log_group = properties.take("LogGroupName")
    properties.done()
    workshop.stack.log_subscriptions.append(LogSubscription(log_group, destination))
    return Made(f"{resource.logical_id}")


def _topic_subscription(workshop: Workshop, resource: Resource, properties: Properties) -> Made:
    topic, protocol = properties.take("TopicArn"), properties.take("Protocol")
    if protocol != "lambda":
        raise properties.error(f"the local cloud hands topics to functions only, not by {protocol}")
    endpoint = properties.take("Endpoint")
    properties.done()
    workshop.stack.topic_subscriptions.append(TopicSubscription(topic, endpoint))
    return Made(arn("sns", resource.logical_id))


def _inert(workshop: Workshop, resource: Resource) -> Made:
    """Nothing on a developer's machine depends on it but its name."""
    service, attributes = _INERT[resource.type]
    name_property = next((key for key in resource.properties if key.endswith("Name")), None)
    name = (
        resource.properties[name_property]
        if name_property
        else f"{workshop.stack_name}-{resource.logical_id}"
    )
    made = {attribute: arn(service, f"{resource.logical_id}") for attribute in attributes}
    # Of a topic, Ref is the ARN.
    return Made(made.get("TopicArn", str(name)), made)


def _destination(workshop: Workshop, destinations: Mapping[str, Any], properties: Properties) -> str | None:
    found = (destinations.get("OnFailure") or {}).get("Destination")
    if found is None:
        return None
    if found.split(":")[2] != "sqs":
        raise properties.error(f"the local cloud knows queues as on-failure destinations, not {found}")
    workshop.stack.dead_letter_queues.add(name_of(found))
    return str(found)


def _dead_letters(workshop: Workshop, config: Mapping[str, Any] | None) -> None:
    if config:
        workshop.stack.dead_letter_queues.add(name_of(config["Arn"]))


def _function_arn(name: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


_MAKERS: Mapping[str, Callable[[Workshop, Resource, Properties], Made]] = {
    "AWS::DynamoDB::Table": _table,
    "AWS::SQS::Queue": _queue,
    "AWS::Events::EventBus": _bus,
    "AWS::Events::Rule": _rule,
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::EventInvokeConfig": _event_invoke_config,
    "AWS::Lambda::EventSourceMapping": _event_source_mapping,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::ApiGatewayV2::Api": _http_api,
    "AWS::ApiGatewayV2::Integration": _integration,
    "AWS::ApiGatewayV2::Route": _route,
    "AWS::ApiGatewayV2::Stage": _http_stage,
    "AWS::Logs::SubscriptionFilter": _log_subscription,
    "AWS::SNS::Subscription": _topic_subscription,
    "AWS::SES::ConfigurationSet": _configuration_set,
    "AWS::SES::ConfigurationSetEventDestination": _mail_events,
    "AWS::SecretsManager::Secret": _secret,
}

# type -> (service of its ARN, attributes that are its ARN)
_INERT: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "AWS::CDK::Metadata": ("cdk", ()),
    "AWS::CloudWatch::Alarm": ("cloudwatch", ("Arn",)),
    "AWS::CloudWatch::Dashboard": ("cloudwatch", ()),
    "AWS::Events::EventBusPolicy": ("events", ()),
    "AWS::IAM::ManagedPolicy": ("iam", ()),
    "AWS::IAM::Policy": ("iam", ()),
    "AWS::IAM::Role": ("iam", ("Arn",)),
    "AWS::KMS::Alias": ("kms", ()),
    "AWS::KMS::Key": ("kms", ("Arn",)),
    "AWS::Lambda::Permission": ("lambda", ()),
    "AWS::Logs::LogGroup": ("logs", ("Arn",)),
    "AWS::SQS::QueuePolicy": ("sqs", ()),
    "AWS::Scheduler::ScheduleGroup": ("scheduler", ("Arn",)),
    "AWS::SNS::Topic": ("sns", ("TopicArn",)),
    "AWS::SNS::TopicPolicy": ("sns", ()),
}
