"""What comes back of text messages: their delivery status, and the replies of customers.

A status is found by the id that SNS gave the message; an unknown id is another application's. A call whose answer
was lost left no id: such a message stays UNKNOWN, whatever is logged of it.

A reply counts when it says STOP. Whoever has that number, as profiles say, is not written to at it any more: for
each of them one transaction of journal and consents, then the bus. Killed in between, the reply comes again, and
finds those who are done. A number that nobody has is counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from foreword.app.ports import SmsMessages
from foreword.app.record_feedback import Recorded
from foreword.app.suppress_address import SuppressAddress
from foreword.domain.feedback import Feedback
from foreword.domain.replies import Reply
from foreword.domain.rulebook import Channel
from foreword.domain.suppression import Cause, is_stop


class Replied(StrEnum):
    SUPPRESSED = "SUPPRESSED"
    NOT_A_STOP = "NOT_A_STOP"
    UNKNOWN_NUMBER = "UNKNOWN_NUMBER"


@dataclass(frozen=True, slots=True)
class RecordSmsStatus:
    messages: SmsMessages
    record: Callable[[Feedback], Recorded]

    def __call__(self, provider_message_id: str, about: Callable[[str, str], Feedback]) -> Recorded:
        found = self.messages.with_sms_id(provider_message_id)
        return Recorded.UNKNOWN_MESSAGE if found is None else self.record(about(*found))


@dataclass(frozen=True, slots=True)
class RecordReply:
    suppress: SuppressAddress

    def __call__(self, reply: Reply) -> Replied:
        """Raises StoreConflict or EventsNotAccepted: the reply then comes again."""
        if not is_stop(reply.text):
            return Replied.NOT_A_STOP
        met = self.suppress(
            Channel.SMS, reply.number, Cause.STOP_REPLY, f"sms/{reply.id}/stop", reply.occurred_at
        )
        return Replied.SUPPRESSED if met else Replied.UNKNOWN_NUMBER
