"""Match a provider's feedback to the message it is about, settle what it proves, and tell the bus.

First the message, then the bus: a crash in between is retried, and finds the message settled. What matches no
message of ours, or contradicts it, changes nothing and is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from foreword.app.ports import Clock, EventBus, Messages
from foreword.domain.errors import StoreConflict
from foreword.domain.feedback import Feedback, feedback_event, settled
from foreword.domain.messages import Message

TRIES = 5


class Recorded(StrEnum):
    """What became of a piece of feedback; all but RECORDED are ignored."""

    RECORDED = "RECORDED"
    UNKNOWN_MESSAGE = "UNKNOWN_MESSAGE"
    NEVER_CALLED = "NEVER_CALLED"
    OTHER_PROVIDER_ID = "OTHER_PROVIDER_ID"


@dataclass(frozen=True, slots=True)
class RecordFeedback:
    messages: Messages
    bus: EventBus
    clock: Clock

    def __call__(self, feedback: Feedback) -> Recorded:
        """Raises StoreConflict or EventsNotAccepted: the caller is then called again with the same feedback."""
        for _ in range(TRIES):
            message = self.messages.load(feedback.customer_id, feedback.message_id)
            if message is None:
                return Recorded.UNKNOWN_MESSAGE
            if message.attempt_id is None:
                return Recorded.NEVER_CALLED
            if message.provider_message_id not in (None, feedback.provider_message_id):
                return Recorded.OTHER_PROVIDER_ID
            after = settled(message, feedback, self.clock.now())
            if after is message or self.messages.replace(message, after):
                return self._announce(after, feedback)
        raise StoreConflict(f"message {feedback.message_id} changed at each of {TRIES} tries")

    def _announce(self, message: Message, feedback: Feedback) -> Recorded:
        event = feedback_event(message, feedback)
        if event is not None:
            self.bus.put([event])
        return Recorded.RECORDED
