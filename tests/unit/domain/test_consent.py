from __future__ import annotations

from itertools import permutations

import pytest

from foreword.domain.consent import Consents, allows
from foreword.domain.errors import InvalidEvent
from foreword.domain.facts import Fact
from foreword.domain.instants import HOUR
from foreword.domain.rulebook import Channel, Policy, Purpose
from foreword.domain.suppression import suppression
from tests.fakes.samples import CUSTOMER, NOON, a_preference, some_consents

NOBODY_CHOSE = Consents(CUSTOMER)


@pytest.mark.parametrize(
    ("purpose", "allowed"), [(Purpose.MARKETING, False), (Purpose.SERVICE, True), (Purpose.CRITICAL, True)]
)
def test_without_a_record_marketing_is_no_and_everything_else_is_yes(purpose: Purpose, allowed: bool) -> None:
    assert allows(NOBODY_CHOSE, Policy(), purpose, "care", Channel.EMAIL) is allowed


def test_a_policy_may_ask_for_opt_in_to_service_but_never_to_critical() -> None:
    policy = Policy(consent={Purpose.SERVICE: "opt-in", Purpose.CRITICAL: "opt-in"})
    assert not allows(NOBODY_CHOSE, policy, Purpose.SERVICE, "care", Channel.EMAIL)
    assert allows(NOBODY_CHOSE, policy, Purpose.CRITICAL, "care", Channel.EMAIL)
    assert not allows(NOBODY_CHOSE, policy, Purpose.MARKETING, "care", Channel.EMAIL)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_an_opt_out_stops_every_purpose(purpose: Purpose) -> None:
    consents = some_consents(("care", "email", False))
    assert not allows(consents, Policy(), purpose, "care", Channel.EMAIL)


def test_a_choice_is_for_its_topic_and_channel_alone() -> None:
    consents = some_consents(("offers", "email", True))
    assert allows(consents, Policy(), Purpose.MARKETING, "offers", Channel.EMAIL)
    assert not allows(consents, Policy(), Purpose.MARKETING, "offers", Channel.SMS)
    assert not allows(consents, Policy(), Purpose.MARKETING, "news", Channel.EMAIL)


def test_the_later_of_a_channels_and_a_topics_choice_counts() -> None:
    in_by_email = a_preference("offers", "email", "in", NOON)
    out_of_all = a_preference("offers", "any", "out", NOON + HOUR)
    in_again = a_preference("offers", "email", "in", NOON + 2 * HOUR)
    out = NOBODY_CHOSE.merge(in_by_email).merge(out_of_all)
    back = out.merge(in_again)
    assert not allows(out, Policy(), Purpose.MARKETING, "offers", Channel.EMAIL)
    assert allows(back, Policy(), Purpose.MARKETING, "offers", Channel.EMAIL)
    assert not allows(back, Policy(), Purpose.MARKETING, "offers", Channel.SMS)


def test_the_order_of_arrival_does_not_matter() -> None:
    facts = [
        a_preference("care", "email", "out", NOON),
        a_preference("care", "email", "in", NOON + HOUR),
        a_preference("care", "email", "out", NOON + HOUR, received_at=NOON + 2 * HOUR),
        a_preference("care", "any", "in", NOON - HOUR),
    ]
    ends = set()
    for order in permutations(facts):
        consents = NOBODY_CHOSE
        for fact in order:
            consents = consents.merge(fact)
        ends.add(tuple(sorted((key, choice.opted_in) for key, choice in consents.choices.items())))
    assert ends == {((("care", "any"), True), (("care", "email"), False))}


def test_a_merge_keeps_version_and_suppressions() -> None:
    consents = some_consents(version=7, suppressed=("sms",))
    merged = consents.merge(a_preference("care", "email", "out", NOON))
    assert (merged.version, merged.suppressed) == (7, frozenset({"sms"}))


def test_suppression_is_of_a_whole_channel_or_of_an_address_in_any_case() -> None:
    entry = suppression(CUSTOMER, Channel.EMAIL, "Ada@Customer.example")
    consents = some_consents(suppressed=("sms", entry))
    assert "customer" not in entry.casefold()
    assert consents.suppresses(Channel.SMS, "+4915112345678")
    assert consents.suppresses(Channel.SMS, None)
    assert consents.suppresses(Channel.EMAIL, "ada@customer.EXAMPLE")
    assert not consents.suppresses(Channel.EMAIL, "bob@customer.example")


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ({"channel": "email", "choice": "in"}, "data.topic"),
        ({"topic": "", "channel": "email", "choice": "in"}, "data.topic"),
        ({"topic": "care", "channel": "fax", "choice": "in"}, "data.channel"),
        ({"topic": "care", "channel": ["email"], "choice": "in"}, "data.channel"),
        ({"topic": "care", "channel": "email", "choice": True}, "data.choice"),
    ],
)
def test_a_preference_that_says_nothing_is_refused_by_field(data: dict[str, object], names: str) -> None:
    fact = Fact("shop", "p", "PreferenceChanged", CUSTOMER, NOON, NOON, data)
    with pytest.raises(InvalidEvent, match=names):
        NOBODY_CHOSE.merge(fact)
