"""A template of the tests' own, as small as the road allows: bus -> queue -> local_gather -> items -> stream ->
local_watch -> SES -> default bus -> local_hear, and a tick for local_tick.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

HANDLERS = Path(__file__).parents[2] / "functions" / "local_handlers"
BUS = "foreword-test"


def template() -> dict[str, Any]:
    """A copy to change."""
    return copy.deepcopy(_TEMPLATE)


def written(document: dict[str, Any], folder: Path) -> Path:
    path = folder / "template.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def _function(name: str, **environment: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Handler": f"{name}.handler.handle",
            "Runtime": "python3.13",
            "Timeout": 30,
            "MemorySize": 256,
            "Code": {"S3Bucket": {"Fn::Sub": "assets-${AWS::AccountId}-${AWS::Region}"}, "S3Key": "x"},
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Environment": {"Variables": environment},
        },
    }


def _table(**more: Any) -> dict[str, Any]:
    keys = {"id": "HASH", "kind": "RANGE"}
    return {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in keys],
            "BillingMode": "PAY_PER_REQUEST",
            **more,
        },
    }


def _att(name: str, attribute: str = "Arn") -> dict[str, Any]:
    return {"Fn::GetAtt": [name, attribute]}


def _items() -> dict[str, Any]:
    table = _table(
        StreamSpecification={"StreamViewType": "NEW_AND_OLD_IMAGES"},
        TimeToLiveSpecification={"AttributeName": "expires_at", "Enabled": True},
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "due_shard", "KeyType": "HASH"},
                    {"AttributeName": "due_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    for name in ("due_shard", "due_at"):
        table["Properties"]["AttributeDefinitions"].append({"AttributeName": name, "AttributeType": "S"})
    return table


_TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {}},
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": BUS}},
        "Dead": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}},
        "Quarantine": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "quarantine"}},
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "QueueName": "incoming",
                "VisibilityTimeout": 180,
                "RedrivePolicy": {"deadLetterTargetArn": _att("Dead"), "maxReceiveCount": 3},
            },
        },
        "Ingest": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventBusName": {"Ref": "Bus"},
                "EventPattern": {"source": [{"anything-but": ["foreword"]}]},
                "Targets": [{"Id": "queue", "Arn": _att("Queue")}],
            },
        },
        "Gather": _function(
            "local_gather", ITEMS_TABLE={"Ref": "Items"}, QUARANTINE_QUEUE_URL={"Ref": "Quarantine"}
        ),
        "GatherQueue": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": _att("Queue"),
                "FunctionName": {"Ref": "Gather"},
                "BatchSize": 10,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
            },
        },
        "Items": _items(),
        "Seen": _table(),
        "Watch": _function(
            "local_watch",
            SEEN_TABLE={"Ref": "Seen"},
            EMAIL_SENDER="Foreword <hello@example.com>",
            CONFIGURATION_SET={"Ref": "Mail"},
        ),
        "WatchStream": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": _att("Items", "StreamArn"),
                "FunctionName": {"Ref": "Watch"},
                "StartingPosition": "TRIM_HORIZON",
                "BatchSize": 100,
                "BisectBatchOnFunctionError": True,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "FilterCriteria": {"Filters": [{"Pattern": '{"eventName": ["INSERT"]}'}]},
                "MaximumRetryAttempts": 2,
                "MaximumRecordAgeInSeconds": 3600,
                "DestinationConfig": {"OnFailure": {"Destination": _att("Dead")}},
            },
        },
        "Mail": {"Type": "AWS::SES::ConfigurationSet", "Properties": {"Name": "mail"}},
        "MailEvents": {
            "Type": "AWS::SES::ConfigurationSetEventDestination",
            "Properties": {
                "ConfigurationSetName": {"Ref": "Mail"},
                "EventDestination": {
                    "Name": "bus",
                    "Enabled": True,
                    "MatchingEventTypes": ["send", "delivery", "bounce", "complaint"],
                    "EventBridgeDestination": {
                        "EventBusArn": {
                            "Fn::Join": [
                                "",
                                ["arn:aws:events:", {"Ref": "AWS::Region"}, ":1:event-bus/default"],
                            ]
                        }
                    },
                },
            },
        },
        "Hear": _function("local_hear", SEEN_TABLE={"Ref": "Seen"}),
        "HearRule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {
                    "source": ["aws.ses"],
                    "detail": {"mail": {"tags": {"ses:configuration-set": ["mail"]}}},
                },
                "Targets": [{"Id": "hear", "Arn": _att("Hear"), "DeadLetterConfig": {"Arn": _att("Dead")}}],
            },
        },
        "HearFailures": {
            "Type": "AWS::Lambda::EventInvokeConfig",
            "Properties": {
                "FunctionName": {"Ref": "Hear"},
                "Qualifier": "$LATEST",
                "MaximumRetryAttempts": 2,
                "MaximumEventAgeInSeconds": 3600,
                "DestinationConfig": {"OnFailure": {"Destination": _att("Dead")}},
            },
        },
        "Tick": _function("local_tick", ITEMS_TABLE={"Ref": "Items"}),
        "EveryMinute": {
            "Type": "AWS::Scheduler::Schedule",
            "Properties": {
                "ScheduleExpression": "rate(1 minute)",
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {"Arn": _att("Tick"), "RoleArn": _att("Role")},
            },
        },
    }
}
