"""Of two gates that are closed at once, the earlier one of the contract gives the reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import combinations

import pytest

from foreword.domain.core import Core
from foreword.domain.facts import Fact
from foreword.domain.holds import Held, Holds
from foreword.domain.instants import DAY, HOUR, MINUTE
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.pauses import Pauses
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import (
    Channel,
    CountSignal,
    FrequencyCap,
    Mode,
    Policy,
    Purpose,
    QuietHours,
    VolumeConstraint,
)
from tests.fakes.customers import FakeClock, FakeJournal, FakeStates, admit_messages, evaluate_triggers
from tests.fakes.gated import ON_EMAIL, Gated, a_named
from tests.fakes.samples import CUSTOMER, NOON, a_change, a_profile, some_consents
from tests.reference import writing

Close = Callable[[Gated], None]
NIGHT = QuietHours(start=20 * 60, end=9 * 60)
ALL_DAY = QuietHours(start=0, end=23 * 60 + 59)
MESSAGE = a_named(1, channels=ON_EMAIL, purpose=Purpose.MARKETING, score=Decimal(5))
WINNER = a_named(2, channels=ON_EMAIL, purpose=Purpose.MARKETING, score=Decimal(9))
CLAIMED = a_named(3, channels=ON_EMAIL, purpose=Purpose.MARKETING, score=Decimal(9))


def erased(at: Gated) -> None:
    at.outbox.profiles[CUSTOMER] = replace(at.outbox.profiles[CUSTOMER], erased=True)


def paused_by_the_customer(at: Gated) -> None:
    at.outbox.consents[CUSTOMER] = at.outbox.consents[CUSTOMER].merge(
        a_change(at=NOON + 1, paused_until="2026-03-04T23:00:00Z")
    )


def no_consent(at: Gated) -> None:
    present = at.outbox.consents[CUSTOMER]
    out = some_consents(("care", "any", False)).choices
    at.outbox.consents[CUSTOMER] = replace(present, choices=out)


def suppressed(at: Gated) -> None:
    at.outbox.consents[CUSTOMER] = replace(at.outbox.consents[CUSTOMER], suppressed=frozenset({"email"}))


def no_address(at: Gated) -> None:
    erased_already = at.outbox.profiles[CUSTOMER].erased
    at.outbox.profiles[CUSTOMER] = replace(a_profile(email=None), erased=erased_already)


def held(reason: Reason) -> Close:
    def hold(at: Gated) -> None:
        one = Held(reason, frozenset({Purpose.MARKETING}), NOON + HOUR)
        at.holds = Holds((*at.holds.held_by, one))

    return hold


def with_policy(at: Gated, **changes: object) -> None:
    at.policy = at.policy.model_copy(update=changes)


def a_cap(at: Gated, at_most: int) -> None:
    """Further caps stand before the others."""
    cap = FrequencyCap(purpose=None, channel=None, at_most=at_most, within=DAY)
    with_policy(at, frequency_caps=(*at.policy.frequency_caps, cap))


def lost_arbitration(at: Gated) -> None:
    with_policy(at, frequency_caps=(FrequencyCap(purpose=None, channel=None, at_most=1, within=DAY),))
    at.decide([WINNER])


def capped(at: Gated) -> None:
    """By what went out already; where it competes too, another waits beside it under a wider cap."""
    a_cap(at, 0)


def quiet(at: Gated) -> None:
    with_policy(at, quiet_hours=ALL_DAY)


def volume_reached(at: Gated) -> None:
    with_policy(at, volume_constraints=(VolumeConstraint(topic="care", at_most=0),))


def expired(at: Gated) -> None:
    at.outbox.add(replace(at.message(MESSAGE.message_id), deliver_by=NOON))


GATES: list[tuple[Reason, Close]] = [
    (Reason.ERASED, erased),
    (Reason.PAUSED_BY_CUSTOMER, paused_by_the_customer),
    (Reason.NO_CONSENT, no_consent),
    (Reason.SUPPRESSED, suppressed),
    (Reason.NO_ADDRESS, no_address),
    (Reason.ON_HOLD, held(Reason.ON_HOLD)),
    (Reason.UNWILLING, held(Reason.UNWILLING)),
    (Reason.LOST_ARBITRATION, lost_arbitration),
    (Reason.CAPPED, capped),
    (Reason.DEFERRED_QUIET_HOURS, quiet),
    (Reason.VOLUME_REACHED, volume_reached),
    (Reason.EXPIRED, expired),
]
PAIRS = list(combinations(GATES, 2))
UNLESS_TOO_LATE = {Reason.DEFERRED_QUIET_HOURS}
"""What quiet hours defer to no purpose has expired."""


def open_to_all() -> Gated:
    at = Gated(Policy(default_timezone="Europe/Berlin"))
    at.outbox.consents[CUSTOMER] = some_consents(("care", "any", True))
    at.outbox.add(MESSAGE)
    return at


def closed_by(*gates: Close) -> Message:
    at = open_to_all()
    for gate in gates:
        gate(at)
    at.deliver(MESSAGE.message_id)
    assert at.calls == 0
    return at.message(MESSAGE.message_id)


def test_with_every_gate_open_it_is_sent() -> None:
    at = open_to_all()
    at.deliver(MESSAGE.message_id)
    assert at.message(MESSAGE.message_id).status is MessageStatus.SENT


@pytest.mark.parametrize(("reason", "gate"), GATES, ids=[reason for reason, _ in GATES])
def test_each_gate_gives_its_own_reason(reason: Reason, gate: Close) -> None:
    assert closed_by(gate).reason is reason


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=[f"{a}-{b}" for (a, _), (b, _) in PAIRS])
def test_of_two_closed_gates_the_earlier_gives_the_reason(
    first: tuple[Reason, Close], second: tuple[Reason, Close]
) -> None:
    expected = second[0] if first[0] in UNLESS_TOO_LATE and second[0] is Reason.EXPIRED else first[0]
    assert closed_by(first[1], second[1]).reason is expected


# ---- from the rise to the message

BEFORE_A_MESSAGE = [
    Reason.NOT_ELIGIBLE,
    Reason.NOT_RE_ELIGIBLE,
    Reason.SHADOW,
    Reason.HELD_OUT,
    Reason.NO_CONSENT,
]


def rise_with(closed: set[Reason]) -> Reason | None:
    """What becomes of a second firing, some days after the first, with these gates closed."""
    signals = {"n": CountSignal(of=writing.event("A"), within=HOUR)}
    written = writing.rule(
        "n >= 1",
        signals,
        eligible='profile.segment != "staff"',
        re_eligible_after="30d" if Reason.NOT_RE_ELIGIBLE in closed else "1h",
    )
    shadow = written.model_copy(update={"mode": Mode.SHADOW})
    now = Reason.SHADOW in closed
    states, journal, clock = FakeStates(), FakeJournal(), FakeClock(0)
    for day, rule in ((0, written), (3, shadow if now else written)):
        later = day > 0
        holdout = Decimal(1) if later and Reason.HELD_OUT in closed else Decimal(0)
        core = Core(writing.book(rule, holdout=holdout))
        segment = "staff" if later and Reason.NOT_ELIGIBLE in closed else "retail"
        states.profiles[writing.CUSTOMER] = replace(
            a_profile(writing.CUSTOMER, segment=segment), customer_id=writing.CUSTOMER
        )
        if later and Reason.NO_CONSENT in closed:
            states.consents[writing.CUSTOMER] = some_consents(("care", "any", False))
        at = writing.T + 900 * DAY + day * DAY
        clock.instant = at
        fact = Fact("test", str(day), "A", writing.CUSTOMER, at, at, {})
        journal.add(fact)
        admit = admit_messages(states, core.rulebook.policy)
        evaluate_triggers(core, clock, states, journal, admit=admit)(writing.CUSTOMER, [fact])
    assert len(states.messages) == 2
    return states.messages[-1].reason


def test_a_second_firing_goes_on_where_nothing_is_closed() -> None:
    assert rise_with(set()) is None


@pytest.mark.parametrize("reason", BEFORE_A_MESSAGE)
def test_each_gate_before_the_message_gives_its_own_reason(reason: Reason) -> None:
    assert rise_with({reason}) is reason


@pytest.mark.parametrize(("first", "second"), list(combinations(BEFORE_A_MESSAGE, 2)))
def test_of_two_gates_before_the_message_the_earlier_gives_the_reason(first: Reason, second: Reason) -> None:
    assert rise_with({first, second}) is first


# ---- the emergency stop stands outside the order: it is asked last, and waits as long as it may

STOPS = [
    Pauses(everything=True),
    Pauses(rules=frozenset({MESSAGE.rule})),
    Pauses(topics=frozenset({MESSAGE.topic})),
    Pauses(channels=frozenset({Channel.EMAIL.value})),
]


@pytest.mark.parametrize("stop", STOPS)
def test_what_is_paused_waits_and_goes_out_when_it_is_resumed(stop: Pauses) -> None:
    at = open_to_all()
    a_cap(at, 1)
    at.decide([WINNER])
    at.switch.paused = stop
    at.outbox.add(replace(MESSAGE, purpose=Purpose.CRITICAL))
    at.deliver(MESSAGE.message_id)
    waits = at.message(MESSAGE.message_id)
    assert (waits.status, waits.reason, at.calls) == (MessageStatus.DEFERRED, Reason.PAUSED, 0)
    assert waits.due_at == NOON + MINUTE
    at.switch.paused = Pauses()
    at.outbox.add(waits.ready_again(NOON))
    at.deliver(MESSAGE.message_id)
    assert at.message(MESSAGE.message_id).status is MessageStatus.SENT


@pytest.mark.parametrize(
    "stop",
    [Pauses(), Pauses(rules=frozenset({"other"}), topics=frozenset({"other"}), channels=frozenset({"sms"}))],
)
def test_nothing_else_is_stopped(stop: Pauses) -> None:
    at = open_to_all()
    at.switch.paused = stop
    at.deliver(MESSAGE.message_id)
    assert at.calls == 1


def test_what_is_paused_keeps_its_place_until_it_ends_as_paused_and_gives_it_back() -> None:
    at = Gated(Policy(frequency_caps=(FrequencyCap(purpose=None, channel=None, at_most=1, within=DAY),)))
    message = a_named(1, channels=ON_EMAIL, deliver_by=NOON + 3 * MINUTE)
    at.decide([message])
    at.switch.paused = Pauses(everything=True)
    while (waits := at.message(message.message_id)).status is not MessageStatus.NOT_SENT:
        assert message.message_id in at.ledger.places
        if waits.status is MessageStatus.DEFERRED:
            assert waits.due_at is not None
            # The tick comes once a minute, and seldom at the very moment.
            at.clock.instant = waits.due_at + 20_000_000
            at.outbox.add(waits.ready_again(at.clock.instant))
        at.deliver(message.message_id)
    assert at.message(message.message_id).reason is Reason.PAUSED
    assert (at.ledger.places, at.calls) == ({}, 0)
