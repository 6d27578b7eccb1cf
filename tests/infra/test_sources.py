from __future__ import annotations

import json

import pytest

from foreword.app.count_peers import MOST_TIME
from foreword.domain.instants import SECOND
from infra.bundling import HERE
from infra.snapshot import declared_stage, synthesize
from tests.infra.reading import Template, logical_id

TWO_WEEKS = 14 * 24 * 3600


def _dead_letter_queues(fresh: Template) -> dict[str, str]:
    """Logical id by the function's package name."""
    return {
        name: fresh.function_id(name)[: -len("Function") - 8] + "DeadLetters" for name in fresh.functions()
    }


def _is_dead_letter_queue_of(fresh: Template, reference: object, name: str) -> bool:
    id = logical_id(reference)
    return id in fresh.of_type("AWS::SQS::Queue") and id[:-8] == _dead_letter_queues(fresh)[name]


@pytest.mark.parametrize(("name", "batch_size"), [("record_activity", 10), ("compare_peers", 1)])
def test_a_queue_feeds_its_function_and_hands_over_what_fails(
    fresh: Template, name: str, batch_size: int
) -> None:
    (mapping,) = fresh.sources(name)
    queue = fresh.of_type("AWS::SQS::Queue")[logical_id(mapping["EventSourceArn"])]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == batch_size
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
    dead_letters = queue["RedrivePolicy"]["deadLetterTargetArn"]
    assert _is_dead_letter_queue_of(fresh, dead_letters, name)


@pytest.mark.parametrize("name", ["record_activity", "compare_peers"])
def test_a_message_stays_hidden_for_as_long_as_its_batch_may_take(fresh: Template, name: str) -> None:
    (mapping,) = fresh.sources(name)
    queue = fresh.of_type("AWS::SQS::Queue")[logical_id(mapping["EventSourceArn"])]
    assert queue["VisibilityTimeout"] >= 6 * fresh.functions()[name]["Timeout"]


def test_a_part_of_a_close_ends_well_before_its_worker_is_stopped(fresh: Template) -> None:
    assert fresh.functions()["compare_peers"]["Timeout"] * SECOND >= 3 * MOST_TIME


@pytest.mark.parametrize(
    ("name", "table", "batch_size"),
    [("evaluate_triggers", "Activity", 100), ("deliver_message", "Messages", 10)],
)
def test_a_stream_isolates_what_fails_and_hands_it_over(
    fresh: Template, name: str, table: str, batch_size: int
) -> None:
    (mapping,) = fresh.sources(name)
    assert logical_id(mapping["EventSourceArn"]).startswith(f"Storage{table}")
    assert mapping["BatchSize"] == batch_size
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert 0 < mapping["MaximumRetryAttempts"] < 100
    assert 0 < mapping["MaximumRecordAgeInSeconds"] < 24 * 3600
    assert _is_dead_letter_queue_of(fresh, mapping["DestinationConfig"]["OnFailure"]["Destination"], name)


def test_only_new_facts_are_evaluated(fresh: Template) -> None:
    (mapping,) = fresh.sources("evaluate_triggers")
    (one,) = mapping["FilterCriteria"]["Filters"]
    assert json.loads(one["Pattern"]) == {"eventName": ["INSERT"]}


def test_only_ready_and_closed_messages_are_delivered_or_announced(fresh: Template) -> None:
    (mapping,) = fresh.sources("deliver_message")
    (one,) = mapping["FilterCriteria"]["Filters"]
    assert json.loads(one["Pattern"]) == {
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": {"NewImage": {"status": {"S": ["READY", "SENT", "NOT_SENT", "UNKNOWN"]}}},
    }


def test_every_rule_hands_over_what_it_cannot_deliver(fresh: Template) -> None:
    queues = fresh.of_type("AWS::SQS::Queue")
    rules = fresh.of_type("AWS::Events::Rule")
    assert len(rules) == 5
    for rule in rules.values():
        for target in rule["Targets"]:
            assert logical_id(target["DeadLetterConfig"]["Arn"]) in queues
            assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == 24 * 3600


