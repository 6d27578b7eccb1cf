"""Quiet hours as the gates apply them, in every zone of the world, minute by minute around each change of its
clocks.

FOREWORD_ALL_ZONES=1 tries all zones and changes; otherwise one change in so many is tried.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreword.domain.consent import Consents
from foreword.domain.gates import SPREAD, Close, Contact, Defer, Pace, Send, judge
from foreword.domain.instants import DAY, HOUR, MINUTE, SECOND, Instant, parse_instant
from foreword.domain.ledger import Ledger
from foreword.domain.messages import Message
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import CLAIM_TO_CALL, Channel, Policy, Purpose, QuietHours
from tests.fakes.samples import CUSTOMER, a_message, a_profile

ALL = "FOREWORD_ALL_ZONES" in os.environ
ONE_IN = 1 if ALL else 50
ZONES = sorted(available_timezones() - {"localtime"})
FROM, TO = parse_instant("2025-07-01T00:00:00Z"), parse_instant("2027-07-01T00:00:00Z")
WINDOWS = (
    QuietHours(start=20 * 60, end=9 * 60),
    QuietHours(start=60, end=150),
    QuietHours(start=150, end=60),
    QuietHours(start=0, end=3 * 60),
)
"""A night, the small hours in which most clocks change, all but these, and from midnight on."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def local(zone: ZoneInfo, at: Instant) -> datetime:
    return (EPOCH + timedelta(microseconds=at)).astimezone(zone)


def inside(quiet: QuietHours, zone: ZoneInfo, at: Instant) -> bool:
    """The face of the clock, written once more."""
    time = local(zone, at)
    minute = time.hour * 60 + time.minute
    length = (quiet.end - quiet.start) % (24 * 60)
    return (minute - quiet.start) % (24 * 60) < length


@cache
def changes() -> list[tuple[str, Instant]]:
    """Every change of every zone's clocks in two years, to the minute."""
    found = []
    for name in ZONES:
        zone = ZoneInfo(name)
        for start in range(FROM, TO, 7 * DAY):
            low, high = start, start + 7 * DAY
            before = local(zone, low).utcoffset()
            if before == local(zone, high).utcoffset():
                continue
            while high - low > MINUTE:
                middle = low + (high - low) // (2 * MINUTE) * MINUTE
                low, high = (middle, high) if local(zone, middle).utcoffset() == before else (low, middle)
            found.append((name, high))
    return found


def verdict(message: Message, zone: object, policy: Policy, now: Instant, spread: int = 0) -> object:
    contact = Contact(a_profile(timezone=zone), Consents(CUSTOMER), Ledger(CUSTOMER))
    return judge(message, contact, policy, now, Pace(spread=spread))


def test_the_verdict_is_right_at_every_minute_around_every_change() -> None:
    tried = changes()[::ONE_IN]
    assert len(tried) > 500 // ONE_IN
    for number, (name, change) in enumerate(tried):
        zone = ZoneInfo(name)
        windows = WINDOWS if ALL else (WINDOWS[number % len(WINDOWS)],)
        for quiet in windows:
            policy = Policy(default_timezone="UTC", quiet_hours=quiet)
            first, last = change - 80 * MINUTE, change + 80 * MINUTE
            minutes = range(first, last + 30 * HOUR, MINUTE)
            face = [inside(quiet, zone, minute) for minute in minutes]
            end: Instant | None = None
            ends: list[Instant | None] = [None] * len(face)
            for at in range(len(face) - 1, -1, -1):
                end = end if face[at] else minutes[at]
                ends[at] = end
            for at in range((last - first) // MINUTE):
                now = minutes[at]
                message = a_message(deliver_by=now + 2 * DAY)
                expected = Send(Channel.EMAIL, "ada@customer.example")
                if face[at]:
                    until = ends[at]
                    assert until is not None
                    assert verdict(message, name, policy, now) == Defer(
                        until, Reason.DEFERRED_QUIET_HOURS, Channel.EMAIL
                    ), (name, now)
                else:
                    assert verdict(message, name, policy, now) == expected, (name, now)


near = st.sampled_from(range(0, 6 * 60)).map(lambda minute: minute * MINUTE - 3 * HOUR)
minutes = st.integers(0, 24 * 60 - 1)
windows = st.sampled_from(WINDOWS) | st.builds(QuietHours, start=minutes, end=minutes)


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, Instant]:
    if draw(st.booleans()):
        name, change = draw(st.sampled_from(changes()))
        return name, change + draw(near) + draw(st.integers(0, MINUTE - 1))
    return draw(st.sampled_from(ZONES)), draw(st.integers(FROM, TO))


