"""The contact history: every step of every message, each with its time, as a set that only grows.

A step is told once, however often it is reported: two that are equal are one. So the history of a message is the
union of what was reported, whatever its order, and nothing in it is ever taken back. It is kept with the message,
and for as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from foreword.domain.feedback import Feedback, FeedbackKind
from foreword.domain.instants import Instant, format_instant, parse_instant, sortable
from foreword.domain.messages import Message, MessageStatus

MOST_STEPS = 200
"""Of one message: beyond it, further openings and clicks (of a scanner, say) are no longer kept."""


class StepKind(StrEnum):
    DECIDED = "DECIDED"
    DEFERRED = "DEFERRED"
    CLAIMED = "CLAIMED"
    SENT = "SENT"
    NOT_SENT = "NOT_SENT"
    UNKNOWN = "UNKNOWN"
    DELIVERED = "DELIVERED"
    DELAYED = "DELAYED"
    BOUNCED = "BOUNCED"
    COMPLAINED = "COMPLAINED"
    OPENED = "OPENED"
    CLICKED = "CLICKED"
    UNSUBSCRIBED = "UNSUBSCRIBED"


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """`detail` are words of closed lists: a reason, a channel, the kind of a bounce; never an address or a link."""

    at: Instant
    kind: StepKind
    detail: str = ""

    def __str__(self) -> str:
        """One line, which sorts by time: `2026-03-04T12:00:00.000000Z BOUNCED Permanent General`."""
        return f"{sortable(self.at)} {self.kind} {self.detail}".rstrip()

    @classmethod
    def from_text(cls, text: str) -> Step:
        """Raises ValueError for what is no step."""
        at, kind, *detail = text.split(" ", 2)
        return cls(parse_instant(at), StepKind(kind), *detail)


def first_steps(message: Message) -> list[Step]:
    """Of a message as it is decided: it may wait, or have ended, at once."""
    decided, more = Step(message.decided_at, StepKind.DECIDED), step_to(message, message.decided_at)
    return [decided] if more is None else [decided, more]


def step_to(after: Message, now: Instant) -> Step | None:
    """What a write of `after` at `now` is in the history; None for READY, which is no news of its own."""
    channel = "" if after.channel is None else after.channel.value
    reason = "" if after.reason is None else after.reason.value
    match after.status:
        case MessageStatus.READY:
            return None
        case MessageStatus.CALLING:
            return Step(now, StepKind.CLAIMED, channel)
        case MessageStatus.DEFERRED:
            until = "" if after.due_at is None else f" until {format_instant(after.due_at)}"
            return Step(now, StepKind.DEFERRED, f"{reason}{until}")
        case MessageStatus.SENT:
            return Step(now, StepKind.SENT, channel)
        case _:
            return Step(now, StepKind(after.status.value), reason)


def step_of(feedback: Feedback) -> Step | None:
    """What was reported, at the time it is said to have happened; None for what the message's own steps tell."""
    if feedback.kind in (FeedbackKind.SENT, FeedbackKind.REJECTED):
        return None
    return Step(
        feedback.occurred_at, StepKind(feedback.kind.value), " ".join(map(str, feedback.details.values()))
    )


def in_order(messages: Mapping[str, Iterable[Step]]) -> list[tuple[Step, str]]:
    """The steps of a customer's messages, by message id, as one history in the order of their times."""
    return sorted((step, message_id) for message_id, steps in messages.items() for step in set(steps))
