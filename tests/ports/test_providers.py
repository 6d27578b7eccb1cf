"""What the providers' adapters hand over, and what they make of each way in which a call may end."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from email import message_from_bytes
from email.policy import default
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sesv2.models import sesv2_backends
from moto.sns.models import sns_backends

from foreword.adapters import clients
from foreword.adapters.request_bus import RequestBus
from foreword.adapters.ses import SesMailer
from foreword.adapters.sns import SnsTexter
from foreword.app.ports import Accepted, OutcomeUnknown, ProviderCall, ProviderOutcome, Refused
from foreword.domain.content import EmailContent, SmsContent
from foreword.domain.errors import InvalidTemplate
from foreword.domain.rulebook import Channel, Purpose
from foreword.domain.senders import Sender
from foreword.domain.tags import tags_of
from tests.fakes.customers import FakeClock
from tests.fakes.samples import CUSTOMER, NOON, a_message

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient

Ending = Callable[..., Any]
"""What stands in for the network: it gives the provider's answer, or raises."""

ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})
SENDER = Sender("Grüße, Team", "care@shop.example")
CONTENT = EmailContent("Grüße", "Hallo Ada\n", "<p>Hallo Ada</p>\n")


@pytest.fixture
def ses(aws: None) -> SESV2Client:
    client: SESV2Client = boto3.client("sesv2", config=ONCE)
    client.create_email_identity(EmailIdentity="shop.example")
    client.create_configuration_set(ConfigurationSetName="foreword-dev")
    return client


@pytest.fixture
def sns(aws: None) -> SNSClient:
    client: SNSClient = boto3.client("sns", config=ONCE)
    return client


def mail(client: SESV2Client) -> ProviderCall:
    mailer = SesMailer(client, SENDER, "foreword-dev")
    return mailer.prepare(a_message(), "ada@customer.example", CONTENT, None)


def sms(client: SNSClient, text: str = "Hallo", purpose: Purpose = Purpose.SERVICE) -> ProviderCall:
    return SnsTexter(client, "Foreword").prepare(
        a_message(purpose=purpose), "+4915112345678", SmsContent(text)
    )


@pytest.fixture
def bus(aws: None) -> EventBridgeClient:
    client: EventBridgeClient = boto3.client("events", config=ONCE)
    client.create_event_bus(Name="foreword-dev")
    return client


def task(client: EventBridgeClient, **changes: Any) -> ProviderCall:
    message = a_message(channels=(Channel.TASK,), **changes)
    return RequestBus(client, "foreword-dev", FakeClock(NOON)).prepare(message, Channel.TASK)


def requests_of(client: Any, operation: str) -> list[dict[str, Any]]:
    """The parameters of every call that is made from now on."""
    seen: list[dict[str, Any]] = []

    def remember(params: dict[str, Any], **_: Any) -> None:
        seen.append(params)

    client.meta.events.register(f"provide-client-params.*.{operation}", remember)
    return seen


