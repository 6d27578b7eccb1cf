from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from foreword.domain.consent import Consents
from foreword.domain.gates import Close, Contact, Defer, Pace, Send, Verdict, judge
from foreword.domain.instants import DAY, HOUR, MINUTE, SECOND, Instant, parse_instant
from foreword.domain.ledger import Ledger
from foreword.domain.messages import Message
from foreword.domain.profiles import Profile
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import CLAIM_TO_CALL, Channel, Policy, Purpose, QuietHours
from foreword.domain.suppression import suppression
from tests.fakes.samples import CUSTOMER, NOON, a_change, a_message, a_profile, some_consents

POLICY = Policy(default_timezone="Europe/Berlin", quiet_hours=QuietHours(start=20 * 60, end=9 * 60))
EVENING = parse_instant("2026-03-04T20:00:00Z")
NINE_NEXT_DAY = parse_instant("2026-03-05T08:00:00Z")
NOBODY_CHOSE = Consents(CUSTOMER)
EMAIL = Send(Channel.EMAIL, "ada@customer.example")
SMS = Send(Channel.SMS, "+4915112345678")
TASK = Send(Channel.TASK, None)


def verdict_on(
    message: Message, profile: Profile, consents: Consents, policy: Policy, now: Instant
) -> Verdict:
    """Of a customer with nothing in the ledger, no spread after quiet hours, whatever channel waits for them."""
    verdict = judge(message, Contact(profile, consents, Ledger(CUSTOMER)), policy, now, Pace(spread=0))
    return replace(verdict, channel=None) if isinstance(verdict, Defer) else verdict


def test_the_preferred_channel_is_taken_with_the_profiles_address() -> None:
    assert verdict_on(a_message(), a_profile(), NOBODY_CHOSE, POLICY, NOON) == EMAIL


@pytest.mark.parametrize(
    ("profile", "consents"),
    [
        ({}, some_consents(("care", "email", False))),
        ({}, some_consents(suppressed=(suppression(CUSTOMER, Channel.EMAIL, "ada@customer.example"),))),
        ({}, some_consents(suppressed=("email",))),
        ({"email": None}, NOBODY_CHOSE),
        ({"email": "not an address"}, NOBODY_CHOSE),
    ],
)
def test_a_closed_channel_passes_on_to_the_next(profile: dict[str, Any], consents: Consents) -> None:
    assert verdict_on(a_message(), a_profile(**profile), consents, POLICY, NOON) == SMS


@pytest.mark.parametrize(
    ("profile", "consents", "reason"),
    [
        ({"email": None, "phone": "0151 123"}, NOBODY_CHOSE, Reason.NO_ADDRESS),
        ({}, some_consents(("care", "any", False)), Reason.NO_CONSENT),
        ({}, some_consents(suppressed=("sms", "email")), Reason.SUPPRESSED),
        ({"email": None}, some_consents(("care", "sms", False)), Reason.NO_ADDRESS),
    ],
)
def test_when_all_channels_are_closed_the_preferred_ones_reason_stands(
    profile: dict[str, Any], consents: Consents, reason: Reason
) -> None:
    assert verdict_on(a_message(), a_profile(**profile), consents, POLICY, NOON) == Close(reason)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_pause_of_the_customer_s_own_closes_all_but_critical_until_it_is_over(purpose: Purpose) -> None:
    paused = some_consents(("care", "any", True)).merge(a_change(paused_until="2026-03-04T13:00:00Z"))
    message = a_message(purpose=purpose)
    closed = Close(Reason.PAUSED_BY_CUSTOMER)
    expected = EMAIL if purpose is Purpose.CRITICAL else closed
    assert verdict_on(message, a_profile(), paused, POLICY, NOON) == expected
    assert verdict_on(message, a_profile(), paused, POLICY, NOON + HOUR) == EMAIL


def test_a_pause_does_not_open_what_a_critical_message_was_opted_out_of() -> None:
    paused = some_consents(("care", "any", False)).merge(a_change(paused_until="2026-03-04T13:00:00Z"))
    critical = a_message(purpose=Purpose.CRITICAL)
    assert verdict_on(critical, a_profile(), paused, POLICY, NOON) == Close(Reason.NO_CONSENT)


def test_the_channel_that_the_customer_prefers_is_tried_first_and_none_is_added() -> None:
    prefers = NOBODY_CHOSE.merge(a_change(preferred=["task", "sms"]))
    assert verdict_on(a_message(), a_profile(), prefers, POLICY, NOON) == SMS
    assert verdict_on(a_message(), a_profile(phone=None), prefers, POLICY, NOON) == EMAIL
    by_email = a_message(channels=(Channel.EMAIL,))
    assert verdict_on(by_email, a_profile(), prefers, POLICY, NOON) == EMAIL


def test_without_consent_it_is_not_asked_for_an_address() -> None:
    out = some_consents(("care", "any", False))
    assert verdict_on(a_message(), a_profile(email=None, phone=None), out, POLICY, NOON) == Close(
        Reason.NO_CONSENT
    )


def test_a_customer_without_a_profile_has_no_address() -> None:
    nobody = replace(a_profile(), attributes={}, version=0)
    assert verdict_on(a_message(), nobody, NOBODY_CHOSE, POLICY, NOON) == Close(Reason.NO_ADDRESS)


