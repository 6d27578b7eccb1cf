"""Deliver one message by the claim protocol: at most one provider call per claim, at most one claim per READY.

    1 dossier   one consistent read: message, profile, consents, cap ledger
    2 judge, render, prepare: all that can fail without the provider
    3 claim     one transaction: READY -> CALLING, if the whole dossier still stands; its place under the caps is
                dated in it, and one more counted in the volume of the day
    4 call      exactly one, within CLAIM_TO_CALL of the claim, or none at all
    5 record    one conditional write: CALLING -> SENT, NOT_SENT or DEFERRED

| dies or fails               | leaves                | a redelivery of the READY image         |
|-----------------------------|-----------------------|-----------------------------------------|
| before 3                    | READY                 | begins again                            |
| 3 lost: something changed   | as the other wrote it | judges anew, from a fresh dossier       |
| 3 written, its answer lost  | CALLING               | does nothing (*)                        |
| between 3 and 4             | CALLING, no call made | does nothing: UNKNOWN after an hour     |
| 4 with an unknown outcome   | CALLING               | does nothing: evidence, else UNKNOWN    |
| between 4 and 5, or 5 fails | CALLING               | does nothing: evidence, else UNKNOWN    |
| after 5                     | SENT NOT_SENT DEFERRED| does nothing; the tick makes DEFERRED READY |

(*) within one delivery the SDK's own retry of 3 meets its own attempt id, and the delivery goes on.

CALLING is never called again: whoever finds it cannot know whether the provider was reached.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from foreword.app.admit_messages import written_with
from foreword.app.delivery_gates import DeliveryGates
from foreword.app.ports import (
    Accepted,
    Changes,
    Claim,
    Clock,
    Counters,
    Dossier,
    Links,
    Mailer,
    Outbox,
    OutcomeUnknown,
    ProviderCall,
    Refused,
    Renderer,
    Requests,
    Texter,
)
from foreword.domain.arbitration import Admitted, admit
from foreword.domain.content import EmailContent
from foreword.domain.errors import InvalidTemplate, StoreConflict
from foreword.domain.gates import Contact, Send
from foreword.domain.instants import HOUR, Duration, Instant
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.reasons import HELD, Reason
from foreword.domain.rulebook import CLAIM_TO_CALL, Purpose

HELD_FOR: Duration = HOUR
"""How long a message that is held at its claim waits at most until it is judged anew."""

TRIES = 5
"""How often a lost write is judged anew before the record goes back to the stream."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """Where the message is now, and the provider's code where it did not accept. None: nothing to do."""

    message: Message
    provider_code: str | None = None


