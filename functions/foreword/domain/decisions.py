"""A decision: what a rise led to, with the signals it was made on; and the messages it makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from foreword.domain.instants import Instant
from foreword.domain.messages import Message, MessageStatus, look_again, message_id
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Rule


class Decision(NamedTuple):
    """`reason` is None where the rule fires and its messages go on to the gates of delivery.

    `at` is the time of the rise; `expires_from` is where `expires_after` begins, the close for a comparison with
    peers. `signals` holds the defined values only; `sends` says which of the rule's sends have an `if` that holds.
    """

    customer_id: str
    rule: str
    case: str | None
    at: Instant
    episode: str
    reason: Reason | None
    signals: Mapping[str, Any]
    sends: tuple[int, ...]
    expires_from: Instant


def message_ids(decision: Decision) -> list[str]:
    """Of the sends that the decision makes."""
    return [_message_id(decision, send) for send in decision.sends]


def messages_of(decision: Decision, rule: Rule, now: Instant, generation: str) -> list[Message]:
    """The messages that record this decision: READY for each send where it fires, else one with its reason."""
    if decision.reason in (None, Reason.SHADOW):
        return [_message(decision, rule, send, now, generation) for send in decision.sends]
    return [_message(decision, rule, 0, now, generation)]


def _message(decision: Decision, rule: Rule, at: int, now: Instant, generation: str) -> Message:
    send = rule.sends[at]
    fires = decision.reason is None
    return Message(
        customer_id=decision.customer_id,
        message_id=_message_id(decision, at),
        rule=decision.rule,
        case=decision.case,
        episode=decision.episode,
        message=send.message,
        purpose=send.purpose,
        topic=send.topic,
        priority=send.priority,
        channels=send.channels,
        decided_for=decision.at,
        decided_at=now,
        deliver_by=decision.expires_from + send.expires_after,
        generation=generation,
        signals=decision.signals,
        status=MessageStatus.READY if fires else MessageStatus.NOT_SENT,
        reason=decision.reason,
        closed_at=None if fires else now,
        due_at=look_again(now) if fires else None,
    )


def _message_id(decision: Decision, send: int) -> str:
    return message_id(decision.customer_id, decision.rule, decision.case, decision.episode, send)
