"""What a provider says later about a message it was handed, and what that settles.

| feedback                     | proves                  | CALLING, UNKNOWN, SENT | waits for another try | others |
|------------------------------|-------------------------|------------------------|-----------------------|--------|
| REJECTED                     | it was thrown away      | the next channel       | stays                 | stay   |
| BOUNCED for good             | it can never arrive     | the next channel       | the next channel      | stay   |
| any other (sent, opened …)   | it was accepted         | SENT                   | SENT, no second call  | stay   |

The next channel is READY on it, or NOT_SENT where there is none. Feedback of a channel that the message has left
behind settles nothing.

A rejection overrules SENT, because that said no more than that the provider took it, and so that the order in
which "sent" and "rejected" arrive makes no difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from foreword.domain.instants import Instant
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.outgoing import OutgoingEvent, about_message
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Channel


class FeedbackKind(StrEnum):
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    DELAYED = "DELAYED"
    BOUNCED = "BOUNCED"
    COMPLAINED = "COMPLAINED"
    OPENED = "OPENED"
    CLICKED = "CLICKED"
    REJECTED = "REJECTED"
    UNSUBSCRIBED = "UNSUBSCRIBED"


_EVENTS = {
    FeedbackKind.DELIVERED: "MessageDelivered",
    FeedbackKind.DELAYED: "MessageDelayed",
    FeedbackKind.BOUNCED: "MessageBounced",
    FeedbackKind.COMPLAINED: "MessageComplained",
    FeedbackKind.OPENED: "MessageOpened",
    FeedbackKind.CLICKED: "MessageClicked",
}
_REPEATABLE = (FeedbackKind.DELAYED, FeedbackKind.OPENED, FeedbackKind.CLICKED)


@dataclass(frozen=True, slots=True)
class Feedback:
    """One statement of the provider of a channel; `details` are plain words of its own, never an address or a link.

    `occurred_at_text` is the time as the provider wrote it: what repeats (an opening) is told apart by it.
    `address` is where the message went, for as long as it takes to know it again; it is never stored or told.
    """

    kind: FeedbackKind
    customer_id: str
    message_id: str
    provider_message_id: str
    occurred_at: Instant
    occurred_at_text: str
    channel: Channel
    details: Mapping[str, str] = field(default_factory=dict)
    address: str | None = field(default=None, repr=False, compare=False)

    @property
    def proves_non_delivery(self) -> bool:
        """Whether it is certain that this message never arrives: only then may another channel be tried.

        A bounce of another type than Permanent is a mailbox that may still have taken it, or will.
        """
        if self.kind is FeedbackKind.BOUNCED:
            return self.details.get("bounce_type") == "Permanent"
        return self.kind is FeedbackKind.REJECTED


def settled(message: Message, feedback: Feedback, now: Instant) -> Message:
    """The message after this evidence; the very same one where it changes nothing."""
    if message.channel is not feedback.channel:
        return message
    undecided = message.status in (MessageStatus.CALLING, MessageStatus.UNKNOWN)
    waits_for_another_try = message.attempt_id is not None and message.status.waiting
    if feedback.kind is FeedbackKind.REJECTED:
        if undecided or message.status is MessageStatus.SENT:
            return message.undelivered(Reason.REJECTED_BY_PROVIDER, now, feedback.provider_message_id)
        return message
    if feedback.proves_non_delivery:
        if undecided or waits_for_another_try or message.status is MessageStatus.SENT:
            return message.undelivered(Reason.BOUNCED, now, feedback.provider_message_id)
        return message
    if undecided or waits_for_another_try:
        return message.sent(feedback.provider_message_id, now)
    return message


def feedback_event(message: Message, feedback: Feedback) -> OutgoingEvent | None:
    """The event for the bus; None for what is told otherwise (sent and rejected by the outcome)."""
    event_type = _EVENTS.get(feedback.kind)
    if event_type is None:
        return None
    suffix = f"/{feedback.occurred_at_text}" if feedback.kind in _REPEATABLE else ""
    return OutgoingEvent(
        type=event_type,
        id=f"{message.message_id}/{feedback.kind.value.lower()}{suffix}",
        customer_id=message.customer_id,
        occurred_at=feedback.occurred_at,
        data={
            **about_message(
                message.message_id, message.rule, message.message, feedback.channel, message.case
            ),
            **feedback.details,
        },
    )
