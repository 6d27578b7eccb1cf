from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreword.contracts.log_events import is_log_event
from foreword.contracts.sms_replies import is_notification, read_replies
from foreword.contracts.sms_status import read_sms_statuses
from foreword.domain.feedback import FeedbackKind
from foreword.domain.instants import parse_instant

NUMBER = "+4915112345678"
AT = "2026-03-04T12:00:02.500Z"
GROUP = "sns/eu-central-1/123456789012/DirectPublishToPhoneNumber"
SUCCESS = "Message has been accepted by phone carrier"


def status(response: str = SUCCESS, result: str = "SUCCESS", **changes: Any) -> dict[str, Any]:
    """As SNS's guide shows it."""
    return {
        "notification": {
            "messageId": "34d9b400-c6dd-5444-820d-fbeb0f1f54cf",
            "timestamp": "2026-03-04 12:00:01.558",
        },
        "delivery": {
            "phoneCarrier": "My Phone Carrier",
            "mnc": 270,
            "destination": NUMBER,
            "priceInUSD": 0.00645,
            "smsType": "Transactional",
            "mcc": 310,
            "providerResponse": response,
            "dwellTimeMs": 599,
            "dwellTimeMsUntilDeviceAck": 1344,
        },
        "status": result,
    } | changes


def logged(*lines: Any, group: str = GROUP, kind: str = "DATA_MESSAGE") -> dict[str, Any]:
    at = parse_instant(AT) // 1000
    events = [{"id": str(nth), "timestamp": at, "message": line} for nth, line in enumerate(lines)]
    body = {"messageType": kind, "owner": "123456789012", "logGroup": group, "logEvents": events}
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(body).encode())).decode()}}


def test_what_was_delivered_is_told_under_the_providers_id_and_at_the_time_of_the_log() -> None:
    (read,) = read_sms_statuses(logged(json.dumps(status())))
    told = read.about("c-42", "0" * 32)
    assert (told.kind, told.provider_message_id) == (
        FeedbackKind.DELIVERED,
        "34d9b400-c6dd-5444-820d-fbeb0f1f54cf",
    )
    assert (told.occurred_at, told.details, told.address) == (parse_instant(AT), {}, NUMBER)
    assert NUMBER not in repr(told)


@pytest.mark.parametrize(
    ("response", "kind", "sub_kind"),
    [
        ("Phone number is opted out", "Permanent", "OptedOut"),
        ("Invalid phone number", "Permanent", "InvalidNumber"),
        ("Phone has blocked SMS", "Permanent", "Blocked"),
        ("Phone is on a blocked list", "Permanent", "Blocked"),
        ("Phone is currently unreachable/unavailable", "Transient", "Unreachable"),
        ("Phone carrier is currently unreachable/unavailable", "Transient", "Unreachable"),
        ("Phone carrier has blocked this message", "Undetermined", "CarrierBlocked"),
        ("Unknown error attempting to reach phone", "Undetermined", "Unknown"),
        ("", "Undetermined", "Unknown"),
    ],
)
def test_only_what_never_changes_is_a_permanent_failure(response: str, kind: str, sub_kind: str) -> None:
    (read,) = read_sms_statuses(logged(json.dumps(status(response, "FAILURE")), group=f"{GROUP}/Failure"))
    told = read.about("c-42", "0" * 32)
    assert told.kind is FeedbackKind.BOUNCED
    assert told.details == {"bounce_type": kind, "bounce_sub_type": sub_kind}
    assert told.proves_non_delivery is (kind == "Permanent")


def test_a_line_that_is_no_status_does_not_cost_its_neighbours() -> None:
    lines = ["not JSON", "[]", json.dumps(status(status="ODD")), json.dumps(status())]
    assert len(read_sms_statuses(logged(*lines))) == 1


def test_other_groups_and_control_messages_say_nothing() -> None:
    assert not read_sms_statuses(logged(json.dumps(status()), group="/aws/lambda/other"))
    assert not read_sms_statuses(logged("CWL CONTROL MESSAGE", kind="CONTROL_MESSAGE"))


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: base64.b64encode(raw).decode()))
def test_whatever_is_packed_nothing_is_raised(data: str) -> None:
    event = {"awslogs": {"data": data}}
    assert is_log_event(event)
    assert read_sms_statuses(event) == []


def notified(message: str, **changes: Any) -> dict[str, Any]:
    sns = {"Type": "Notification", "Message": message, "Timestamp": AT}
    return {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": sns} | changes]}


def test_a_reply_is_read_and_its_words_are_shown_to_nobody() -> None:
    said = {
        "originationNumber": NUMBER,
        "destinationNumber": "+4915735983048",
        "messageKeyword": "KEYWORD_123456789012",
        "messageBody": "Stopp bitte",
        "inboundMessageId": "cae173d2-66b9-564c-8309-21f858e9fb84",
        "previousPublishedMessageId": "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY",
    }
    event = notified(json.dumps(said))
    assert is_notification(event)
    (reply,) = read_replies(event)
    assert (reply.id, reply.number, reply.text) == (said["inboundMessageId"], NUMBER, "Stopp bitte")
    assert reply.occurred_at == parse_instant(AT)
    assert NUMBER not in repr(reply)
    assert "Stopp" not in repr(reply)


@pytest.mark.parametrize("message", ["", "[]", "{}", json.dumps({"originationNumber": 7}), "no JSON"])
def test_a_notification_that_is_no_reply_is_left_out(message: str) -> None:
    assert read_replies(notified(message)) == []
    assert read_replies(notified(message, Sns=None)) == []


@pytest.mark.parametrize("event", [{}, {"Records": [{"eventSource": "aws:sqs"}]}, {"Records": 7}, []])
def test_only_notifications_are_taken_for_notifications(event: Any) -> None:
    assert not is_notification(event)
