"""The handlers of the delivery half: the shape they take and give, over moto's stores and providers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from deliver_message import handler as deliver_message
from foreword.adapters import clients
from foreword.adapters.clock import SystemClock
from foreword.adapters.customers_table import profile_write
from foreword.adapters.event_bus import entry_of
from foreword.adapters.message_items import message_from_item, message_item, message_key, new_message_write
from foreword.domain.instants import DAY, HOUR, Instant
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.outgoing import request_event
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Channel, Policy, Rulebook
from foreword.domain.tags import tags_of
from foreword.local.mends.suppressed_addresses import suppressed_addresses_are_listed
from record_feedback import handler as record_feedback
from release_due import handler as release_due
from tests.fakes.samples import CUSTOMER, a_message, a_profile
from tests.ports.conftest import aws, dynamodb

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

__all__ = ["aws", "dynamodb"]

SOURCES = Path(deliver_message.__file__).parents[1]
HANDLERS = (deliver_message, release_due, record_feedback)
ADDRESS = "ada@customer.example"
FILES = {"subject.txt": "Sorry", "email.txt": "{{ contacts }} times", "email.html": "<p>{{ contacts }}</p>"}


@pytest.fixture
def now() -> Instant:
    return SystemClock().now()


@pytest.fixture
def road(
    dynamodb: DynamoDBClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DynamoDBClient]:
    published = tmp_path / "published"
    published.mkdir()
    rulebook = Rulebook(generation="g1", rules=(), policy=Policy())
    (published / "rulebook.json").write_text(rulebook.model_dump_json())
    (published / "templates.json").write_text(json.dumps({"we-are-sorry": FILES}))
    for name, value in {
        "LAMBDA_TASK_ROOT": str(tmp_path),
        "ACTIVITY_TABLE": "activity",
        "CUSTOMERS_TABLE": "customers",
        "MESSAGES_TABLE": "messages",
        "CONSENTS_TABLE": "consents",
        "PEERS_TABLE": "peers",
        "PEERS_QUEUE_URL": boto3.client("sqs").create_queue(QueueName="peers")["QueueUrl"],
        "BUS_NAME": "foreword-dev",
        "PREFERENCES_URL": "https://links.example",
        "LINKS_SECRET": boto3.client("secretsmanager").create_secret(
            Name="links", SecretString=json.dumps({"1": "k" * 64})
        )["ARN"],
        "EMAIL_SENDER": "care@shop.example",
        "CONFIGURATION_SET": "foreword-dev",
        "SMS_SENDER_ID": "",
        "POWERTOOLS_SERVICE_NAME": "test",
        "POWERTOOLS_METRICS_NAMESPACE": "Foreword",
    }.items():
        monkeypatch.setenv(name, value)
    boto3.client("events").create_event_bus(Name="foreword-dev")
    ses = boto3.client("sesv2")
    ses.create_email_identity(EmailIdentity="shop.example")
    ses.create_configuration_set(ConfigurationSetName="foreword-dev")
    forget()
    with suppressed_addresses_are_listed([]):
        yield dynamodb
    forget()


def forget() -> None:
    """Each test is a new process, as far as the handlers know."""
    for made in (
        clients.dynamodb,
        clients.events,
        clients.sqs,
        clients.ses,
        clients.sns,
        clients.secrets,
        *lazy(),
    ):
        made.cache_clear()


def lazy() -> list[Any]:
    return [
        value for handler in HANDLERS for value in vars(handler).values() if hasattr(value, "cache_clear")
    ]


def put(client: DynamoDBClient, message: Message) -> Message:
    client.transact_write_items(TransactItems=[new_message_write("messages", message, 400 * DAY)])
    return message


def load(client: DynamoDBClient, message: Message) -> Message:
    key = message_key(message.customer_id, message.message_id)
    return message_from_item(client.get_item(TableName="messages", Key=key)["Item"])


def image(new: Message, old: Message | None = None, number: str = "1") -> dict[str, Any]:
    change: dict[str, Any] = {"SequenceNumber": number, "NewImage": message_item(new)}
    if old is not None:
        change["OldImage"] = message_item(old)
    return {"eventName": "INSERT", "dynamodb": change}


def metrics(output: str, name: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return [line for line in lines if name in line]


def test_a_ready_record_is_sent_and_its_terminal_record_announced(
    road: DynamoDBClient, now: Instant, capsys: pytest.CaptureFixture[str]
) -> None:
    message = put(road, a_message(decided_at=now, deliver_by=now + DAY))
    road.transact_write_items(TransactItems=[profile_write("customers", a_profile(version=0))])
    assert deliver_message.handle({"Records": [image(message)]}, None) == {"batchItemFailures": []}
    sent = load(road, message)
    assert (sent.status, sent.channel) == (MessageStatus.SENT, Channel.EMAIL)
    assert deliver_message.handle({"Records": [image(sent, message)]}, None) == {"batchItemFailures": []}
    output = capsys.readouterr().out
    [told] = metrics(output, "MessageOutcome")
    assert (told["reason"], told["channel"], told["MessageOutcome"]) == ("SENT", "email", [1.0])
    assert ADDRESS not in output
    assert "3 times" not in output


def test_a_record_that_fails_is_named_and_its_neighbours_go_on(
    road: DynamoDBClient, now: Instant, capsys: pytest.CaptureFixture[str]
) -> None:
    message = put(road, a_message(decided_at=now, deliver_by=now + DAY))
    spoilt = image(message, number="7")
    del spoilt["dynamodb"]["NewImage"]["status"]
    poison = a_message("c-43")
    road.put_item(TableName="messages", Item=message_key(poison.customer_id, poison.message_id))
    batch = {"Records": [spoilt, image(poison, number="8"), image(message, number="9")]}
    assert deliver_message.handle(batch, None) == {
        "batchItemFailures": [{"itemIdentifier": "8"}, {"itemIdentifier": "7"}]
    }
    assert load(road, message).reason is Reason.NO_ADDRESS


def test_the_tick_releases_and_gives_up_and_counts(
    road: DynamoDBClient, now: Instant, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting = put(road, a_message().deferred(now - 1, Reason.DEFERRED_QUIET_HOURS))
    stuck = put(road, a_message("c-43").claimed("attempt-1", Channel.SMS, now - HOUR))
    counted = release_due.handle({}, None)
    assert {name: count for name, count in counted.items() if count} == {
        "MessagesReleased": 1,
        "UnknownOutcome": 1,
    }
    assert (load(road, waiting).status, load(road, stuck).status) == (
        MessageStatus.READY,
        MessageStatus.UNKNOWN,
    )
    assert metrics(capsys.readouterr().out, "UnknownOutcome")[0]["UnknownOutcome"] == [1.0]


def feedback(message: Message, kind: str, **changes: Any) -> dict[str, Any]:
    named = tags_of(message.customer_id, message.message_id)
    tags = {"ses:configuration-set": ["foreword-dev"], **{name: [value] for name, value in named.items()}}
    mail = {
        "timestamp": "2026-03-04T12:00:00.000Z",
        "messageId": "ses-1",
        "destination": [ADDRESS],
        "tags": tags,
    }
    return {"source": "aws.ses", "detail": {"eventType": kind, "mail": mail}} | changes


def test_feedback_settles_and_all_else_is_counted_as_ignored(
    road: DynamoDBClient, now: Instant, capsys: pytest.CaptureFixture[str]
) -> None:
    calling = put(road, a_message().claimed("attempt-1", Channel.EMAIL, now))
    assert record_feedback.handle(feedback(calling, "Send"), None) == {"outcomes": ["RECORDED"]}
    assert load(road, calling).provider_message_id == "ses-1"
    assert record_feedback.handle(feedback(a_message("c-43"), "Bounce"), None) == {
        "outcomes": ["UNKNOWN_MESSAGE"]
    }
    assert record_feedback.handle(feedback(calling, "Send", source="shop"), None) == {
        "outcomes": ["NOT_FROM_SES"]
    }
    output = capsys.readouterr().out
    assert [told["reason"] for told in metrics(output, "FeedbackIgnored")] == [
        "UNKNOWN_MESSAGE",
        "NOT_FROM_SES",
    ]
    assert [told["kind"] for told in metrics(output, "FeedbackRecorded")] == ["SENT"]
    assert ADDRESS not in output
    assert CUSTOMER not in output


def test_a_task_that_the_bus_brings_back_was_accepted(road: DynamoDBClient, now: Instant) -> None:
    calling = put(road, a_message(channels=(Channel.TASK,)).claimed("attempt-1", Channel.TASK, now))
    entry = entry_of(request_event(calling, Channel.TASK, now), "foreword-dev")
    event = {"id": "7f3c", "source": entry["Source"], "detail-type": entry["DetailType"]}
    assert record_feedback.handle({**event, "detail": json.loads(entry["Detail"])}, None) == {
        "outcomes": ["RECORDED"]
    }
    settled = load(road, calling)
    assert (settled.status, settled.provider_message_id) == (MessageStatus.SENT, "7f3c")


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__name__)
def test_a_missing_variable_is_named(
    handler: Any, road: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MESSAGES_TABLE")
    with pytest.raises(Exception, match="MESSAGES_TABLE"):
        handler.handle(feedback(a_message(), "Send") | {"Records": [image(a_message())]}, None)
