from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreword.contracts.ses_events import Ignored, read_ses_event
from foreword.domain.feedback import Feedback, FeedbackKind
from foreword.domain.instants import parse_instant
from foreword.domain.rulebook import Channel
from foreword.domain.tags import named_by, tags_of

SET = "foreword-dev"
CUSTOMER = "kunde#42/!~"
MESSAGE = "0123456789abcdef0123456789abcdef"
SENT_AT, LATER = "2026-03-04T12:00:01.500Z", "2026-03-04T12:00:07.000Z"
# The shapes of the SES guide, where they are at hand; our own samples say the same in any checkout.
GUIDE = Path(__file__).parents[3].parent / "shared" / "data" / "payloads" / "ses_feedback.json"

STATEMENTS: dict[str, tuple[FeedbackKind, dict[str, Any], dict[str, str]]] = {
    "Send": (FeedbackKind.SENT, {"send": {}}, {}),
    "Delivery": (
        FeedbackKind.DELIVERED,
        {"delivery": {"timestamp": LATER, "recipients": ["ada@customer.example"], "smtpResponse": "250 ok"}},
        {},
    ),
    "DeliveryDelay": (
        FeedbackKind.DELAYED,
        {"deliveryDelay": {"timestamp": LATER, "delayType": "MailboxFull"}},
        {"delay_type": "MailboxFull"},
    ),
    "Bounce": (
        FeedbackKind.BOUNCED,
        {"bounce": {"timestamp": LATER, "bounceType": "Permanent", "bounceSubType": "General"}},
        {"bounce_type": "Permanent", "bounce_sub_type": "General"},
    ),
    "Complaint": (
        FeedbackKind.COMPLAINED,
        {"complaint": {"timestamp": LATER, "complaintFeedbackType": "abuse"}},
        {"complaint_type": "abuse"},
    ),
    "Open": (FeedbackKind.OPENED, {"open": {"timestamp": LATER, "ipAddress": "192.0.2.1"}}, {}),
    "Click": (FeedbackKind.CLICKED, {"click": {"timestamp": LATER, "link": "https://shop.example/?t=1"}}, {}),
    "Reject": (FeedbackKind.REJECTED, {"reject": {"reason": "Bad content"}}, {}),
    "Rendering Failure": (FeedbackKind.REJECTED, {"failure": {"errorMessage": "x"}}, {}),
    "Subscription": (
        FeedbackKind.UNSUBSCRIBED,
        {"subscription": {"timestamp": LATER, "newTopicPreferences": {"unsubscribeAll": True}}},
        {},
    ),
}


def event(kind: str, statement: dict[str, Any], **tags: list[str]) -> dict[str, Any]:
    named = {name: [value] for name, value in tags_of(CUSTOMER, MESSAGE).items()}
    return {
        "version": "0",
        "source": "aws.ses",
        "detail-type": f"Email {kind}",
        "detail": {
            "eventType": kind,
            "mail": {
                "timestamp": SENT_AT,
                "messageId": "ses-1",
                "destination": ["ada@customer.example"],
                "tags": {"ses:configuration-set": [SET], **named, **tags},
            },
            **statement,
        },
    }


@pytest.mark.parametrize("kind", STATEMENTS)
def test_every_kind_of_event_is_read_with_its_time_and_its_own_words(kind: str) -> None:
    meant, statement, details = STATEMENTS[kind]
    time = LATER if any("timestamp" in part for part in statement.values()) else SENT_AT
    assert read_ses_event(event(kind, statement), SET) == Feedback(
        meant, CUSTOMER, MESSAGE, "ses-1", parse_instant(time), time, Channel.EMAIL, details
    )


@pytest.mark.parametrize("kind", STATEMENTS)
def test_no_address_link_or_diagnostic_is_taken_over(kind: str) -> None:
    read = repr(read_ses_event(event(kind, STATEMENTS[kind][1]), SET))
    for private in ("@", "http", "192.0.2", "250 ok", "Bad content"):
        assert private not in read


def payloads() -> list[dict[str, Any]]:
    """Those of the SES guide where they are at hand, else our own."""
    if not GUIDE.exists():
        return [event(kind, statement)["detail"] for kind, (_, statement, _) in STATEMENTS.items()]
    return [entry["payload"] for entry in json.loads(GUIDE.read_text()) if "eventType" in entry["payload"]]


def test_the_payloads_of_the_guide_are_read() -> None:
    kinds = set()
    for payload in payloads():
        theirs = read_ses_event({"source": "aws.ses", "detail": payload}, "another set")
        assert theirs is Ignored.OTHER_CONFIGURATION_SET
        ours = copy.deepcopy(payload)
        ours["mail"]["tags"] = event("Send", {})["detail"]["mail"]["tags"]
        read = read_ses_event({"source": "aws.ses", "detail": ours}, SET)
        assert isinstance(read, Feedback)
        kinds.add(read.kind)
    assert kinds == set(FeedbackKind)


@pytest.mark.parametrize(
    ("change", "ignored"),
    [
        ({"source": "shop"}, Ignored.NOT_FROM_SES),
        ({"source": None}, Ignored.MALFORMED),
        ({"detail": "text"}, Ignored.MALFORMED),
        ({"detail": {"eventType": "Send"}}, Ignored.MALFORMED),
    ],
)
def test_what_is_not_of_ses_or_not_of_its_shape_is_ignored(change: dict[str, Any], ignored: Ignored) -> None:
    assert read_ses_event(event("Send", {}) | change, SET) is ignored


