"""The gates between a decision and a send: may this message go out now, on which channel and to which address?

In order, the first that closes gives the reason: erasure · the customer's pause · consent and suppression ·
address · holds and willingness · arbitration and frequency caps · expiry · quiet hours (which defer). Consent,
suppression, address and caps are asked per channel, in the customer's order and then the message's; a closed
channel passes on to the next, and when all are closed the preferred one's reason stands. A task needs no address,
and is held to all else: whoever takes it up may telephone at once.

They are asked when a message is decided, and all of them again at its claim. Eligibility, re-eligibility, mode and
holdouts come before (`domain.verdicts`), the volume constraints with the claim itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from foreword.domain.addresses import ATTRIBUTES, deliverable
from foreword.domain.consent import Consents, allows
from foreword.domain.holds import NO_HOLDS, Holds
from foreword.domain.instants import MINUTE, Duration, Instant
from foreword.domain.ledger import Ledger, Place
from foreword.domain.messages import Message
from foreword.domain.profiles import Profile
from foreword.domain.quiet_hours import is_quiet, next_allowed, zone_of
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import CLAIM_TO_CALL, Channel, FrequencyCap, Policy, Purpose

SPREAD: Duration = 15 * MINUTE
"""Messages that wait for the end of quiet hours leave within so long after it, not all in its first second."""


@dataclass(frozen=True, slots=True)
class Send:
    """Every gate is open from now until the latest moment at which the provider may be called.

    `address` is None where the channel has none: a task is for somebody of our own.
    """

    channel: Channel
    address: str | None


@dataclass(frozen=True, slots=True)
class Close:
    """`winner` is the message that came before this one, where it lost against one."""

    reason: Reason
    winner: str | None = None


@dataclass(frozen=True, slots=True)
class Defer:
    """`channel` is the one that it keeps its place for, None while it is held: then it has none."""

    until: Instant
    reason: Reason
    channel: Channel | None = None


Verdict: TypeAlias = Send | Close | Defer


@dataclass(frozen=True, slots=True)
class Contact:
    """All that is known of how a customer may be reached.

    `turns` tells by message id, where it is known, which of the messages of one rule comes first.
    """

    profile: Profile
    consents: Consents
    ledger: Ledger
    holds: Holds = NO_HOLDS
    turns: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def turn(self, place: Place) -> tuple[Any, ...]:
        """The rank, and what tells apart those that are equal in it."""
        return (*rank(place), self.turns.get(place.message_id, ()), place.message_id)


@dataclass(frozen=True, slots=True)
class Pace:
    """A call may start up to `call_within` after `now`: quiet hours and expiry must be open until then.

    What waited for the end of quiet hours leaves within `spread` after it.
    """

    spread: Duration = SPREAD
    call_within: Duration = CLAIM_TO_CALL


ON_THE_ROAD = Pace()
AT_ONCE = Pace(spread=0, call_within=0)
"""By a clock alone: whatever may leave leaves at that very instant."""


def judge(
    message: Message, contact: Contact, policy: Policy, now: Instant, pace: Pace = ON_THE_ROAD
) -> Verdict:
    """Pure."""
    if contact.profile.erased:
        return Close(Reason.ERASED)
    if contact.consents.pauses(message.purpose, now):
        return Close(Reason.PAUSED_BY_CUSTOMER)
    asked = [_reachable(channel, message, contact, policy) for channel in _preferred(message, contact)]
    reachable = [answer for answer in asked if isinstance(answer, Send)]
    if not reachable:
        return next((answer for answer in asked if isinstance(answer, Close)), Close(Reason.NO_ADDRESS))
    too_late = now + pace.call_within > message.deliver_by
    held = contact.holds.held(message, now)
    if held is not None:
        reason, until = held
        at_its_end = too_late or now >= message.deliver_by
        return Close(reason) if at_its_end else Defer(min(until, message.deliver_by), reason)
    full = [_full(message, answer.channel, contact, policy, now) for answer in reachable]
    if None not in full:
        # Of a channel that was closed before the caps the preferred one may have been it.
        first = asked[0] if isinstance(asked[0], Close) else full[0]
        return first or Close(Reason.CAPPED)
    send = reachable[full.index(None)]
    # Too late already: quiet hours cannot save it, and a deferral would come back for ever.
    if too_late:
        return Close(Reason.EXPIRED)
    return _when_awake(message, send, contact.profile, policy, now, pace)


def open_channels(message: Message, contact: Contact, policy: Policy) -> list[Channel]:
    """Those that consent, suppression and address leave, in the order in which they are tried."""
    asked = (_reachable(channel, message, contact, policy) for channel in _preferred(message, contact))
    return [answer.channel for answer in asked if isinstance(answer, Send)]


def caps_on(policy: Policy, message: Message, consents: Consents) -> tuple[FrequencyCap, ...]:
    """A critical message has to keep none."""
    return () if message.purpose is Purpose.CRITICAL else all_caps(policy, consents)


def all_caps(policy: Policy, consents: Consents) -> tuple[FrequencyCap, ...]:
    """The policy's caps and the customer's own."""
    own = consents.at_most
    if own is None:
        return policy.frequency_caps
    return (
        *policy.frequency_caps,
        FrequencyCap(purpose=None, channel=None, at_most=own.count, within=own.within),
    )


def place_of(message: Message, channel: Channel) -> Place:
    return Place(
        message.message_id,
        message.rule,
        message.message,
        message.purpose,
        channel,
        message.score,
        message.decided_for,
        message.deliver_by,
    )


def _preferred(message: Message, contact: Contact) -> Iterator[Channel]:
    """The message's channels as the customer prefers them."""
    return iter(contact.consents.in_order(message.channels))


