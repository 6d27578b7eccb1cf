"""Match a provider's feedback to the message it is about, settle what it proves, and tell the bus.

    1 settle    the message's status, where the evidence changes it: READY for its next channel, where it is certain
                that nothing arrived by this one
    2 note      the step in its contact history, which is a set: the same one twice is one
    3 suppress  the address, if it must not be written to again, in one transaction with the fact in the journal
    4 tell      the bus

Killed between any two of them, the same feedback comes again: 1 finds the message settled, 2 and 3 find what they
wrote, and 4 has the same id. Feedback in another order ends the same. What matches no message of ours, or
contradicts it, changes nothing and is counted. What suppresses is in the journal before it is on the bus, so that
what comes back from there is known already.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from foreword.app.ports import Clock, ContactHistory, EventBus, Suppressions
from foreword.domain.contact_history import step_of
from foreword.domain.errors import StoreConflict
from foreword.domain.feedback import Feedback, FeedbackKind, feedback_event, settled
from foreword.domain.messages import Message
from foreword.domain.outgoing import OutgoingEvent
from foreword.domain.suppression import Cause, fact_of, suppressed_event, suppresses, suppression

TRIES = 5


class Recorded(StrEnum):
    """What became of a piece of feedback; all but RECORDED are ignored."""

    RECORDED = "RECORDED"
    UNKNOWN_MESSAGE = "UNKNOWN_MESSAGE"
    NEVER_CALLED = "NEVER_CALLED"
    OTHER_PROVIDER_ID = "OTHER_PROVIDER_ID"


@dataclass(frozen=True, slots=True)
class RecordFeedback:
    messages: ContactHistory
    suppressions: Suppressions
    bus: EventBus
    clock: Clock

    def __call__(self, feedback: Feedback) -> Recorded:
        """Raises StoreConflict or EventsNotAccepted: the caller is then called again with the same feedback."""
        for _ in range(TRIES):
            message = self.messages.load(feedback.customer_id, feedback.message_id)
            if message is None:
                return Recorded.UNKNOWN_MESSAGE
            if feedback.channel in message.tried:
                if message.tried_ids[message.tried.index(feedback.channel)] not in (
                    "",
                    feedback.provider_message_id,
                ):
                    return Recorded.OTHER_PROVIDER_ID
                self._pass_on(message, feedback)
                return Recorded.RECORDED
            if message.attempt_id is None or message.channel is not feedback.channel:
                return Recorded.NEVER_CALLED
            if message.provider_message_id not in (None, feedback.provider_message_id):
                return Recorded.OTHER_PROVIDER_ID
            after = settled(message, feedback, self.clock.now())
            if after is message or self.messages.replace(message, after):
                self._pass_on(after, feedback)
                return Recorded.RECORDED
        raise StoreConflict(f"message {feedback.message_id} changed at each of {TRIES} tries")

    def _pass_on(self, message: Message, feedback: Feedback) -> None:
        step = step_of(feedback)
        if step is not None:
            self.messages.note(message.customer_id, message.message_id, step)
        event = _event(message, feedback)
        if event is None:
            return
        if suppresses(feedback) and feedback.address is not None:
            entry = suppression(message.customer_id, feedback.channel, feedback.address)
            self.suppressions.suppress(fact_of(event, self.clock.now()), entry)
        self.bus.put([event])


def _event(message: Message, feedback: Feedback) -> OutgoingEvent | None:
    if feedback.kind is not FeedbackKind.UNSUBSCRIBED:
        return feedback_event(message, feedback)
    id = f"{message.message_id}/unsubscribed"
    at = feedback.occurred_at
    return suppressed_event(message.customer_id, feedback.channel, Cause.UNSUBSCRIBED, id, at)
