"""What Foreword puts on the bus: the envelope, a task for another service, and the outcome of a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from foreword.domain.facts import OUTBOUND_REQUESTED, TASK_REQUESTED
from foreword.domain.instants import Instant
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.rulebook import Channel


@dataclass(frozen=True, slots=True)
class OutgoingEvent:
    """An event with source "foreword"; the same happening always has the same `id`."""

    type: str
    id: str
    customer_id: str
    occurred_at: Instant
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The terminal state of one message, as much of it as the world may know: no address, no content.

    `again`: it was sent by another channel before, and did not arrive.
    """

    customer_id: str
    message_id: str
    rule: str
    message: str
    case: str | None
    channel: str | None
    status: MessageStatus
    reason: str | None
    closed_at: Instant
    again: bool = False


_EVENTS = {
    MessageStatus.SENT: ("MessageSent", "sent"),
    MessageStatus.NOT_SENT: ("MessageSkipped", "skipped"),
    MessageStatus.UNKNOWN: ("MessageOutcomeUnknown", "unknown"),
}


def outcome_event(outcome: Outcome) -> OutgoingEvent:
    """MessageSent, MessageSkipped (with its reason) or MessageOutcomeUnknown; the status must be terminal."""
    event_type, suffix = _EVENTS[outcome.status]
    reason = outcome.reason if outcome.status is MessageStatus.NOT_SENT else None
    return OutgoingEvent(
        type=event_type,
        id=f"{outcome.message_id}/{suffix}{f'/{outcome.channel}' if outcome.again else ''}",
        customer_id=outcome.customer_id,
        occurred_at=outcome.closed_at,
        data={
            **about_message(outcome.message_id, outcome.rule, outcome.message, outcome.channel, outcome.case)
        }
        | ({} if reason is None else {"reason": reason}),
    )


_REQUESTS = {Channel.TASK: (TASK_REQUESTED, "requested"), Channel.OUTBOUND: (OUTBOUND_REQUESTED, "outbound")}


def request_event(message: Message, channel: Channel, now: Instant) -> OutgoingEvent:
    """What is asked of a person or service of our own, in the message's name. The same one has the same id."""
    event_type, suffix = _REQUESTS[channel]
    told = about_message(message.message_id, message.rule, message.message, channel, message.case)
    variant = {} if message.variant is None else {"variant": message.variant}
    return OutgoingEvent(
        type=event_type,
        id=f"{message.message_id}/{suffix}",
        customer_id=message.customer_id,
        occurred_at=now,
        data={
            **told,
            **variant,
            "topic": message.topic,
            "priority": message.priority,
            "signals": message.signals,
        },
    )


def about_message(
    message_id: str, rule: str, message: str, channel: str | None, case: str | None
) -> dict[str, str]:
    """What every event about a message tells of it; what is None is left out."""
    told = {"message_id": message_id, "rule": rule, "message": message, "channel": channel, "case": case}
    return {name: value for name, value in told.items() if value is not None}