@given(
    moments(),
    windows,
    st.sampled_from([MINUTE, 20 * MINUTE, 6 * HOUR, 2 * DAY]),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0, MINUTE, SPREAD, 5 * HOUR]),
)
def test_whatever_is_spread_lands_outside_quiet_hours_and_in_time(
    moment: tuple[str, Instant], quiet: QuietHours, lasts: int, number: int, spread: int
) -> None:
    name, now = moment
    zone, policy = ZoneInfo(name), Policy(default_timezone="UTC", quiet_hours=quiet)
    message = a_message(message_id=f"{number:08x}" * 4, deliver_by=now + lasts)
    answer = verdict(message, name, policy, now, spread)
    if isinstance(answer, Send):
        for wait in (0, CLAIM_TO_CALL):
            assert not inside(quiet, zone, now + wait)
        return
    assert isinstance(answer, Defer)
    assert now < answer.until <= message.deliver_by
    earliest = verdict(message, name, policy, now)
    assert isinstance(earliest, Defer)
    assert earliest.until <= answer.until <= earliest.until + spread
    if answer.until + CLAIM_TO_CALL <= message.deliver_by and earliest.until < now + 3 * DAY:
        again = verdict(message, name, policy, answer.until, spread)
        assert again == Send(Channel.EMAIL, "ada@customer.example"), "it would be deferred once more"
    elif answer.until == message.deliver_by:
        assert verdict(message, name, policy, answer.until) == Close(Reason.EXPIRED)


def test_messages_are_spread_over_the_time_after_the_night() -> None:
    evening = parse_instant("2026-03-04T22:00:00Z")
    policy = Policy(default_timezone="UTC", quiet_hours=WINDOWS[0])
    answers = [
        verdict(
            a_message(message_id=f"{number * 40_503_001 % 2**32:08x}" * 4, deliver_by=evening + DAY),
            "UTC",
            policy,
            evening,
            SPREAD,
        )
        for number in range(200)
    ]
    found = [answer.until for answer in answers if isinstance(answer, Defer)]
    nine = parse_instant("2026-03-05T09:00:00Z")
    quarters = {(until - nine) * 4 // SPREAD for until in found}
    assert quarters == {0, 1, 2, 3}


@pytest.mark.parametrize("zone", [None, "Mars/Olympus", 7, "America", "posix/Europe/Berlin"])
def test_a_zone_that_is_none_is_the_policys_own(zone: object) -> None:
    policy = Policy(default_timezone="Asia/Kathmandu", quiet_hours=WINDOWS[0])
    nine = parse_instant("2026-03-05T03:15:00Z")
    message = a_message(deliver_by=nine + DAY)
    assert verdict(message, zone, policy, nine - SECOND) == Defer(
        nine, Reason.DEFERRED_QUIET_HOURS, Channel.EMAIL
    )
    assert isinstance(verdict(message, zone, policy, nine), Send)


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("on", ["hours of its own", "no hours", "nothing of its own"])
def test_a_channel_may_have_hours_of_its_own_or_none(purpose: Purpose, on: str) -> None:
    own = {"hours of its own": {Channel.SMS: WINDOWS[3]}, "no hours": {Channel.SMS: None}}.get(on, {})
    policy = Policy(
        default_timezone="UTC",
        quiet_hours=WINDOWS[0],
        quiet_hours_on=own,
        consent={Purpose.MARKETING: "opt-out"},
    )
    for hour in range(24):
        now = parse_instant(f"2026-03-04T{hour:02}:00:00Z")
        sms = a_message(channels=(Channel.SMS,), purpose=purpose, deliver_by=now + DAY)
        night = not 9 <= hour < 20
        quiet = {"hours of its own": hour < 3, "no hours": False}.get(on, night)
        assert isinstance(verdict(sms, "UTC", policy, now), Defer) is (
            quiet and purpose is not Purpose.CRITICAL
        )
        email = a_message(channels=(Channel.EMAIL, Channel.SMS), purpose=purpose, deliver_by=now + DAY)
        deferred = isinstance(verdict(email, "UTC", policy, now), Defer)
        assert deferred is (night and purpose is not Purpose.CRITICAL), "quiet hours defer, never pass on"
