from __future__ import annotations

import pytest

from tests.infra.reading import Template, as_list, logical_id

EVERY_FUNCTION = {"LOG_LEVEL", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_SERVICE_NAME"}
ENVIRONMENT = {
    "record_activity": {
        "ACTIVITY_TABLE",
        "CUSTOMERS_TABLE",
        "CONSENTS_TABLE",
        "BUS_NAME",
        "QUARANTINE_QUEUE_URL",
    },
    "evaluate_triggers": {
        "ACTIVITY_TABLE",
        "CUSTOMERS_TABLE",
        "MESSAGES_TABLE",
        "CONSENTS_TABLE",
        "PEERS_TABLE",
    },
    "compare_peers": {"ACTIVITY_TABLE", "PEERS_TABLE", "PEERS_QUEUE_URL"},
    "deliver_message": {
        "MESSAGES_TABLE",
        "CUSTOMERS_TABLE",
        "CONSENTS_TABLE",
        "BUS_NAME",
        "PREFERENCES_URL",
        "LINKS_SECRET",
        "EMAIL_SENDER",
        "CONFIGURATION_SET",
        "SMS_SENDER_ID",
    },
    "release_due": {
        "ACTIVITY_TABLE",
        "CUSTOMERS_TABLE",
        "MESSAGES_TABLE",
        "CONSENTS_TABLE",
        "PEERS_TABLE",
        "PEERS_QUEUE_URL",
        "BUS_NAME",
    },
    "record_feedback": {
        "ACTIVITY_TABLE",
        "CUSTOMERS_TABLE",
        "MESSAGES_TABLE",
        "CONSENTS_TABLE",
        "BUS_NAME",
        "CONFIGURATION_SET",
    },
    "preferences": {
        "ACTIVITY_TABLE",
        "CUSTOMERS_TABLE",
        "CONSENTS_TABLE",
        "BUS_NAME",
        "PREFERENCES_URL",
        "LINKS_SECRET",
    },
}
SERVICES = {
    "record_activity": {"dynamodb", "events", "kms", "logs", "sqs"},
    "evaluate_triggers": {"dynamodb", "kms", "logs", "sqs"},
    "compare_peers": {"dynamodb", "kms", "logs", "sqs"},
    "deliver_message": {"dynamodb", "events", "kms", "logs", "secretsmanager", "ses", "sns", "sqs"},
    "release_due": {"dynamodb", "events", "kms", "logs", "ses", "sns", "sqs"},
    "record_feedback": {"dynamodb", "events", "kms", "logs", "sqs"},
    "preferences": {"dynamodb", "events", "kms", "logs", "secretsmanager", "sqs"},
}
TABLE_ACTIONS = {
    "record_activity": {
        "Activity": {"PutItem"},
        "Customers": {"GetItem", "PutItem", "Query"},
        "Consents": {"GetItem", "PutItem"},
    },
    "evaluate_triggers": {
        "Activity": {"Query", "DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"},
        "Customers": {"BatchGetItem", "ConditionCheckItem", "PutItem"},
        "Messages": {"BatchGetItem", "GetItem", "PutItem", "Query", "UpdateItem"},
        "Consents": {"BatchGetItem"},
        "Peers": {"PutItem"},
    },
    "compare_peers": {"Activity": {"PutItem"}, "Peers": {"GetItem", "PutItem", "Query", "UpdateItem"}},
    "deliver_message": {
        "Messages": {
            *("BatchGetItem", "GetItem", "PutItem", "UpdateItem"),
            *("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"),
        },
        "Customers": {"BatchGetItem", "ConditionCheckItem"},
        "Consents": {"BatchGetItem", "ConditionCheckItem", "GetItem"},
    },
    "release_due": {
        "Activity": {"PutItem"},
        "Customers": {"Query", "GetItem", "PutItem", "Scan"},
        "Messages": {"Query", "GetItem", "UpdateItem"},
        "Consents": {"GetItem", "PutItem"},
        "Peers": {"Query", "UpdateItem"},
    },
    "preferences": {
        "Activity": {"PutItem"},
        "Customers": {"BatchGetItem"},
        "Consents": {"BatchGetItem", "GetItem", "PutItem"},
    },
    "record_feedback": {
        "Activity": {"PutItem"},
        "Customers": {"Query"},
        "Messages": {"GetItem", "Query", "UpdateItem"},
        "Consents": {"GetItem", "PutItem"},
    },
}
"""Held against what the adapters call: a transaction needs the actions of its parts."""


def test_there_are_seven_functions(fresh: Template) -> None:
    assert set(fresh.functions()) == set(ENVIRONMENT)


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_function_gets_its_environment_and_no_more(fresh: Template, name: str) -> None:
    variables = fresh.functions()[name]["Environment"]["Variables"]
    assert set(variables) == EVERY_FUNCTION | ENVIRONMENT[name]
    assert variables["POWERTOOLS_SERVICE_NAME"] == name


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_table_variable_names_that_table(fresh: Template, name: str) -> None:
    variables = fresh.functions()[name]["Environment"]["Variables"]
    for variable in variables.keys() & {
        "ACTIVITY_TABLE",
        "CUSTOMERS_TABLE",
        "MESSAGES_TABLE",
        "CONSENTS_TABLE",
        "PEERS_TABLE",
    }:
        table = variable.removesuffix("_TABLE").title()
        assert logical_id(variables[variable]).startswith(f"Storage{table}")


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_function_runs_its_own_handler(fresh: Template, name: str) -> None:
    function = fresh.functions()[name]
    assert function["Handler"] == f"{name}.handler.handle"
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]