def test_an_email_is_accepted_with_its_parts_tags_and_one_recipient(ses: SESV2Client) -> None:
    seen = requests_of(ses, "SendEmail")
    outcome = mail(ses)()
    assert isinstance(outcome, Accepted)
    [request] = seen
    assert request["Destination"] == {"ToAddresses": ["ada@customer.example"]}
    assert request["ConfigurationSetName"] == "foreword-dev"
    assert {tag["Name"]: tag["Value"] for tag in request["EmailTags"]} == tags_of(
        CUSTOMER, a_message().message_id
    )
    sent = message_from_bytes(request["Content"]["Raw"]["Data"], policy=default)
    assert (sent["To"], sent["Subject"]) == ("ada@customer.example", "Grüße")
    assert request["FromEmailAddress"] == "care@shop.example"
    [author] = sent["From"].addresses
    assert (author.display_name, author.addr_spec) == ("Grüße, Team", "care@shop.example")
    assert len(sesv2_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"].core_backend.sent_messages) == 1


def test_an_sms_is_accepted_with_sender_and_kind(sns: SNSClient) -> None:
    seen = requests_of(sns, "Publish")
    assert isinstance(sms(sns)(), Accepted)
    assert isinstance(sms(sns, purpose=Purpose.MARKETING)(), Accepted)
    kinds = [request["MessageAttributes"]["AWS.SNS.SMS.SMSType"]["StringValue"] for request in seen]
    assert kinds == ["Transactional", "Promotional"]
    assert seen[0]["MessageAttributes"]["AWS.SNS.SMS.SenderID"]["StringValue"] == "Foreword"
    assert (seen[0]["PhoneNumber"], seen[0]["Message"]) == ("+4915112345678", "Hallo")
    assert len(sns_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"].sms_messages) == 2


def test_without_a_sender_id_sns_chooses(sns: SNSClient) -> None:
    seen = requests_of(sns, "Publish")
    SnsTexter(sns, "").prepare(a_message(), "+4915112345678", SmsContent("Hallo"))()
    assert list(seen[0]["MessageAttributes"]) == ["AWS.SNS.SMS.SMSType"]


@pytest.mark.parametrize("text", ["", "\x00", "x" * 1601])
def test_a_text_that_sns_would_refuse_is_refused_before_any_claim(sns: SNSClient, text: str) -> None:
    with pytest.raises(InvalidTemplate):
        sms(sns, text)


def test_an_address_that_fits_no_mail_is_refused_before_any_claim(ses: SESV2Client) -> None:
    with pytest.raises(InvalidTemplate):
        SesMailer(ses, SENDER, "foreword-dev").prepare(a_message(), "not an address", CONTENT, None)


def test_a_task_is_put_on_the_bus_with_all_that_is_known_of_it_and_no_address(bus: EventBridgeClient) -> None:
    seen = requests_of(bus, "PutEvents")
    outcome = task(bus, case="order-7", signals={"share": Decimal("0.50")})()
    assert isinstance(outcome, Accepted)
    assert outcome.provider_message_id
    [entry] = seen[0]["Entries"]
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == (
        "foreword-dev",
        "foreword",
        "TaskRequested",
    )
    message_id = a_message().message_id
    assert json.loads(entry["Detail"]) == {
        "id": f"{message_id}/requested",
        "customer_id": CUSTOMER,
        "occurred_at": "2026-03-04T12:00:00Z",
        "data": {
            "message_id": message_id,
            "rule": "repeated-contacts",
            "message": "we-are-sorry",
            "channel": "task",
            "case": "order-7",
            "topic": "care",
            "priority": 50,
            "signals": {"share": 0.5},
        },
    }
    assert '"share":0.50' in entry["Detail"]


def answer(status: int, body: bytes) -> Ending:
    class Raw:
        def stream(self, **_: Any) -> list[bytes]:
            return [body]

    def respond(request: Any, **_: Any) -> AWSResponse:
        return AWSResponse(request.url, status, HTTPHeaders(), Raw())

    return respond


def failing(error: Exception) -> Ending:
    def fail(**_: Any) -> AWSResponse:
        raise error

    return fail


ENDINGS: list[tuple[Ending, ProviderOutcome]] = [
    (answer(400, b'{"__type": "MessageRejected"}'), Refused("MessageRejected", retryable=False)),
    (
        answer(429, b'{"__type": "TooManyRequestsException"}'),
        Refused("TooManyRequestsException", retryable=True),
    ),
    (answer(500, b'{"__type": "InternalFailure"}'), OutcomeUnknown("InternalFailure")),
    (answer(503, b"<html>busy</html>"), OutcomeUnknown("503")),
    (answer(200, b"<html>not json</html>"), OutcomeUnknown("NoMessageId")),
    (answer(200, b"{}"), OutcomeUnknown("NoMessageId")),
    (failing(ReadTimeoutError(endpoint_url="ses")), OutcomeUnknown("ReadTimeoutError")),
    (failing(ConnectTimeoutError(endpoint_url="ses")), Refused("ConnectTimeoutError", retryable=True)),
]


@pytest.mark.parametrize(("ending", "outcome"), ENDINGS)
def test_each_ending_of_a_call_is_told_apart_and_none_is_called_again(
    ses: SESV2Client, ending: Ending, outcome: ProviderOutcome
) -> None:
    calls: list[int] = []

    def count(**_: Any) -> None:
        calls.append(1)

    ses.meta.events.register_first("before-send.sesv2.SendEmail", count)
    ses.meta.events.register_first("before-send.sesv2.SendEmail", ending)
    got = mail(ses)()
    assert type(got) is type(outcome)
    assert got == outcome
    assert len(calls) <= 1


def refusing(code: str) -> Ending:
    entry = {"ErrorCode": code, "ErrorMessage": "no"}
    return answer(200, json.dumps({"FailedEntryCount": 1, "Entries": [entry]}).encode())


TASK_ENDINGS: list[tuple[Ending, ProviderOutcome]] = [
    (refusing("ThrottlingException"), Refused("ThrottlingException", retryable=True)),
    (refusing("InternalFailure"), Refused("InternalFailure", retryable=True)),
    (refusing("AccessDeniedException"), Refused("AccessDeniedException", retryable=True)),
    (refusing("MalformedDetail"), Refused("MalformedDetail", retryable=False)),
    (
        answer(400, b'{"__type": "ThrottlingException"}'),
        Refused("ThrottlingException", retryable=True),
    ),
    (
        answer(400, b'{"__type": "ValidationException"}'),
        Refused("ValidationException", retryable=False),
    ),
    (answer(500, b'{"__type": "InternalException"}'), OutcomeUnknown("InternalException")),
    (answer(200, b'{"FailedEntryCount": 0, "Entries": [{}]}'), OutcomeUnknown("NoEventId")),
    (answer(200, b"{}"), OutcomeUnknown("NoEntry")),
    (failing(ReadTimeoutError(endpoint_url="events")), OutcomeUnknown("ReadTimeoutError")),
    (failing(ConnectTimeoutError(endpoint_url="events")), Refused("ConnectTimeoutError", retryable=True)),
]


@pytest.mark.parametrize(("ending", "outcome"), TASK_ENDINGS)
def test_a_task_that_the_bus_certainly_did_not_take_is_told_from_one_that_it_may_have_taken(
    bus: EventBridgeClient, ending: Ending, outcome: ProviderOutcome
) -> None:
    calls: list[int] = []

    def count(**_: Any) -> None:
        calls.append(1)

    bus.meta.events.register_first("before-send.events.PutEvents", count)
    bus.meta.events.register_first("before-send.events.PutEvents", ending)
    assert task(bus)() == outcome
    assert len(calls) <= 1


def test_the_wired_providers_retry_nothing(aws: None) -> None:
    providers = (clients.ses, clients.sns, clients.request_events)
    for client in (one.__wrapped__() for one in providers):
        config: Any = client.meta.config
        assert config.retries["total_max_attempts"] == 1
