"""What a message is asked at its claim beside the contact policy: its rule, the emergency stop, what holds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from foreword.app.ports import Dossier, PauseSwitch
from foreword.domain.follow_ups import FollowUps
from foreword.domain.gates import Contact
from foreword.domain.holds import NO_HOLDS, Holds
from foreword.domain.instants import Instant
from foreword.domain.messages import Message
from foreword.domain.pauses import LOOK_AGAIN
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import CLAIM_TO_CALL, Channel, Policy
from foreword.domain.volume import Counter, constraints_on, counters_of

HoldsOf = Callable[[str, str, Instant], Holds]
"""(customer id, the state's JSON text, now): what holds messages back."""


@dataclass(frozen=True, slots=True)
class DeliveryGates:
    policy: Policy
    follow_ups: FollowUps
    pauses: PauseSwitch
    holds_of: HoldsOf

    def stopped(self, message: Message, dossier: Dossier, now: Instant) -> Message | None:
        """The message as it waits or ends, where it may not go on to the other gates."""
        if message.follow_up and not message.attempts:
            reason = self.follow_ups.stopped(message, dossier.profile)
            if reason is not None:
                return message.not_sent(reason, now)
        return None

    def paused(self, message: Message, channel: Channel, now: Instant) -> Message | None:
        """The message as it waits for the emergency stop to be lifted, or ends; None where nothing stops it."""
        if not self.pauses.pauses().stops(message, channel):
            return None
        last = message.deliver_by - CLAIM_TO_CALL
        if now >= last:
            return message.not_sent(Reason.PAUSED, now)
        return message.deferred(min(now + LOOK_AGAIN, last), Reason.PAUSED)

    def expired_in_pause(self, message: Message) -> bool:
        """The minute in which it is looked at for the last time may be over when it is: still the stop held it."""
        pauses = self.pauses.pauses()
        return all(pauses.stops(message, channel) for channel in message.channels)

    def contact(self, dossier: Dossier, now: Instant) -> Contact:
        """Raises NewerState where only later code can read what holds the customer's messages back."""
        state, customer_id = dossier.state, dossier.profile.customer_id
        holds = NO_HOLDS if state is None else self.holds_of(customer_id, state, now)
        return Contact(dossier.profile, dossier.consents, dossier.ledger, holds)

    def counters(self, message: Message, now: Instant) -> list[list[Counter]]:
        """Of each volume constraint on the message: the counters of the day, the message's own first."""
        constraints = constraints_on(self.policy.volume_constraints, message)
        return [counters_of(constraint, message, now) for constraint in constraints]
