"""A firing's messages through the gates as they are decided: those that may go, that wait, and that do not.

What the customer's choices and the cap ledger say is read only where something fired. Nothing is written here: the
messages, the ledger and what had to give way go with the customer's state, in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from foreword.app.ports import Changes, Contacts, Messages
from foreword.domain.arbitration import Admitted, admit
from foreword.domain.errors import StoreConflict
from foreword.domain.gates import Contact, all_caps
from foreword.domain.holds import Holds
from foreword.domain.instants import Instant
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.profiles import Profile
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Policy


@dataclass(frozen=True, slots=True)
class AdmitMessages:
    contacts: Contacts
    messages: Messages
    policy: Policy

    def __call__(self, messages: Sequence[Message], profile: Profile, holds: Holds, now: Instant) -> Changes:
        """Of one customer. Raises StoreConflict where a message that had to give way has gone already."""
        ready = [message for message in messages if message.status is MessageStatus.READY]
        if not ready:
            return Changes(messages)
        consents, ledger = self.contacts.load(profile.customer_id)
        contact = Contact(profile, consents, ledger, holds)
        admitted = admit(ready, contact, self.policy, now)
        after = {message.message_id: message for message in admitted.messages}
        changes = written_with(admitted, contact, self.messages, self.policy, now)
        return replace(changes, messages=[after.get(message.message_id, message) for message in messages])


def written_with(
    admitted: Admitted, contact: Contact, messages: Messages, policy: Policy, now: Instant
) -> Changes:
    """What changes with the admitted messages: those that had to give way, and the ledger where it is another.

    Raises StoreConflict where one of them does not wait any more.
    """
    changed: list[tuple[Message, Message]] = []
    for message_id, winner in admitted.displaced.items():
        before = messages.load(contact.profile.customer_id, message_id)
        if before is None or not before.status.waiting:
            raise StoreConflict(f"the message {message_id} does not wait any more")
        changed.append((before, replace(before.not_sent(Reason.LOST_ARBITRATION, now), winner=winner)))
    if admitted.ledger is contact.ledger:
        return Changes(changed=changed)
    longest = max((cap.within for cap in all_caps(policy, contact.consents)), default=0)
    return Changes(changed=changed, ledger=admitted.ledger.pruned(longest, now))
