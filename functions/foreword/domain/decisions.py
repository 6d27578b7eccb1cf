"""A decision: what a rise led to, with the signals it was made on; and the message it makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foreword.domain.instants import Instant
from foreword.domain.messages import Message, MessageStatus, look_again, message_id
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Rule


@dataclass(frozen=True, slots=True)
class Decision:
    """`reason` is None where the rule fires and its message goes on to the gates of delivery.

    `at` is the time of the rise. `signals` holds the defined values only.
    """

    customer_id: str
    rule: str
    case: str | None
    at: Instant
    episode: str
    reason: Reason | None
    signals: Mapping[str, Any]


def message_of(decision: Decision, rule: Rule, now: Instant, generation: str) -> Message:
    """The message that records this decision: READY where it fires, else at its end with its reason."""
    send = rule.sends[0]
    fires = decision.reason is None
    return Message(
        customer_id=decision.customer_id,
        message_id=message_id(decision.customer_id, decision.rule, decision.case, decision.episode, 0),
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
        deliver_by=decision.at + send.expires_after,
        generation=generation,
        signals=decision.signals,
        status=MessageStatus.READY if fires else MessageStatus.NOT_SENT,
        reason=decision.reason,
        closed_at=None if fires else now,
        due_at=look_again(now) if fires else None,
    )
