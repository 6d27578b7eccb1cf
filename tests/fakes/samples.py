"""Values that many tests need, with what a test does not care about filled in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from foreword.domain.consent import Choice, Consents
from foreword.domain.facts import CUSTOMER_UPDATED, PREFERENCE_CHANGED, Fact
from foreword.domain.instants import DAY, Instant, parse_instant
from foreword.domain.messages import Message, look_again, message_id
from foreword.domain.profiles import Profile
from foreword.domain.rulebook import Channel, Purpose

NOON: Instant = parse_instant("2026-03-04T12:00:00Z")
CUSTOMER = "c-42"


def a_message(customer_id: str = CUSTOMER, **changes: Any) -> Message:
    """READY, service, e-mail then SMS, decided at NOON, to be delivered within a day."""
    message = Message(
        customer_id=customer_id,
        message_id=message_id(customer_id, "repeated-contacts", None, "e-1", 0),
        rule="repeated-contacts",
        case=None,
        episode="e-1",
        message="we-are-sorry",
        purpose=Purpose.SERVICE,
        topic="care",
        priority=50,
        channels=(Channel.EMAIL, Channel.SMS),
        decided_for=NOON,
        decided_at=NOON,
        deliver_by=NOON + DAY,
        due_at=look_again(NOON),
        generation="g1",
        signals={"contacts": 3},
    )
    return replace(message, **changes)


def a_profile(customer_id: str = CUSTOMER, version: int = 1, **attributes: Any) -> Profile:
    """With an e-mail address, a phone number and a zone, unless said otherwise (None: not there)."""
    given: dict[str, Any] = {
        "email": "ada@customer.example",
        "phone": "+4915112345678",
        "timezone": "Europe/Berlin",
    }
    values = {name: value for name, value in (given | attributes).items() if value is not None}
    fact = Fact("crm", "profile-1", CUSTOMER_UPDATED, customer_id, NOON - DAY, NOON - DAY, values)
    return replace(Profile(customer_id).merge(fact), version=version)


def a_preference(
    topic: str, channel: str, choice: str, at: Instant, received_at: Instant | None = None
) -> Fact:
    received = at if received_at is None else received_at
    data = {"topic": topic, "channel": channel, "choice": choice}
    return Fact(
        "shop", f"preference-{at}-{received}-{choice}", PREFERENCE_CHANGED, CUSTOMER, at, received, data
    )


def a_change(at: Instant = NOON, id: str = "", **data: Any) -> Fact:
    """A PreferenceChanged with `data`; facts of different content have different ids."""
    return Fact("shop", id or f"change-{at}-{data}", PREFERENCE_CHANGED, CUSTOMER, at, at, data)


def some_consents(
    *choices: tuple[str, str, bool], version: int = 1, suppressed: tuple[str, ...] = ()
) -> Consents:
    """Choices as (topic, channel, opted in)."""
    made = {(topic, channel): Choice(chosen, (NOON, NOON, "k")) for topic, channel, chosen in choices}
    return Consents(CUSTOMER, made, frozenset(suppressed), version)
