from __future__ import annotations

import json
from typing import Any

import pytest

from infra.snapshot import declared_stage, synthesize
from tests.infra.reading import Template, logical_id

KEYS_AND_STREAMS = {
    "Activity": ("fact", "NEW_IMAGE"),
    "Customers": ("item", "NEW_AND_OLD_IMAGES"),
    "Messages": ("message_id", "NEW_AND_OLD_IMAGES"),
    "Consents": ("item", "NEW_AND_OLD_IMAGES"),
}


@pytest.fixture(scope="session")
def protected() -> Template:
    return Template(synthesize(declared_stage().model_copy(update={"protected": True})))


def _table(template: Template, name: str) -> dict[str, Any]:
    found = template.of_type("AWS::DynamoDB::Table").items()
    return next(table for id, table in found if id.startswith(f"Storage{name}"))


def _bus_policy(template: Template, sid: str) -> dict[str, Any]:
    found = template.of_type("AWS::Events::EventBusPolicy").values()
    return next(one["Statement"] for one in found if one["StatementId"] == f"cdk-{sid}")


@pytest.mark.parametrize("name", KEYS_AND_STREAMS)
def test_a_table_is_keyed_by_customer_encrypted_and_recoverable(fresh: Template, name: str) -> None:
    sort_key, images = KEYS_AND_STREAMS[name]
    table = _table(fresh, name)
    assert table["KeySchema"] == [
        {"AttributeName": "customer_id", "KeyType": "HASH"},
        {"AttributeName": sort_key, "KeyType": "RANGE"},
    ]
    assert table["StreamSpecification"] == {"StreamViewType": images}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"]["SSEType"] == "KMS"
    assert logical_id(table["SSESpecification"]["KMSMasterKeyId"]) in fresh.of_type("AWS::KMS::Key")
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_what_customers_bring_to_a_comparison_is_kept_by_shards_and_safe_as_all_else(fresh: Template) -> None:
    table = _table(fresh, "Peers")
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["part", "item"]
    assert "StreamSpecification" not in table
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"]["SSEType"] == "KMS"
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_facts_messages_and_comparisons_expire_and_nothing_else_does(fresh: Template) -> None:
    names = (*KEYS_AND_STREAMS, "Peers")
    ttl = {name: _table(fresh, name).get("TimeToLiveSpecification") for name in names}
    expires = {"AttributeName": "expires_at", "Enabled": True}
    assert {name for name, found in ttl.items() if found == expires} == {"Activity", "Messages", "Peers"}
    assert {name for name, found in ttl.items() if found is None} == {"Customers", "Consents"}


@pytest.mark.parametrize(
    ("name", "projection"),
    [
        ("Customers", {"ProjectionType": "KEYS_ONLY"}),
        ("Peers", {"ProjectionType": "KEYS_ONLY"}),
        ("Messages", {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["status"]}),
    ],
)
def test_what_waits_for_a_time_is_found_by_the_due_index(
    fresh: Template, name: str, projection: dict[str, Any]
) -> None:
    (index,) = [one for one in _table(fresh, name)["GlobalSecondaryIndexes"] if one["IndexName"] == "due"]
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["due_shard", "due_at"]
    assert index["Projection"] == projection


def test_whose_a_text_message_or_an_address_is_is_found_by_sparse_indexes_of_keys(fresh: Template) -> None:
    for name, keys in {
        "Messages": {"sms": "sms_id"},
        "Customers": {"email": "email_key", "phone": "phone_key"},
    }.items():
        indexes = {one["IndexName"]: one for one in _table(fresh, name)["GlobalSecondaryIndexes"]}
        for index, key in keys.items():
            assert [one["AttributeName"] for one in indexes[index]["KeySchema"]] == [key]
            assert indexes[index]["Projection"] == {"ProjectionType": "KEYS_ONLY"}


def test_the_key_rotates(fresh: Template) -> None:
    assert [key["EnableKeyRotation"] for key in fresh.of_type("AWS::KMS::Key").values()] == [True]


def test_every_queue_is_encrypted_and_speaks_tls_alone(fresh: Template) -> None:
    queues = fresh.of_type("AWS::SQS::Queue")
    tls_only = {
        logical_id(queue)
        for policy in fresh.of_type("AWS::SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for queue in policy["Queues"]
    }
    assert tls_only == set(queues)
    for queue in queues.values():
        assert logical_id(queue["KmsMasterKeyId"]) in fresh.of_type("AWS::KMS::Key")


def test_email_is_handed_on_over_tls_alone(fresh: Template) -> None:
    (configuration_set,) = fresh.of_type("AWS::SES::ConfigurationSet").values()
    assert configuration_set["Name"] == "foreword-dev"
    assert configuration_set["DeliveryOptions"] == {"TlsPolicy": "REQUIRE"}


def test_the_bus_accepts_the_listed_sources_alone(fresh: Template) -> None:
    sources = list(declared_stage().allowed_sources)
    listed = _bus_policy(fresh, "ListedSources")
    assert listed["Effect"] == "Allow"
    assert listed["Condition"] == {"ForAllValues:StringEquals": {"events:source": sources}}
    others = _bus_policy(fresh, "NoOtherSource")
    assert (others["Effect"], others["Principal"]) == ("Deny", {"AWS": "*"})
    assert others["Condition"] == {"ForAnyValue:StringNotEquals": {"events:source": [*sources, "foreword"]}}


def test_nobody_but_its_own_functions_speaks_as_foreword(fresh: Template) -> None:
    denied = _bus_policy(fresh, "NobodyElseAsForeword")
    assert (denied["Effect"], denied["Principal"]) == ("Deny", {"AWS": "*"})
    assert denied["Condition"]["ForAnyValue:StringEquals"] == {"events:source": "foreword"}
    own = {logical_id(role) for role in denied["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]}
    may_put = {
        logical_id(policy["Roles"][0])
        for policy in fresh.of_type("AWS::IAM::Policy").values()
        if "events:PutEvents" in json.dumps(policy["PolicyDocument"])
    }
    assert own == may_put


def test_a_protected_stage_keeps_its_data(protected: Template) -> None:
    for resource in protected.resources.values():
        if resource["Type"] in {"AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::Logs::LogGroup"}:
            assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"
    assert {
        table["DeletionProtectionEnabled"] for table in protected.of_type("AWS::DynamoDB::Table").values()
    } == {True}


def test_a_stage_that_may_be_lost_leaves_nothing_behind(fresh: Template) -> None:
    kept = [id for id, one in fresh.resources.items() if one.get("DeletionPolicy") == "Retain"]
    assert kept == []
