"""Decisions and deliveries of one customer at the same time, in every order of their reads and writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from foreword.app.change_waiting import ChangeWaiting
from foreword.app.ports import Accepted, OutcomeUnknown, ProviderOutcome, Refused
from foreword.app.release_due import ReleaseDue
from foreword.domain.errors import StoreConflict
from foreword.domain.fold import CalledOff
from foreword.domain.instants import DAY, HOUR
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.rulebook import FrequencyCap, Policy, VolumeConstraint
from foreword.domain.state import NAME
from tests.fakes.customers import FakeJournal
from tests.fakes.delivery import FakeDueCustomers
from tests.fakes.gated import ON_EMAIL, Gated, a_named
from tests.fakes.samples import CUSTOMER
from tests.fakes.turns import Actor, every_order, some_orders

Act = Callable[[Gated], Actor]

FIRST = a_named(1, channels=ON_EMAIL, score=Decimal(1))
SECOND = a_named(2, channels=ON_EMAIL, score=Decimal(5))
THIRD = a_named(3, channels=ON_EMAIL, score=Decimal(9))
MAY_HAVE_GONE_OUT = (MessageStatus.CALLING, MessageStatus.SENT, MessageStatus.UNKNOWN)
REFUSED = Refused("MessageRejected", retryable=False)
FOR_NOW = Refused("TooManyRequestsException", retryable=True)


def decide(*messages: Message) -> Act:
    return lambda at: lambda store: at.decide(messages, store)


def deliver(message: Message) -> Act:
    def delivered(at: Gated) -> Actor:
        def act(store: Any) -> None:
            with suppress(StoreConflict):
                at.deliver(message.message_id, store)

        return act

    return delivered


def decide_and_deliver(message: Message) -> Act:
    def both(at: Gated) -> Actor:
        def act(store: Any) -> None:
            at.decide([message], store)
            deliver(message)(at)(store)

        return act

    return both


def call_off(message: Message) -> Act:
    def cancelled(at: Gated) -> Actor:
        called_off = [CalledOff(message.message_id[:NAME])]
        return lambda store: ChangeWaiting(store, at.clock).call_off(CUSTOMER, called_off)

    return cancelled


def one_at_a_time(at_most: int = 1, volume: int = 9) -> Policy:
    return Policy(
        frequency_caps=(FrequencyCap(purpose=None, channel=None, at_most=at_most, within=DAY),),
        volume_constraints=(VolumeConstraint(topic="care", at_most=volume),),
    )


STORIES: dict[str, tuple[Sequence[Message], Sequence[Act]]] = {
    "two decisions": ((), (decide(FIRST), decide(SECOND))),
    "two decisions of which each is delivered": ((), (decide_and_deliver(FIRST), decide_and_deliver(SECOND))),
    "one delivery twice": ((FIRST,), (deliver(FIRST), deliver(FIRST))),
    "a better one is decided while one is delivered": ((FIRST,), (deliver(FIRST), decide(SECOND))),
    "a better one goes out while one is delivered": ((FIRST,), (deliver(FIRST), decide_and_deliver(SECOND))),
    "called off while it is delivered": ((FIRST,), (deliver(FIRST), call_off(FIRST))),
    "called off while another is decided": ((SECOND,), (call_off(SECOND), decide(FIRST))),
    "called off while it is displaced": ((FIRST,), (call_off(FIRST), decide(SECOND))),
    "two that displace the same one": ((FIRST,), (decide(SECOND), decide(THIRD))),
}
ANSWERS: dict[str, ProviderOutcome] = {
    "accepts": Accepted("provider-1"),
    "refuses": REFUSED,
    "refuses for now": FOR_NOW,
    "is not heard of": OutcomeUnknown("ReadTimeoutError"),
}


def staged(policy: Policy, decided: Sequence[Message], answer: str) -> Gated:
    at = Gated(policy)
    if decided:
        at.decide(decided)
    at.mailer.answers = [ANSWERS[answer]]
    return at


def check(at: Gated) -> None:
    """No cap overrun, no place lost or leaked, at most one call for a claim, no count too many or too few."""
    cap = at.policy.frequency_caps[0]
    gone_out = {it.message_id for it in at.messages if it.status in MAY_HAVE_GONE_OUT}
    assert len(gone_out) <= cap.at_most
    claims = [it for it in at.outbox.written if it.status is MessageStatus.CALLING]
    assert at.calls <= len({it.attempt_id for it in claims}) == len(claims)
    for message in at.messages:
        place = at.ledger.places.get(message.message_id)
        assert (place is not None) is message.has_place
        if message.message_id in gone_out:
            assert place is not None
            assert place.dated == message.claimed_at
        if message.status is MessageStatus.NOT_SENT:
            assert place is None
    assert at.ledger.places.keys() <= {it.message_id for it in at.messages}
    assert len(at.ledger.places) <= cap.at_most
    counted = {key for it in at.messages if it.volume is not None for key in it.volume.split(",")}
    assert sum(at.outbox.counted.values()) == sum(it.volume is not None for it in at.messages)
    assert set(+at.outbox.counted) == counted


def to_its_end(at: Gated) -> None:
    """Streams and ticks come again until everything has ended; then nothing may be left that nobody holds."""
    tick = ReleaseDue(FakeJournal(), FakeDueCustomers(), at.outbox, at.clock)
    for _ in range(7):
        at.clock.instant += 5 * HOUR
        tick()
        for message in at.messages:
            if message.status is MessageStatus.READY:
                at.deliver(message.message_id)
        check(at)
    assert all(message.status.terminal for message in at.messages)


@pytest.mark.parametrize(
    ("story", "answer"),
    [
        (story, answer)
        for story, (_, acts) in STORIES.items()
        for answer in (ANSWERS if "deliver" in story else ("accepts",))
    ],
)
def test_two_at_once_in_every_order(story: str, answer: str) -> None:
    decided, acts = STORIES[story]
    ends: list[Gated] = []

    def stage() -> tuple[Any, list[Actor]]:
        at = staged(one_at_a_time(), decided, answer)
        ends.append(at)
        return at.outbox, [act(at) for act in acts]

    orders = 0
    for _ in every_order(stage):
        orders += 1
        check(ends[-1])
        to_its_end(ends[-1])
    assert orders >= 6


def test_of_three_decisions_at_once_the_best_stay_whoever_came_first() -> None:
    ends: list[Gated] = []

    def stage() -> tuple[Any, list[Actor]]:
        at = staged(one_at_a_time(at_most=2), (), "accepts")
        ends.append(at)
        return at.outbox, [decide(it)(at) for it in (FIRST, SECOND, THIRD)]

    for _ in some_orders(stage, 300, Random(1)):
        check(ends[-1])
        kept = {it.message for it in ends[-1].messages if it.status is MessageStatus.READY}
        assert kept == {SECOND.message, THIRD.message}


def test_the_last_of_the_volume_goes_to_one_alone() -> None:
    ends: list[Gated] = []

    def stage() -> tuple[Any, list[Actor]]:
        at = staged(one_at_a_time(at_most=5, volume=1), (FIRST, SECOND), "accepts")
        ends.append(at)
        return at.outbox, [deliver(FIRST)(at), deliver(SECOND)(at)]

    for _ in every_order(stage):
        at = ends[-1]
        assert at.calls == 1
        check(at)