def test_each_function_has_a_role_of_its_own(fresh: Template) -> None:
    roles = [logical_id(function["Role"]) for function in fresh.functions().values()]
    assert len(set(roles)) == len(roles) == 7
    for policy in fresh.of_type("AWS::IAM::Policy").values():
        assert len(policy["Roles"]) == 1
    for role in fresh.of_type("AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_role_reaches_only_the_services_of_its_function(fresh: Template, name: str) -> None:
    role = logical_id(fresh.functions()[name]["Role"])
    allowed = [one for one in fresh.statements(role) if one["Effect"] == "Allow"]
    actions = {action for statement in allowed for action in as_list(statement["Action"])}
    assert {action.partition(":")[0] for action in actions} == SERVICES[name]


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_role_does_to_each_table_what_its_function_needs(fresh: Template, name: str) -> None:
    tables = {id: id.removeprefix("Storage")[:-8] for id in fresh.of_type("AWS::DynamoDB::Table")}
    allowed: dict[str, set[str]] = {}
    for statement in fresh.statements(logical_id(fresh.functions()[name]["Role"])):
        actions = {action.removeprefix("dynamodb:") for action in as_list(statement["Action"])}
        for resource in as_list(statement["Resource"]):
            if actions != set(as_list(statement["Action"])):
                allowed.setdefault(tables[logical_id(resource)], set()).update(actions)
    assert allowed == TABLE_ACTIONS[name]


def test_the_tick_looks_at_due_indexes_and_at_the_closes_of_a_rule(fresh: Template) -> None:
    statements = fresh.statements(logical_id(fresh.functions()["release_due"]["Role"]))
    queries = [one for one in statements if "dynamodb:Query" in as_list(one["Action"])]
    asked = [resource for one in queries for resource in as_list(one["Resource"])]
    indexes = [resource for resource in asked if "Fn::Join" in resource]
    assert sorted(resource["Fn::Join"][1][-1] for resource in indexes) == [
        *["/index/due"] * 3,
        *("/index/email", "/index/phone"),
    ]
    (table,) = [logical_id(resource) for resource in asked if resource not in indexes]
    assert table.startswith("StoragePeers")


@pytest.mark.parametrize("name", ["release_due", "compare_peers"])
def test_the_parts_of_closes_are_put_on_their_queue_alone(fresh: Template, name: str) -> None:
    statements = fresh.statements(logical_id(fresh.functions()[name]["Role"]))
    sending = [one for one in statements if "sqs:SendMessage" in as_list(one["Action"])]
    queues = {logical_id(resource) for one in sending for resource in as_list(one["Resource"])}
    (mapping,) = fresh.sources("compare_peers")
    own = {queue for queue in queues if "DeadLetters" in queue}
    assert queues - own == {logical_id(mapping["EventSourceArn"])}
    assert len(own) == 1
    assert fresh.functions()[name]["Environment"]["Variables"]["PEERS_QUEUE_URL"] == {
        "Ref": logical_id(mapping["EventSourceArn"])
    }


def test_every_action_is_exact(fresh: Template) -> None:
    for policy in fresh.of_type("AWS::IAM::Policy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            assert not [action for action in as_list(statement["Action"]) if "*" in action]
            assert "NotAction" not in statement


def test_only_a_text_message_and_the_providers_own_lists_are_of_any_resource(fresh: Template) -> None:
    unbounded = [
        (tuple(as_list(statement["Action"])), logical_id(policy["Roles"][0]))
        for policy in fresh.of_type("AWS::IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow" and ("*" in as_list(statement.get("Resource", "*")))
    ]
    lists = ("ses:ListSuppressedDestinations", "sns:ListPhoneNumbersOptedOut")
    assert dict(unbounded) == {
        ("sns:Publish",): logical_id(fresh.functions()["deliver_message"]["Role"]),
        lists: logical_id(fresh.functions()["release_due"]["Role"]),
    }


def test_a_text_message_is_published_to_no_topic(fresh: Template) -> None:
    statements = fresh.statements(logical_id(fresh.functions()["deliver_message"]["Role"]))
    denied = [one for one in statements if one["Effect"] == "Deny"]
    assert [one["Action"] for one in denied] == ["sns:Publish"]
    assert denied[0]["Resource"]["Fn::Join"][1][-1] == ":sns:*:*:*"


def test_an_email_is_sent_from_the_sender_alone(fresh: Template) -> None:
    statements = fresh.statements(logical_id(fresh.functions()["deliver_message"]["Role"]))
    (sending,) = [one for one in statements if "ses:SendEmail" in as_list(one["Action"])]
    assert sending["Condition"] == {"StringEquals": {"ses:FromAddress": "hello@example.com"}}
    assert sorted(resource["Fn::Join"][1][-1] for resource in sending["Resource"]) == [
        ":configuration-set/foreword-dev",
        ":identity/example.com",
        ":identity/hello@example.com",
    ]


def test_a_function_puts_events_in_forewords_name_alone(fresh: Template) -> None:
    for policy in fresh.of_type("AWS::IAM::Policy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            if "events:PutEvents" in as_list(statement["Action"]):
                assert statement["Condition"] == {"ForAllValues:StringEquals": {"events:source": "foreword"}}


def test_the_key_is_used_by_way_of_its_services_alone(fresh: Template) -> None:
    for policy in fresh.of_type("AWS::IAM::Policy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            if any(action.startswith("kms:") for action in as_list(statement["Action"])):
                assert set(statement["Condition"]["StringEquals"]) == {"kms:ViaService"}


def test_every_function_logs_to_a_group_that_forgets(fresh: Template) -> None:
    groups = fresh.of_type("AWS::Logs::LogGroup")
    used = {logical_id(function["LoggingConfig"]["LogGroup"]) for function in fresh.functions().values()}
    (stage,) = fresh.of_type("AWS::ApiGatewayV2::Stage").values()
    used.add(logical_id(stage["AccessLogSettings"]["DestinationArn"]))
    assert used == set(groups)
    assert len(groups) == 8
    assert {group["RetentionInDays"] for group in groups.values()} == {30}