def test_every_queue_a_rule_writes_to_lets_that_rule_write(fresh: Template) -> None:
    policies = {
        logical_id(queue): json.dumps(policy)
        for policy in fresh.of_type("AWS::SQS::QueuePolicy").values()
        for queue in policy["Queues"]
    }
    queues = fresh.of_type("AWS::SQS::Queue")
    for id, rule in fresh.of_type("AWS::Events::Rule").items():
        for target in rule["Targets"]:
            for arn in (target["Arn"], target["DeadLetterConfig"]["Arn"]):
                if logical_id(arn) in queues:
                    assert id in policies[logical_id(arn)]


def test_the_bus_brings_every_emitters_events_and_what_foreword_remembers_of_itself(fresh: Template) -> None:
    queues = fresh.of_type("AWS::SQS::Queue")
    patterns = [
        rule["EventPattern"]
        for rule in fresh.of_type("AWS::Events::Rule").values()
        if logical_id(rule["Targets"][0]["Arn"]) in queues
    ]
    (emitted,) = [pattern for pattern in patterns if "detail-type" not in pattern]
    (own,) = [pattern for pattern in patterns if "detail-type" in pattern]
    assert emitted == {"source": [{"anything-but": ["foreword"]}]}
    assert own["source"] == ["foreword"]
    remembered = {
        "MessageSent",
        "MessageOutcomeUnknown",
        "TaskRequested",
        "PreferenceChanged",
        "ConfirmationRequested",
        "EventRejected",
    }
    assert remembered <= set(own["detail-type"])


def test_email_events_come_from_the_default_bus_to_record_feedback(fresh: Template) -> None:
    (rule,) = [one for one in fresh.of_type("AWS::Events::Rule").values() if "EventBusName" not in one]
    assert rule["EventPattern"] == {
        "source": ["aws.ses"],
        "detail": {"mail": {"tags": {"ses:configuration-set": ["foreword-dev"]}}},
    }
    assert [logical_id(target["Arn"]) for target in rule["Targets"]] == [fresh.function_id("record_feedback")]
    (destination,) = fresh.of_type("AWS::SES::ConfigurationSetEventDestination").values()
    bus = destination["EventDestination"]["EventBridgeDestination"]["EventBusArn"]
    assert bus["Fn::Join"][1][-1] == ":event-bus/default"


def test_the_bus_tells_record_feedback_of_every_task_it_took(fresh: Template) -> None:
    found = fresh.of_type("AWS::Events::Rule").items()
    function = fresh.function_id("record_feedback")
    ((id, rule),) = [
        (id, one)
        for id, one in found
        if "OutboundRequested" in one["EventPattern"].get("detail-type", ())
        and len(one["EventPattern"]["detail-type"]) == 2
    ]
    assert rule["EventPattern"]["source"] == ["foreword"]
    assert "EventBusName" in rule
    assert [logical_id(target["Arn"]) for target in rule["Targets"]] == [function]
    permissions = fresh.of_type("AWS::Lambda::Permission").values()
    assert (function, id) in {
        (logical_id(one["FunctionName"]), logical_id(one["SourceArn"]))
        for one in permissions
        if one["Principal"] == "events.amazonaws.com"
    }


def test_both_logs_of_text_messages_are_handed_to_record_feedback_by_their_account_alone(
    fresh: Template,
) -> None:
    filters = fresh.of_type("AWS::Logs::SubscriptionFilter").values()
    function = fresh.function_id("record_feedback")
    assert {logical_id(one["DestinationArn"]) for one in filters} == {function}
    assert sorted(one["LogGroupName"]["Fn::Join"][1][-1] for one in filters) == [
        "/DirectPublishToPhoneNumber",
        "/DirectPublishToPhoneNumber/Failure",
    ]
    assert {one["FilterPattern"] for one in filters} == {""}
    logs = [
        one
        for one in fresh.of_type("AWS::Lambda::Permission").values()
        if one["Principal"] == "logs.amazonaws.com"
    ]
    assert len(logs) == 2
    assert {one["SourceAccount"]["Ref"] for one in logs} == {"AWS::AccountId"}


def test_an_account_that_logs_no_text_messages_is_not_asked_for_its_logs() -> None:
    silent = declared_stage().model_copy(update={"sms_status": False})
    assert not Template(synthesize(silent)).of_type("AWS::Logs::SubscriptionFilter")