def test_a_task_needs_no_address() -> None:
    nobody = replace(a_profile(), attributes={}, version=0)
    task = a_message(channels=(Channel.TASK,))
    assert verdict_on(task, nobody, NOBODY_CHOSE, POLICY, NOON) == TASK
    last_resort = a_message(channels=(Channel.EMAIL, Channel.TASK))
    assert verdict_on(last_resort, nobody, NOBODY_CHOSE, POLICY, NOON) == TASK


@pytest.mark.parametrize(
    ("consents", "reason"),
    [
        (some_consents(("care", "task", False)), Reason.NO_CONSENT),
        (some_consents(("care", "any", False)), Reason.NO_CONSENT),
        (some_consents(suppressed=("task",)), Reason.SUPPRESSED),
    ],
)
def test_a_task_is_held_to_consent_like_any_other_channel(consents: Consents, reason: Reason) -> None:
    task = a_message(channels=(Channel.TASK,))
    assert verdict_on(task, a_profile(), consents, POLICY, NOON) == Close(reason)
    marketing = a_message(channels=(Channel.TASK,), purpose=Purpose.MARKETING)
    assert verdict_on(marketing, a_profile(), NOBODY_CHOSE, POLICY, NOON) == Close(Reason.NO_CONSENT)


def test_nobody_is_to_be_telephoned_in_quiet_hours() -> None:
    task = a_message(channels=(Channel.TASK,), deliver_by=EVENING + DAY)
    verdict = verdict_on(task, a_profile(), NOBODY_CHOSE, POLICY, EVENING)
    assert verdict == Defer(NINE_NEXT_DAY, Reason.DEFERRED_QUIET_HOURS)


def test_an_erased_customer_is_not_written_to() -> None:
    assert verdict_on(a_message(), replace(a_profile(), erased=True), NOBODY_CHOSE, POLICY, NOON) == Close(
        Reason.ERASED
    )


def test_quiet_hours_defer_to_their_end_in_the_customers_zone() -> None:
    message = a_message(deliver_by=EVENING + DAY)
    berlin = verdict_on(message, a_profile(), NOBODY_CHOSE, POLICY, EVENING)
    assert berlin == Defer(NINE_NEXT_DAY, Reason.DEFERRED_QUIET_HOURS)
    new_york = verdict_on(message, a_profile(timezone="America/New_York"), NOBODY_CHOSE, POLICY, EVENING)
    assert new_york == EMAIL


@pytest.mark.parametrize("zone", [None, "Mars/Olympus", 3])
def test_an_unknown_zone_is_never_send_now(zone: object) -> None:
    verdict = verdict_on(
        a_message(deliver_by=EVENING + DAY), a_profile(timezone=zone), NOBODY_CHOSE, POLICY, EVENING
    )
    assert verdict == Defer(NINE_NEXT_DAY, Reason.DEFERRED_QUIET_HOURS)


def test_critical_passes_quiet_hours_but_not_an_opt_out() -> None:
    message = a_message(purpose=Purpose.CRITICAL, deliver_by=EVENING + DAY)
    assert verdict_on(message, a_profile(), NOBODY_CHOSE, POLICY, EVENING) == EMAIL
    out = some_consents(("care", "any", False))
    assert verdict_on(message, a_profile(), out, POLICY, EVENING) == Close(Reason.NO_CONSENT)


def test_a_call_that_could_start_in_quiet_hours_is_deferred() -> None:
    eight = parse_instant("2026-03-04T19:00:00Z")
    message = a_message(deliver_by=eight + DAY)
    assert verdict_on(message, a_profile(), NOBODY_CHOSE, POLICY, eight - CLAIM_TO_CALL - 1) == EMAIL
    verdict = verdict_on(message, a_profile(), NOBODY_CHOSE, POLICY, eight - CLAIM_TO_CALL)
    assert verdict == Defer(NINE_NEXT_DAY, Reason.DEFERRED_QUIET_HOURS)


def test_a_call_that_could_start_after_expiry_is_not_made() -> None:
    message = a_message(deliver_by=NOON + CLAIM_TO_CALL)
    assert verdict_on(message, a_profile(), NOBODY_CHOSE, POLICY, NOON) == EMAIL
    assert verdict_on(message, a_profile(), NOBODY_CHOSE, POLICY, NOON + 1) == Close(Reason.EXPIRED)


def test_a_deferral_never_goes_beyond_expiry_and_ends_as_expired_there() -> None:
    message = a_message(deliver_by=EVENING + HOUR)
    verdict = verdict_on(message, a_profile(), NOBODY_CHOSE, POLICY, EVENING)
    assert verdict == Defer(EVENING + HOUR, Reason.DEFERRED_QUIET_HOURS)
    for due in (EVENING + HOUR, EVENING + HOUR + 3 * MINUTE, EVENING + HOUR - SECOND):
        assert verdict_on(message, a_profile(), NOBODY_CHOSE, POLICY, due) == Close(Reason.EXPIRED)


def test_no_quiet_hours_in_the_policy_means_none() -> None:
    assert (
        verdict_on(a_message(deliver_by=EVENING + DAY), a_profile(), NOBODY_CHOSE, Policy(), EVENING) == EMAIL
    )
