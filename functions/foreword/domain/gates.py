"""The gates at the claim: may this message go out now, on which channel and to which address?

In order, the first that closes gives the reason: erasure · the customer's pause · consent and suppression ·
address · quiet hours (which defer) · expiry. Consent, suppression and address are asked per channel, in the
message's order, those that the customer prefers first; a
closed channel passes on to the next, and when all are closed the preferred channel's reason stands. A task needs no
address, and is held to all else: whoever takes it up may telephone at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from foreword.domain.addresses import ATTRIBUTES, deliverable
from foreword.domain.consent import Consents, allows
from foreword.domain.instants import Instant
from foreword.domain.messages import Message
from foreword.domain.profiles import Profile
from foreword.domain.quiet_hours import next_allowed, zone_of
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import CLAIM_TO_CALL, Channel, Policy, Purpose


@dataclass(frozen=True, slots=True)
class Send:
    """Every gate is open from now until the latest moment at which the provider may be called.

    `address` is None where the channel has none: a task is for somebody of our own.
    """

    channel: Channel
    address: str | None


@dataclass(frozen=True, slots=True)
class Close:
    reason: Reason


@dataclass(frozen=True, slots=True)
class Defer:
    until: Instant
    reason: Reason


Verdict: TypeAlias = Send | Close | Defer


def judge(message: Message, profile: Profile, consents: Consents, policy: Policy, now: Instant) -> Verdict:
    """Pure. A call may start up to CLAIM_TO_CALL after `now`: every gate must be open until then."""
    if profile.erased:
        return Close(Reason.ERASED)
    if consents.pauses(message.purpose, now):
        return Close(Reason.PAUSED_BY_CUSTOMER)
    channel = _open_channel(message, profile, consents, policy)
    if isinstance(channel, Close):
        return channel
    # Too late already: quiet hours cannot save it, and a deferral would come back for ever.
    if now + CLAIM_TO_CALL > message.deliver_by:
        return Close(Reason.EXPIRED)
    if message.purpose is not Purpose.CRITICAL and policy.quiet_hours is not None:
        zone = zone_of(profile.value("timezone"), policy.default_timezone)
        allowed = next_allowed(policy.quiet_hours, zone, now, CLAIM_TO_CALL)
        if allowed > now:
            return Defer(min(allowed, message.deliver_by), Reason.DEFERRED_QUIET_HOURS)
    return channel


def _open_channel(message: Message, profile: Profile, consents: Consents, policy: Policy) -> Send | Close:
    closed: Close | None = None
    for channel in consents.in_order(message.channels):
        answer = _judge_channel(channel, message, profile, consents, policy)
        if isinstance(answer, Send):
            return answer
        closed = closed or answer
    return closed or Close(Reason.NO_ADDRESS)


def _judge_channel(
    channel: Channel, message: Message, profile: Profile, consents: Consents, policy: Policy
) -> Send | Close:
    attribute = ATTRIBUTES.get(channel)
    address = None if attribute is None else deliverable(channel, profile.value(attribute))
    if not allows(consents, policy, message.purpose, message.topic, channel):
        return Close(Reason.NO_CONSENT)
    if consents.suppresses(channel, address):
        return Close(Reason.SUPPRESSED)
    if attribute is not None and address is None:
        return Close(Reason.NO_ADDRESS)
    return Send(channel, address)