@pytest.mark.parametrize(
    ("tags", "ignored"),
    [
        ({"ses:configuration-set": ["other"]}, Ignored.OTHER_CONFIGURATION_SET),
        ({"ses:configuration-set": []}, Ignored.OTHER_CONFIGURATION_SET),
        ({"message_id": []}, Ignored.NOT_TAGGED),
        ({"message_id": ["x"]}, Ignored.NOT_TAGGED),
        ({"message_id": [MESSAGE, MESSAGE]}, Ignored.NOT_TAGGED),
        ({"customer_id": ["***"]}, Ignored.NOT_TAGGED),
        ({"customer_id": [""]}, Ignored.NOT_TAGGED),
        ({"customer_id": "text"}, Ignored.NOT_TAGGED),
    ],
)
def test_what_names_no_message_of_ours_is_ignored(tags: dict[str, Any], ignored: Ignored) -> None:
    assert read_ses_event(event("Send", {}, **tags), SET) is ignored


@pytest.mark.parametrize("kind", [kind for kind in STATEMENTS if kind != "Subscription"])
@pytest.mark.parametrize("odd", [None, "text", 7, []])
def test_what_is_odd_beside_the_evidence_does_not_cost_it(kind: str, odd: Any) -> None:
    everything = {part: odd for _, statement, _ in STATEMENTS.values() for part in statement}
    read = read_ses_event(event(kind, everything, odd=odd), SET)
    assert read == Feedback(
        STATEMENTS[kind][0], CUSTOMER, MESSAGE, "ses-1", parse_instant(SENT_AT), SENT_AT, Channel.EMAIL, {}
    )


@pytest.mark.parametrize("said", [None, {}, {"newTopicPreferences": {"unsubscribeAll": False}}, "text"])
def test_who_leaves_some_list_of_ses_has_not_left_ours(said: Any) -> None:
    assert read_ses_event(event("Subscription", {"subscription": said}), SET) is Ignored.NOT_USED


@pytest.mark.parametrize("to", [None, [], "ada@customer.example", ["a@b.example", "c@d.example"]])
def test_a_recipient_is_known_where_there_is_one(to: Any) -> None:
    odd = event("Bounce", STATEMENTS["Bounce"][1])
    read = read_ses_event(odd, SET)
    assert isinstance(read, Feedback)
    assert read.address == "ada@customer.example"
    odd["detail"]["mail"]["destination"] = to
    read = read_ses_event(odd, SET)
    assert isinstance(read, Feedback)
    assert read.address is None


def test_each_word_is_read_for_itself() -> None:
    bounce = {"timestamp": LATER, "bounceType": "Permanent", "bounceSubType": None, "delayType": 7}
    read = read_ses_event(event("Bounce", {"bounce": bounce, "complaint": None}), SET)
    details = {"bounce_type": "Permanent"}
    assert read == Feedback(
        FeedbackKind.BOUNCED, CUSTOMER, MESSAGE, "ses-1", parse_instant(LATER), LATER, Channel.EMAIL, details
    )


@pytest.mark.parametrize("tags", [None, "text", []])
def test_an_event_without_tags_is_nobodys(tags: Any) -> None:
    forged = event("Send", {})
    forged["detail"]["mail"]["tags"] = tags
    assert read_ses_event(forged, SET) is Ignored.OTHER_CONFIGURATION_SET


@pytest.mark.parametrize("odd", ["yesterday", "", None, 7])
def test_a_statement_without_a_time_has_that_of_its_mail_and_none_without_both(odd: Any) -> None:
    forged = event("Open", {"open": {"timestamp": odd}})
    read = read_ses_event(forged, SET)
    assert isinstance(read, Feedback)
    assert (read.occurred_at, read.occurred_at_text) == (parse_instant(SENT_AT), SENT_AT)
    forged["detail"]["mail"]["timestamp"] = odd
    assert read_ses_event(forged, SET) is Ignored.MALFORMED


def test_words_that_ses_would_not_use_are_left_out() -> None:
    forged = {"bounce": {"timestamp": LATER, "bounceType": "<b>", "bounceSubType": "ada@customer.example"}}
    read = read_ses_event(event("Bounce", forged), SET)
    assert isinstance(read, Feedback)
    assert read.details == {}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from(["source", "detail", "eventType", "mail", "tags", "messageId", "timestamp"]), json_values
)
def test_whatever_comes_in_nothing_is_raised(name: str, value: Any) -> None:
    forged = event("Delivery", STATEMENTS["Delivery"][1])
    for place in (forged, forged["detail"], forged["detail"]["mail"]):
        if name in place:
            place[name] = value
            break
    assert isinstance(read_ses_event(forged, SET), Feedback | Ignored)
    assert read_ses_event(value, SET) is Ignored.MALFORMED


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=128))
def test_any_customer_survives_its_tag(customer_id: str) -> None:
    tags = tags_of(customer_id, MESSAGE)
    assert all(char.isalnum() or char in "_-" for value in tags.values() for char in value)
    assert max(len(value) for value in tags.values()) < 256
    assert named_by(tags["message_id"], tags["customer_id"]) == (customer_id, MESSAGE)


@given(st.text(max_size=40))
def test_a_made_up_tag_names_nobody_twice(tag: str) -> None:
    named = named_by(MESSAGE, tag)
    assert named is None or tags_of(*named)["customer_id"] == tag
