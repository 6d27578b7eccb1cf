"""The volume of a day: over all customers, counted in several places that together admit exactly what they may."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreword.app.ports import OutcomeUnknown, Refused
from foreword.domain.instants import DAY, HOUR, MINUTE, SECOND, Instant, parse_instant
from foreword.domain.messages import MessageStatus
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Policy, Purpose, VolumeConstraint
from foreword.domain.volume import MOST_SHARDS, counters_of
from tests.fakes.gated import ON_EMAIL, Gated, a_named
from tests.fakes.samples import CUSTOMER, NOON, some_consents

MIDNIGHT = parse_instant("2026-03-05T00:00:00Z")
REFUSED_FOR_NOW = Refused("TooManyRequestsException", retryable=True)


def a_day_of(at_most: int, topic: str | None = "care") -> Gated:
    constraint = VolumeConstraint(topic=topic, at_most=at_most)
    gated = Gated(Policy(volume_constraints=(constraint,)))
    gated.outbox.consents[CUSTOMER] = some_consents(("any", "any", True))
    return gated


def send(gated: Gated, number: int, **changes: object) -> MessageStatus:
    message = a_named(number, gated.clock.instant, channels=ON_EMAIL, **changes)
    gated.outbox.add(replace(message, deliver_by=gated.clock.instant + DAY))
    gated.deliver(message.message_id)
    return gated.message(message.message_id).status


@given(st.integers(0, 120), st.randoms(use_true_random=False))
def test_a_day_admits_exactly_as_many_as_it_may(at_most: int, random: object) -> None:
    gated = a_day_of(at_most)
    numbers = list(range(1, at_most + 12))
    random.shuffle(numbers)  # type: ignore[attr-defined]
    ends = [send(gated, number) for number in numbers]
    assert ends.count(MessageStatus.SENT) == at_most
    reasons = {it.reason for it in gated.messages if it.status is MessageStatus.NOT_SENT}
    assert reasons == {Reason.VOLUME_REACHED}
    assert sum(gated.outbox.counted.values()) == gated.calls == at_most


@given(st.integers(0, 2000), st.integers(0, 2**32 - 1), st.integers(0, 10**6))
def test_the_counters_of_a_day_are_the_same_for_every_message(
    at_most: int, number: int, seconds: int
) -> None:
    constraint = VolumeConstraint(topic=None, at_most=at_most)
    now: Instant = NOON + seconds * SECOND
    mine = counters_of(constraint, a_named(number), now)
    theirs = counters_of(constraint, a_named(number + 1), now)
    assert set(mine) == set(theirs)
    assert sum(counter.at_most for counter in mine) == at_most
    assert len({counter.key for counter in mine}) == len(mine) <= MOST_SHARDS


@pytest.mark.parametrize(("at", "day"), [(MIDNIGHT - 1, "2026-03-04"), (MIDNIGHT, "2026-03-05")])
def test_a_day_begins_at_midnight_in_utc(at: Instant, day: str) -> None:
    counters = counters_of(VolumeConstraint(topic="care", at_most=1), a_named(1), at)
    assert [counter.day for counter in counters] == [day]


def test_the_next_day_has_its_own_volume() -> None:
    gated = a_day_of(1)
    gated.clock.instant = MIDNIGHT - SECOND
    assert [send(gated, 1), send(gated, 2)] == [MessageStatus.SENT, MessageStatus.NOT_SENT]
    gated.clock.instant = MIDNIGHT
    assert [send(gated, 3), send(gated, 4)] == [MessageStatus.SENT, MessageStatus.NOT_SENT]


def test_another_topic_is_not_counted_unless_all_are() -> None:
    for topic, second in (("care", MessageStatus.SENT), (None, MessageStatus.NOT_SENT)):
        gated = a_day_of(1, topic)
        assert send(gated, 1) is MessageStatus.SENT
        assert send(gated, 2, topic="orders", purpose=Purpose.CRITICAL) is second


@pytest.mark.parametrize(
    ("answer", "counted"),
    [
        (Refused("MessageRejected", retryable=False), 0),
        (REFUSED_FOR_NOW, 1),
        (OutcomeUnknown("ReadTimeoutError"), 1),
    ],
)
def test_a_count_is_given_back_only_when_nothing_went_out(answer: Refused, counted: int) -> None:
    gated = a_day_of(1)
    gated.mailer.answers = [answer]
    send(gated, 1)
    assert sum(gated.outbox.counted.values()) == counted


def tried_again(gated: Gated, number: int, at: Instant) -> MessageStatus:
    message_id = a_named(number).message_id
    gated.clock.instant = at
    gated.outbox.add(gated.message(message_id).ready_again(at))
    gated.deliver(message_id)
    return gated.message(message_id).status


def test_what_is_tried_again_on_its_day_is_counted_once() -> None:
    gated = a_day_of(1)
    gated.mailer.answers = [REFUSED_FOR_NOW]
    assert send(gated, 1) is MessageStatus.DEFERRED
    assert tried_again(gated, 1, NOON + HOUR) is MessageStatus.SENT
    assert sum(gated.outbox.counted.values()) == 1


def test_what_is_tried_again_on_the_next_day_is_counted_on_that_day_alone() -> None:
    gated = a_day_of(1)
    gated.clock.instant = MIDNIGHT - MINUTE
    gated.mailer.answers = [REFUSED_FOR_NOW]
    assert send(gated, 1) is MessageStatus.DEFERRED
    assert tried_again(gated, 1, MIDNIGHT) is MessageStatus.SENT
    assert +gated.outbox.counted == {"care/2026-03-05/0": 1}
    assert send(gated, 2) is MessageStatus.NOT_SENT


def test_what_is_tried_again_on_a_day_that_is_full_does_not_go_out() -> None:
    gated = a_day_of(1)
    gated.clock.instant = MIDNIGHT - MINUTE
    gated.mailer.answers = [REFUSED_FOR_NOW]
    assert send(gated, 1) is MessageStatus.DEFERRED
    gated.clock.instant = MIDNIGHT
    assert send(gated, 2) is MessageStatus.SENT
    assert tried_again(gated, 1, MIDNIGHT + MINUTE) is MessageStatus.NOT_SENT
    assert +gated.outbox.counted == {"care/2026-03-05/0": 1}
