"""Deliver one message by the claim protocol: at most one provider call per claim, at most one claim per READY.

    1 dossier   one consistent read: message, profile, consents
    2 judge, render, prepare: all that can fail without the provider
    3 claim     one transaction: READY -> CALLING, if the whole dossier still stands
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
from dataclasses import dataclass

from foreword.app.ports import (
    Accepted,
    Clock,
    Dossier,
    Links,
    Mailer,
    Outbox,
    OutcomeUnknown,
    ProviderCall,
    Refused,
    Renderer,
    Tasks,
    Texter,
)
from foreword.domain.content import EmailContent
from foreword.domain.errors import InvalidTemplate, StoreConflict
from foreword.domain.gates import Close, Defer, Send, judge
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import CLAIM_TO_CALL, Policy, Purpose

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
    tasks: Tasks
    links: Links
    policy: Policy
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
        match judge(message, dossier.profile, dossier.consents, self.policy, now):
            case Close(reason):
                return self._write(message, message.not_sent(reason, now))
            case Defer(until, reason):
                return self._write(message, message.deferred(until, reason))
            case Send() as send:
                try:
                    call = self._prepare(message, dossier, send)
                except InvalidTemplate:
                    return self._write(message, message.not_sent(Reason.NOT_RENDERED, now))
                # Rendering took its time: every gate has to be open from now on, not from then.
                now = self.clock.now()
                if judge(message, dossier.profile, dossier.consents, self.policy, now) != send:
                    return None
                claimed = message.claimed(self.new_attempt_id(), send.channel, now)
                return self._call(claimed, call) if self.outbox.claim(dossier, claimed) else None

    def _prepare(self, message: Message, dossier: Dossier, send: Send) -> ProviderCall:
        if send.address is None:
            return self.tasks.prepare(message)
        if message.purpose is not Purpose.CRITICAL:
            self.links.links_for(message)  # to be handed on to renderer and mailer
        content = self.renderer.render(message, send.channel, dossier.profile)
        if isinstance(content, EmailContent):
            return self.mailer.prepare(message, send.address, content)
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
                return self._record(claimed, claimed.not_sent(Reason.REJECTED_BY_PROVIDER, now), code)
            case OutcomeUnknown(code):
                return Delivered(claimed, code)

    def _record(self, claimed: Message, after: Message, code: str | None = None) -> Delivered:
        """Where the claim no longer stands, evidence has settled it in the meantime, and knows better."""
        recorded = self.outbox.replace(claimed, after)
        return Delivered(after if recorded else claimed, code)

    def _write(self, before: Message, after: Message) -> Delivered | None:
        return Delivered(after) if self.outbox.replace(before, after) else None