@dataclass(frozen=True, slots=True)
class DeliverMessage:
    outbox: Outbox
    renderer: Renderer
    mailer: Mailer
    texter: Texter
    requests: Requests
    gates: DeliveryGates
    counters: Counters
    links: Links
    clock: Clock
    new_attempt_id: Callable[[], str]

    def __call__(self, customer_id: str, message_id: str) -> Delivered | None:
        """Bring a READY message one step on. Raises StoreConflict when it changed at every try."""
        for _ in range(TRIES):
            dossier = self.outbox.dossier(customer_id, message_id)
            message = dossier.message
            if message is None or message.status is not MessageStatus.READY:
                return None
            delivered = self._try(message, dossier)
            if delivered is not None:
                return delivered
        raise StoreConflict(f"message {message_id} changed at each of {TRIES} tries")

    def _try(self, message: Message, dossier: Dossier) -> Delivered | None:
        """None where somebody else wrote first."""
        now = self.clock.now()
        stopped = self.gates.stopped(message, dossier, now)
        if stopped is not None:
            return self._write(message, stopped)
        contact = self.gates.contact(dossier, now)
        admitted = admit([message], contact, self.gates.policy, now)
        send = admitted.sends.get(message.message_id)
        if send is None:
            return self._wait_or_end(dossier, contact, admitted, now)
        paused = self.gates.paused(message, send.channel, now)
        if paused is not None:
            return self._write(message, paused)
        try:
            call = self._prepare(message, dossier, send)
        except InvalidTemplate:
            return self._write(message, message.not_sent(Reason.NOT_RENDERED, now))
        # Rendering took its time: every gate has to be open from now on, not from then.
        now = self.clock.now()
        admitted = admit([message], contact, self.gates.policy, now)
        if admitted.sends.get(message.message_id) != send:
            return None
        return self._claim(dossier, contact, admitted, call, now)

    def _wait_or_end(
        self, dossier: Dossier, contact: Contact, admitted: Admitted, now: Instant
    ) -> Delivered | None:
        (after,) = admitted.messages
        if after.reason is Reason.EXPIRED:
            after = replace(after, reason=self._why_expired(after, now))
        if after.due_at is not None and after.reason in HELD:
            # Nobody is told when it is over sooner: it is looked at again from time to time.
            after = replace(after, due_at=min(after.due_at, now + HELD_FOR))
        changes = self._changes(contact, admitted, now)
        if changes is None:
            return None
        return Delivered(after) if self.outbox.write(dossier, after, changes) else None

    def _why_expired(self, message: Message, now: Instant) -> Reason:
        """What was closed beside: a stop, which it waited for, or the volume of the day."""
        if self.gates.stops(message):
            return Reason.PAUSED
        counters = [] if message.volume else self.gates.counters(message, now)
        full = any(self.counters.with_room(shards) is None for shards in counters)
        return Reason.VOLUME_REACHED if full else Reason.EXPIRED

    def _claim(
        self, dossier: Dossier, contact: Contact, admitted: Admitted, call: ProviderCall, now: Instant
    ) -> Delivered | None:
        """Counted against the volume of the day where there is one: the next counter is tried where one is full."""
        (message,) = admitted.messages
        assert message.channel is not None  # noqa: S101  it was admitted to one
        admitted.ledger = admitted.ledger.dated(message.message_id, now)
        changes = self._changes(contact, admitted, now)
        if changes is None:
            return None
        claimed = message.claimed(self.new_attempt_id(), message.channel, now)
        # Tried again on the day it was counted in, it keeps its count; that of another day it gives up.
        had = frozenset(message.volume.split(",") if message.volume else ())
        days = self.gates.counters(message, now)
        kept = [it.key for shards in days for it in shards if it.key in had]
        open_days = [shards for shards in days if not any(it.key in had for it in shards)]
        counters = [shards[0] for shards in open_days]
        while True:
            counted = replace(claimed, volume=",".join([*kept, *(it.key for it in counters)]) or None)
            match self.outbox.claim(dossier, counted, changes, counters):
                case Claim.CLAIMED:
                    return self._call(counted, call)
                case Claim.LOST:
                    return None
            free = [self.counters.with_room(shards) for shards in open_days]
            if None in free:
                return self._write(message, message.not_sent(Reason.VOLUME_REACHED, now))
            counters = [counter for counter in free if counter is not None]
            claimed = replace(claimed, attempt_id=self.new_attempt_id())

    def _changes(self, contact: Contact, admitted: Admitted, now: Instant) -> Changes | None:
        """What is written with the message; None where one that had to give way has gone already."""
        try:
            return written_with(admitted, contact, self.outbox, self.gates.policy, now)
        except StoreConflict:
            return None

    def _prepare(self, message: Message, dossier: Dossier, send: Send) -> ProviderCall:
        if send.address is None:
            return self.requests.prepare(message, send.channel)
        links = None if message.purpose is Purpose.CRITICAL else self.links.links_for(message)
        content = self.renderer.render(message, send.channel, dossier.profile, links)
        if isinstance(content, EmailContent):
            return self.mailer.prepare(message, send.address, content, links)
        return self.texter.prepare(message, send.address, content)

    def _call(self, claimed: Message, call: ProviderCall) -> Delivered:
        """Exactly one call, or none; a failure to record is raised and the message stays CALLING."""
        if claimed.claimed_at is None or self.clock.now() - claimed.claimed_at > CLAIM_TO_CALL:
            return self._record(claimed, claimed.ready_again(self.clock.now()))
        outcome = call()
        now = self.clock.now()
        match outcome:
            case Accepted(provider_message_id):
                return self._record(claimed, claimed.sent(provider_message_id, now))
            case Refused(code, retryable=True):
                return self._record(claimed, claimed.backed_off(now), code)
            case Refused(code):
                return self._record(claimed, claimed.undelivered(Reason.REJECTED_BY_PROVIDER, now), code)
            case OutcomeUnknown(code):
                return Delivered(claimed, code)

    def _record(self, claimed: Message, after: Message, code: str | None = None) -> Delivered:
        """Where the claim no longer stands, evidence has settled it in the meantime, and knows better.

        A write that was refused while it stands met another of the customer's at the same moment: once more.
        """
        for _ in range(TRIES):
            if self.outbox.replace(claimed, after):
                return Delivered(after, code)
            if self.outbox.load(claimed.customer_id, claimed.message_id) != claimed:
                return Delivered(claimed, code)
        raise StoreConflict(f"what became of {claimed.message_id} was not recorded in {TRIES} tries")

    def _write(self, before: Message, after: Message) -> Delivered | None:
        return Delivered(after) if self.outbox.replace(before, after) else None
