from __future__ import annotations

from collections.abc import Callable

import pytest

from foreword.domain.instants import HOUR, MINUTE
from foreword.domain.messages import Message, message_id
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Channel
from tests.fakes.samples import NOON, a_message

CLAIMED = a_message().claimed("attempt-1", Channel.SMS, NOON)


@pytest.mark.parametrize(
    "move",
    [
        lambda message: message.claimed("attempt-2", Channel.EMAIL, NOON),
        lambda message: message.sent("ses-1", NOON),
        lambda message: message.not_sent(Reason.EXPIRED, NOON),
        lambda message: message.unknown(NOON),
        lambda message: message.deferred(NOON, Reason.DEFERRED_QUIET_HOURS),
        lambda message: message.backed_off(NOON),
        lambda message: message.ready_again(NOON),
    ],
)
def test_every_move_counts_up_the_version(move: Callable[[Message], Message]) -> None:
    assert move(CLAIMED).version == CLAIMED.version + 1


def test_a_claim_names_its_attempt_and_when_it_is_overdue() -> None:
    assert (CLAIMED.attempt_id, CLAIMED.attempts, CLAIMED.channel) == ("attempt-1", 1, Channel.SMS)
    assert (CLAIMED.claimed_at, CLAIMED.due_at) == (NOON, NOON + HOUR)


def test_the_hundredth_attempt_waits_no_longer_than_the_longest_back_off() -> None:
    patient = a_message(attempts=100, deliver_by=NOON + 1000 * HOUR)
    assert patient.backed_off(NOON).due_at == NOON + HOUR
    assert a_message(attempts=1, deliver_by=NOON + HOUR).backed_off(NOON).due_at == NOON + MINUTE


def test_the_same_reason_has_the_same_id_and_every_other_another() -> None:
    reasons = [
        ("c-1", "r", None, "e", 0),
        ("c-1", "r", "", "e", 0),
        ("c-1", "r", "k", "e", 0),
        ("c-1", "rk", None, "e", 0),
        ("c-1r", "", None, "e", 0),
        ("c-1", "r", None, "e", 1),
        ("c-2", "r", None, "e", 0),
    ]
    ids = [message_id(*reason) for reason in reasons]
    assert len(set(ids)) == len(reasons)
    assert ids == [message_id(*reason) for reason in reasons]
    assert {len(one) for one in ids} == {32}