def _reachable(channel: Channel, message: Message, contact: Contact, policy: Policy) -> Send | Close:
    if channel in message.tried:
        return Close(Reason.BOUNCED if message.went_out else Reason.REJECTED_BY_PROVIDER)
    attribute = ATTRIBUTES.get(channel)
    address = None if attribute is None else deliverable(channel, contact.profile.value(attribute))
    if not allows(contact.consents, policy, message.purpose, message.topic, channel):
        return Close(Reason.NO_CONSENT)
    if contact.consents.suppresses(channel, address):
        return Close(Reason.SUPPRESSED)
    if attribute is not None and address is None:
        return Close(Reason.NO_ADDRESS)
    return Send(channel, address)


def _full(message: Message, channel: Channel, contact: Contact, policy: Policy, now: Instant) -> Close | None:
    """Why there is no room under the caps: the best of those before it that compete with it, or just the cap."""
    place = place_of(message, channel)
    taken = contact.ledger.full(caps_on(policy, message, contact.consents), place, now)
    if taken is None:
        return None
    better = [
        other
        for other in taken
        if other.dated is None and other.rule != message.rule and rank(other) < rank(place)
    ]
    if better:
        return Close(Reason.LOST_ARBITRATION, min(better, key=contact.turn).message)
    return Close(Reason.CAPPED)


def rank(place: Place) -> tuple[int, object, Instant, str]:
    """The order in which messages compete, the best first: purpose, then score, then age.

    What is equal in all of these goes by the rule's name; messages of one rule do not compete.
    """
    return (_PURPOSES.index(place.purpose), -place.score, place.decided_for, place.rule)


_PURPOSES = (Purpose.CRITICAL, Purpose.SERVICE, Purpose.MARKETING)


def _when_awake(
    message: Message, send: Send, profile: Profile, policy: Policy, now: Instant, pace: Pace
) -> Verdict:
    quiet = policy.quiet_hours_on.get(send.channel, policy.quiet_hours)
    if message.purpose is Purpose.CRITICAL or quiet is None:
        return send
    zone = zone_of(profile.value("timezone"), policy.default_timezone)
    allowed = next_allowed(quiet, zone, now, pace.call_within)
    if allowed <= now:
        return send
    if now >= message.deliver_by:
        return Close(Reason.EXPIRED)
    # Soon after quiet hours, another moment for each message, where that is in time and not quiet again.
    room = min(pace.spread, message.deliver_by - pace.call_within - allowed)
    later = allowed + int(message.message_id[:8], 16) % room if room > 0 else allowed
    if is_quiet(quiet, zone, later) or is_quiet(quiet, zone, later + pace.call_within):
        later = allowed
    return Defer(min(later, message.deliver_by), Reason.DEFERRED_QUIET_HOURS, send.channel)