def test_replies_come_by_an_encrypted_topic_that_sms_alone_publishes_to(fresh: Template) -> None:
    topics = fresh.of_type("AWS::SNS::Topic")
    for topic in topics.values():
        assert logical_id(topic["KmsMasterKeyId"]) in fresh.of_type("AWS::KMS::Key")
    (id,) = (name for name in topics if "SmsReplies" in name)
    (subscription,) = fresh.of_type("AWS::SNS::Subscription").values()
    assert (subscription["Protocol"], logical_id(subscription["TopicArn"])) == ("lambda", id)
    assert logical_id(subscription["Endpoint"]) == fresh.function_id("record_feedback")
    policies = fresh.of_type("AWS::SNS::TopicPolicy").values()
    (policy,) = (one for one in policies if logical_id(one["Topics"][0]) == id)
    allowed = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
    assert [one["Principal"] for one in allowed] == [{"Service": "sms-voice.amazonaws.com"}]
    assert "aws:SourceAccount" in allowed[0]["Condition"]["StringEquals"]


def test_tasks_come_by_a_topic_that_their_rule_alone_publishes_to(fresh: Template) -> None:
    (id,) = (name for name in fresh.of_type("AWS::SNS::Topic") if "Tasks" in name)
    ((rule_id, rule),) = (
        (name, one) for name, one in fresh.of_type("AWS::Events::Rule").items() if "TasksToTopic" in name
    )
    assert rule["EventPattern"] == {"source": ["foreword"], "detail-type": ["TaskRequested"]}
    assert [logical_id(target["Arn"]) for target in rule["Targets"]] == [id]
    policies = fresh.of_type("AWS::SNS::TopicPolicy").values()
    (policy,) = (one for one in policies if logical_id(one["Topics"][0]) == id)
    (allowed,) = (one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow")
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert logical_id(allowed["Condition"]["ArnEquals"]["aws:SourceArn"]) == rule_id


def test_the_tick_comes_every_minute_and_hands_over_what_it_cannot_start(fresh: Template) -> None:
    (tick,) = fresh.of_type("AWS::Scheduler::Schedule").values()
    assert tick["ScheduleExpression"] == "rate(1 minute)"
    assert tick["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert logical_id(tick["Target"]["Arn"]) == fresh.function_id("release_due")
    assert _is_dead_letter_queue_of(fresh, tick["Target"]["DeadLetterConfig"]["Arn"], "release_due")
    assert tick["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 2}


@pytest.mark.parametrize("name", ["release_due", "record_feedback"])
def test_what_is_invoked_asynchronously_hands_over_its_failed_invocations(fresh: Template, name: str) -> None:
    configured = {
        logical_id(one["FunctionName"]): one
        for one in fresh.of_type("AWS::Lambda::EventInvokeConfig").values()
    }
    failed = configured[fresh.function_id(name)]["DestinationConfig"]["OnFailure"]["Destination"]
    assert _is_dead_letter_queue_of(fresh, failed, name)


def test_dead_letters_are_kept_for_two_weeks_and_raise_an_alarm(fresh: Template) -> None:
    alarms = fresh.of_type("AWS::CloudWatch::Alarm").values()
    watched = {
        logical_id(alarm["Dimensions"][0]["Value"]) for alarm in alarms if alarm["Namespace"] == "AWS/SQS"
    }
    queues = fresh.of_type("AWS::SQS::Queue")
    assert {id[:-8] for id in watched} == set(_dead_letter_queues(fresh).values())
    assert {queues[id]["MessageRetentionPeriod"] for id in watched} == {TWO_WEEKS}


def test_an_unknown_outcome_raises_an_alarm(fresh: Template) -> None:
    (alarm,) = [
        one for one in fresh.of_type("AWS::CloudWatch::Alarm").values() if one["Namespace"] == "Foreword"
    ]
    assert alarm["Dimensions"] == [{"Name": "service", "Value": "release_due"}]
    handler = (HERE.functions / "release_due" / "handler.py").read_text("utf-8")
    assert f'"{alarm["MetricName"]}": done.unknown' in handler, "nobody counts what the alarm watches"
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Sum", 0)
