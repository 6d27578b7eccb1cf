"""A message: one send of one firing, from the decision to its terminal state.

READY ──▶ CALLING ──▶ SENT
  ▲ │        │  ├────▶ NOT_SENT   (certainly not delivered: refused, or bounced for good, even after SENT)
  ├────────────────┘              (the same, where another channel is left: READY for that one)
  │ │        │  └────▶ UNKNOWN    (no evidence within an hour; evidence may still settle it)
  │ │        └────▶ DEFERRED      (certainly not accepted, worth another try)
  │ ├─────────────▶ NOT_SENT      (a gate closed: no consent, no address, expired, ...)
  └─┴─────────────▶ DEFERRED ──▶ READY when its `due_at` has come

A message that has been READY for a while, because its stream record was given up, is written READY once more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from foreword.domain.instants import HOUR, MINUTE, Duration, Instant
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import SETTLE_UNKNOWN_AFTER, Channel, Purpose

FIRST_BACK_OFF: Duration = MINUTE
LONGEST_BACK_OFF: Duration = HOUR


class MessageStatus(StrEnum):
    READY = "READY"
    DEFERRED = "DEFERRED"
    CALLING = "CALLING"
    SENT = "SENT"
    NOT_SENT = "NOT_SENT"
    UNKNOWN = "UNKNOWN"

    @property
    def terminal(self) -> bool:
        return self in (MessageStatus.SENT, MessageStatus.NOT_SENT, MessageStatus.UNKNOWN)

    @property
    def waiting(self) -> bool:
        """No provider is being called for it, and one may be yet."""
        return self in (MessageStatus.READY, MessageStatus.DEFERRED)


READY_FOR: Duration = 15 * MINUTE
"""How long a message may be READY before the tick puts it on its way again."""


@dataclass(frozen=True, slots=True)
class Message:
    """`reason` says why it is where it is; `channel` is chosen at the claim; `version` guards every write.

    `score` and `purpose` say how it competes, `winner` is the message it lost against. `tried` are channels by
    which it is certain that nothing arrived, though a provider may have taken it under one of `tried_ids`: then it
    `went_out`. `has_place`: it takes a place under the frequency caps, for its
    `channel`; `volume` names the counters of the day that it was counted in. A `follow_up` is asked for its
    rule's `eligible` when due.

    `decided_for` is the time of the rise, `decided_at` the clock at the decision, `deliver_by` the last moment
    at which it may still be delivered. `due_at` is when the tick has to look at it, None at its end.
    """

    customer_id: str
    message_id: str
    rule: str
    case: str | None
    episode: str
    message: str
    purpose: Purpose
    topic: str
    priority: int
    channels: tuple[Channel, ...]
    decided_for: Instant
    decided_at: Instant
    deliver_by: Instant
    generation: str
    signals: Mapping[str, Any] = field(default_factory=dict)
    score: Decimal = Decimal(50)
    variant: str | None = None
    follow_up: bool = False
    status: MessageStatus = MessageStatus.READY
    reason: Reason | None = None
    winner: str | None = None
    tried: tuple[Channel, ...] = ()
    tried_ids: tuple[str, ...] = ()
    went_out: bool = False
    has_place: bool = False
    volume: str | None = None
    channel: Channel | None = None
    attempt_id: str | None = None
    attempts: int = 0
    claimed_at: Instant | None = None
    closed_at: Instant | None = None
    due_at: Instant | None = None
    provider_message_id: str | None = None
    version: int = 1

    def undelivered(self, reason: Reason, now: Instant, provider_message_id: str = "") -> Message:
        """Claimed -> READY for the next channel, or NOT_SENT after the last: it is certain that nothing arrived.

        BOUNCED: it went out, so that it keeps its place under the caps, and its clock; else nothing did.
        """
        assert self.channel is not None  # noqa: S101  it was claimed for one
        went_out = self.went_out or reason is Reason.BOUNCED
        tried = replace(
            self,
            tried=(*self.tried, self.channel),
            tried_ids=(*self.tried_ids, provider_message_id or self.provider_message_id or ""),
            went_out=went_out,
        )
        if set(self.channels) <= set(tried.tried) or now > self.deliver_by:
            return tried.not_sent(reason, now)
        return replace(
            tried,
            status=MessageStatus.READY,
            reason=None,
            channel=None,
            attempt_id=None,
            provider_message_id=None,
            closed_at=None,
            due_at=look_again(now),
            version=self.version + 1,
        )

    def claimed(self, attempt_id: str, channel: Channel, now: Instant) -> Message:
        """READY -> CALLING: the one attempt that may call the provider; due when evidence is overdue."""
        return replace(
            self,
            status=MessageStatus.CALLING,
            reason=None,
            channel=channel,
            attempt_id=attempt_id,
            attempts=self.attempts + 1,
            claimed_at=now,
            due_at=now + SETTLE_UNKNOWN_AFTER,
            version=self.version + 1,
        )

    def sent(self, provider_message_id: str, now: Instant) -> Message:
        """CALLING or UNKNOWN -> SENT: the provider accepted it."""
        return replace(
            self._closed(MessageStatus.SENT, Reason.SENT, now), provider_message_id=provider_message_id
        )

    def not_sent(self, reason: Reason, now: Instant) -> Message:
        """Any -> NOT_SENT: it is certain that nothing arrived. What never went out gives back what it had taken."""
        closed = self._closed(MessageStatus.NOT_SENT, reason, now)
        return closed if self.went_out else replace(closed, has_place=False, volume=None)

    def unknown(self, now: Instant) -> Message:
        """CALLING -> UNKNOWN: no evidence came in time. It is never sent again."""
        return self._closed(MessageStatus.UNKNOWN, Reason.UNKNOWN_OUTCOME, now)

    def deferred(self, until: Instant, reason: Reason) -> Message:
        """READY or CALLING (certainly not accepted) -> DEFERRED."""
        return replace(
            self, status=MessageStatus.DEFERRED, reason=reason, due_at=until, version=self.version + 1
        )

    def backed_off(self, now: Instant) -> Message:
        """CALLING -> DEFERRED: refused for now; each attempt waits twice as long, never past `deliver_by`."""
        wait = min(FIRST_BACK_OFF << min(self.attempts - 1, 10), LONGEST_BACK_OFF)
        return self.deferred(min(now + wait, self.deliver_by), Reason.DEFERRED_BY_PROVIDER)

    def ready_again(self, now: Instant) -> Message:
        """DEFERRED (its time has come) or CALLING (certainly no call was made) -> READY, to be judged anew.

        READY -> READY too: a message that nobody has looked at is put on its way once more.
        """
        return replace(
            self, status=MessageStatus.READY, reason=None, due_at=look_again(now), version=self.version + 1
        )

    def _closed(self, status: MessageStatus, reason: Reason, now: Instant) -> Message:
        return replace(
            self, status=status, reason=reason, closed_at=now, due_at=None, version=self.version + 1
        )


def look_again(now: Instant) -> Instant:
    """When the tick looks at a READY message: its stream record may have been given up."""
    return now + READY_FOR


def message_id(customer_id: str, rule: str, case: str | None, episode: str, send: int) -> str:
    """The same reason gives the same id, whoever computes it and how often: 32 hexadecimal digits."""
    parts = (customer_id, rule, "" if case is None else f"={case}", episode, str(send))
    key = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(key.encode()).hexdigest()[:32]
