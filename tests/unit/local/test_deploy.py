"""Templates read as CloudFormation reads them, and refused where the local cloud would lie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from foreword.local import project
from foreword.local.cloud import LocalCloud
from foreword.local.deploy.template import DeployError, Made, Template
from tests.unit.local.support import template, written


def resolved(value: Any) -> Any:
    """`value` as a property of a resource that comes after A, whose Ref is "a-1" and Arn "arn:a"."""
    resources = {
        "B": {"Type": "X", "Properties": {"Value": value}},
        "A": {"Type": "X"},
    }
    reading = Template({"Resources": resources, "Parameters": {"Stage": {"Default": "dev"}}}, "stack")
    for resource in reading.in_order():
        if resource.logical_id == "B":
            return resource.properties.get("Value")
        reading.made["A"] = Made("a-1", {"Arn": "arn:a"})
    raise AssertionError


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "A"}, "a-1"),
        ({"Ref": "Stage"}, "dev"),
        ({"Ref": "AWS::Region"}, "eu-central-1"),
        ([{"Ref": "A"}, {"Ref": "AWS::NoValue"}], ["a-1"]),
        ({"Fn::GetAtt": ["A", "Arn"]}, "arn:a"),
        ({"Fn::GetAtt": "A.Arn"}, "arn:a"),
        ({"Fn::Join": ["-", ["x", {"Ref": "A"}]]}, "x-a-1"),
        ({"Fn::Sub": "${A}/${A.Arn}/${AWS::AccountId}/${!Literal}"}, "a-1/arn:a/123456789012/${Literal}"),
        ({"Fn::Sub": ["${B}", {"B": {"Ref": "A"}}]}, "a-1"),
        ({"Fn::Select": [1, {"Fn::Split": ["-", {"Ref": "A"}]}]}, "1"),
        ({"Ref": "A", "And": 1}, {"Ref": "A", "And": 1}),
        ({"nested": {"Ref": "AWS::NoValue"}}, {}),
    ],
)
def test_intrinsic_functions_give_what_cloudformation_gives(value: Any, expected: Any) -> None:
    assert resolved(value) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"Fn::ImportValue": "x"}, "B: the local cloud does not know Fn::ImportValue"),
        ({"Ref": "C"}, "B: Ref to 'C'"),
        ({"Fn::GetAtt": ["A", "Size"]}, r"attribute A\.Size"),
    ],
)
def test_an_unknown_function_or_name_is_refused_with_its_place(value: Any, message: str) -> None:
    with pytest.raises(DeployError, match=message):
        resolved(value)


@pytest.mark.parametrize(
    ("resource", "change", "message"),
    [
        ("Bus", {"Type": "AWS::Neptune::DBCluster"}, "Bus: the local cloud does not know AWS::Neptune::DBCluster"),
        ("Queue", {"FifoQueue": True}, r"Queue \(AWS::SQS::Queue\): .* property FifoQueue"),
        ("WatchStream", {"TumblingWindowInSeconds": 5}, "property TumblingWindowInSeconds"),
        ("EveryMinute", {"ScheduleExpression": "cron(0 9 * * ? *)"}, r"rate\(1 minute\), not 'cron"),
        ("HearRule", {"Targets": [{"Id": "a", "Arn": "arn:aws:sqs:x:1:q", "InputPath": "$.detail"}]}, "InputPath"),
        ("Gather", {"Handler": "handle"}, "Handler 'handle'"),
    ],
)  # fmt: skip
def test_what_the_local_cloud_cannot_stand_for_is_refused(
    tmp_path: Path, resource: str, change: dict[str, Any], message: str
) -> None:
    document = template()
    if "Type" in change:
        document["Resources"][resource] |= change
    else:
        document["Resources"][resource]["Properties"] |= change
    with (
        pytest.raises(DeployError, match=message),
        LocalCloud(template=written(document, tmp_path), published=tmp_path),
    ):
        pass


@pytest.mark.parametrize(
    ("resource", "change", "message"),
    [
        ("Api", {"ProtocolType": "WEBSOCKET"}, "HTTP APIs, not WEBSOCKET"),
        ("Api", {"CorsConfiguration": {}}, "property CorsConfiguration"),
        ("Integration", {"PayloadFormatVersion": "1.0"}, "payload format 2.0"),
        ("Route", {"RouteKey": "$default"}, "not '.default'"),
        ("Route", {"AuthorizationType": "AWS_IAM"}, "property AuthorizationType"),
        ("Stage", {"StageName": "v1"}, "stage .default"),
        ("Keys", {"GenerateSecretString": {"RequireEachIncludedType": True}}, "GenerateSecretString"),
        ("Keys", {"SecretString": "known"}, "property SecretString"),
    ],
)
def test_an_api_or_a_secret_that_the_local_cloud_cannot_stand_for_is_refused(
    tmp_path: Path, resource: str, change: dict[str, Any], message: str
) -> None:
    document = json.loads(project.find().template.read_text(encoding="utf-8"))
    types = {"Keys": "AWS::SecretsManager::Secret"}
    type_ = types.get(resource, f"AWS::ApiGatewayV2::{resource}")
    found = next(one for one in document["Resources"].values() if one["Type"] == type_)
    found["Properties"] |= change
    with (
        pytest.raises(DeployError, match=message),
        LocalCloud(template=written(document, tmp_path), published=tmp_path),
    ):
        pass


@pytest.mark.parametrize(
    ("kind", "properties", "message"),
    [
        ("AWS::Logs::SubscriptionFilter", {"FilterPattern": "ERROR"}, "knows no patterns of log events"),
        ("AWS::Logs::SubscriptionFilter", {"DestinationArn": "arn:aws:kinesis:x:1:s"}, "to functions only"),
        ("AWS::Logs::SubscriptionFilter", {"Distribution": "Random"}, "property Distribution"),
        ("AWS::SNS::Subscription", {"Protocol": "email"}, "to functions only, not by email"),
        ("AWS::SNS::Subscription", {"FilterPolicy": {}}, "property FilterPolicy"),
    ],
)
def test_a_subscription_that_would_be_another_here_is_refused(
    tmp_path: Path, kind: str, properties: dict[str, Any], message: str
) -> None:
    known: dict[str, dict[str, Any]] = {
        "AWS::Logs::SubscriptionFilter": {
            "LogGroupName": "g",
            "FilterPattern": "",
            "DestinationArn": {"Fn::GetAtt": ["Gather", "Arn"]},
        },
        "AWS::SNS::Subscription": {"TopicArn": "t", "Protocol": "lambda", "Endpoint": "f"},
    }
    document = template()
    document["Resources"]["Subscribed"] = {"Type": kind, "Properties": known[kind] | properties}
    with (
        pytest.raises(DeployError, match=message),
        LocalCloud(template=written(document, tmp_path), published=tmp_path),
    ):
        pass


@pytest.mark.parametrize("text", [None, "{", "[]", '{"Resources": 1}'])
def test_a_file_that_is_no_template_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "template.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(DeployError, match=r"template\.json"):
        Template.read(path, "stack")


def test_the_committed_template_deploys(tmp_path: Path) -> None:
    with LocalCloud(published=tmp_path) as cloud:
        stack = cloud._machine.stack
        assert {function.name for function in stack.functions.values()} == {
            "record_activity",
            "evaluate_triggers",
            "compare_peers",
            "deliver_message",
            "release_due",
            "record_feedback",
            "preferences",
        }
        assert (len(stack.queue_mappings), len(stack.stream_mappings), len(stack.schedules)) == (2, 2, 1)
        assert (len(stack.log_subscriptions), len(stack.topic_subscriptions)) == (2, 1)
        tables = ("activity", "customers", "messages", "consents", "peers")
        assert all(cloud.table(name) == [] for name in tables)
        assert set(stack.function("record_activity").environment) >= {"ACTIVITY_TABLE", "BUS_NAME"}
        rules = boto3.client("events").list_rules(EventBusName=cloud.bus_name)["Rules"]
        assert len(rules) == 4
        with pytest.raises(LookupError, match="there are compare_peers, deliver_message"):
            stack.function("recorder")


def test_a_checkout_and_an_installed_package_find_their_documents(tmp_path: Path) -> None:
    ours = project.find()
    assert json.loads(ours.template.read_text(encoding="utf-8"))["Resources"]
    assert (ours.rulebook / "rules").is_dir()
    assert ours.schemas.is_dir()

    installed = project.find(tmp_path / "site-packages" / "foreword")
    assert installed.template == tmp_path / "site-packages/foreword/_project/infra/template.json"
    assert installed.samples == tmp_path / "site-packages/foreword/_project/events/samples"
    assert installed.messages == tmp_path / "site-packages/deliver_message/messages"
