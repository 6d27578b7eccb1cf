from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreword.domain.consent import Consents, allows
from foreword.domain.errors import InvalidEvent
from foreword.domain.facts import Fact
from foreword.domain.instants import DAY, HOUR
from foreword.domain.preference_changes import AtMost
from foreword.domain.rulebook import Channel, Policy, Purpose
from foreword.domain.suppression import suppression
from tests.fakes.samples import CUSTOMER, NOON, a_change, a_preference, some_consents

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


PENDING = a_change(NOON, topic="offers", channel="email", choice="in", confirmation="pending")
CONFIRMED = a_change(NOON + HOUR, topic="offers", channel="email", choice="in", confirmation="confirmed")
OUT = a_change(NOON + 2 * HOUR, topic="offers", channel="any", choice="out")
SERVICE_IS_OPT_IN = Policy(consent={Purpose.SERVICE: "opt-in"})


def after(*facts: Fact) -> Consents:
    consents = NOBODY_CHOSE
    for fact in facts:
        consents = consents.merge(fact)
    return consents


def may(consents: Consents, purpose: Purpose, policy: Policy | None = None) -> bool:
    return allows(consents, policy or Policy(), purpose, "offers", Channel.EMAIL)


def test_an_opt_in_counts_once_it_is_confirmed() -> None:
    assert not may(after(PENDING), Purpose.MARKETING)
    assert may(after(PENDING, CONFIRMED), Purpose.MARKETING)
    assert after(PENDING).unconfirmed("offers", Channel.EMAIL) is not None
    assert after(PENDING, CONFIRMED).unconfirmed("offers", Channel.EMAIL) is None


def test_an_opt_in_that_its_source_vouches_for_needs_no_confirmation() -> None:
    assert may(after(a_preference("offers", "email", "in", NOON)), Purpose.MARKETING)


def test_what_waits_for_its_confirmation_takes_no_earlier_opt_in_away() -> None:
    asked_again = a_change(
        NOON + 2 * HOUR, topic="offers", channel="email", choice="in", confirmation="pending"
    )
    assert may(after(CONFIRMED, asked_again), Purpose.MARKETING)


def test_an_opt_out_after_it_ends_the_wait_for_a_confirmation() -> None:
    consents = after(PENDING, OUT)
    assert consents.unconfirmed("offers", Channel.EMAIL) is None
    assert not may(consents, Purpose.SERVICE)


def test_where_no_opt_in_is_asked_for_an_unconfirmed_one_takes_an_opt_out_back() -> None:
    back = a_change(NOON + 3 * HOUR, topic="offers", channel="email", choice="in", confirmation="pending")
    assert may(after(OUT, back), Purpose.SERVICE)
    assert may(after(OUT, back), Purpose.CRITICAL)
    assert not may(after(OUT, back), Purpose.MARKETING)
    assert not may(after(OUT, back), Purpose.SERVICE, SERVICE_IS_OPT_IN)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_out_of_everything_is_out_of_topics_nobody_has_heard_of_yet(purpose: Purpose) -> None:
    consents = after(CONFIRMED, a_change(NOON + DAY, topic="any", channel="any", choice="out"))
    assert not may(consents, purpose)
    assert not allows(consents, Policy(), purpose, "news", Channel.SMS)
    back = consents.merge(a_preference("offers", "email", "in", NOON + 2 * DAY))
    assert may(back, purpose)
    assert not allows(back, Policy(), purpose, "news", Channel.SMS)


def test_a_pause_is_for_all_but_critical_and_ends_by_itself() -> None:
    consents = after(a_change(paused_until="2026-03-05T12:00:00Z"))
    assert consents.paused_until == NOON + DAY
    assert consents.pauses(Purpose.SERVICE, NOON + DAY - 1)
    assert consents.pauses(Purpose.MARKETING, NOON)
    assert not consents.pauses(Purpose.CRITICAL, NOON)
    assert not consents.pauses(Purpose.SERVICE, NOON + DAY)


def test_settings_are_kept_and_taken_back() -> None:
    consents = after(a_change(preferred=["sms"], at_most={"count": 2, "within": "7d"}))
    assert (consents.preferred, consents.at_most) == ((Channel.SMS,), AtMost(2, 7 * DAY))
    ended = consents.merge(a_change(NOON + 1, preferred=[], at_most=None))
    assert (ended.preferred, ended.at_most, ended.paused_until) == ((), None, None)


def test_preferred_channels_come_first_and_none_is_added() -> None:
    consents = after(a_change(preferred=["task", "sms"]))
    assert consents.in_order((Channel.EMAIL, Channel.SMS)) == (Channel.SMS, Channel.EMAIL)
    assert consents.in_order((Channel.EMAIL,)) == (Channel.EMAIL,)
    assert NOBODY_CHOSE.in_order((Channel.SMS, Channel.EMAIL)) == (Channel.SMS, Channel.EMAIL)


def test_the_basis_and_the_way_of_a_choice_are_kept_with_it() -> None:
    consents = after(a_change(topic="offers", channel="email", choice="in", basis="consent", via="import"))
    choice = consents.choice("offers", Channel.EMAIL)
    assert choice is not None
    assert (choice.basis, choice.via) == ("consent", "import")


choices = st.fixed_dictionaries(
    {
        "topic": st.sampled_from(["care", "offers"]),
        "channel": st.sampled_from(["email", "any"]),
        "choice": st.just("in"),
    },
    optional={"confirmation": st.sampled_from(["pending", "confirmed"])},
) | st.fixed_dictionaries(
    {
        "topic": st.sampled_from(["care", "offers", "any"]),
        "channel": st.sampled_from(["email", "any"]),
        "choice": st.just("out"),
    }
)
settings_ = st.fixed_dictionaries(
    {},
    optional={
        "paused_until": st.sampled_from(["2026-03-05T12:00:00Z", None]),
        "preferred": st.sampled_from([[], ["sms"], ["task", "email"]]),
        "at_most": st.sampled_from([None, {"count": 1, "within": "1d"}]),
    },
)
changes = st.tuples(
    st.integers(0, 3),
    st.builds(lambda one, more: {**one, **more}, choices, settings_) | settings_.filter(bool),
)


@given(st.lists(changes, max_size=6), st.randoms(use_true_random=False))
def test_consents_are_the_same_whatever_the_order_and_however_often(
    told: list[tuple[int, dict[str, Any]]], random: Any
) -> None:
    facts = [a_change(NOON + at, id=f"{nth}", **data) for nth, (at, data) in enumerate(told)]
    shuffled = [*facts, *facts]
    random.shuffle(shuffled)
    assert after(*facts) == after(*shuffled)
