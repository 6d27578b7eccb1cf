"""Which of a customer's messages go on: those just decided compete with one another and with those that wait.

Better ones are asked first (`gates.rank`); the caps decide how many win. A better message takes the place of a
lesser one that waits only where a cap is full. Sends of one rule do not compete with each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from foreword.domain.gates import (
    ON_THE_ROAD,
    Close,
    Contact,
    Defer,
    Pace,
    Send,
    Verdict,
    caps_on,
    judge,
    open_channels,
    place_of,
    rank,
)
from foreword.domain.instants import Instant
from foreword.domain.ledger import Ledger, Place
from foreword.domain.messages import Message
from foreword.domain.rulebook import Channel, FrequencyCap, Policy


@dataclass(slots=True)
class Admitted:
    """What becomes of the messages, in the order in which they were given.

    `sends` by message id are those that may leave at once, `displaced` by message id the name of the message which
    took the place of one that waited. `ledger` is to be written with them.
    """

    ledger: Ledger
    messages: list[Message] = field(default_factory=list)
    sends: dict[str, Send] = field(default_factory=dict)
    displaced: dict[str, str] = field(default_factory=dict)


def admit(
    messages: Sequence[Message], contact: Contact, policy: Policy, now: Instant, pace: Pace = ON_THE_ROAD
) -> Admitted:
    """Pure. Messages are READY; they come out READY with their channel, DEFERRED, or NOT_SENT with the reason.

    What is equal in rank is asked in its turn, or in the order in which it is given.
    """
    admitted = Admitted(contact.ledger)
    outcome: dict[str, Message] = {}
    in_order = sorted(messages, key=lambda it: contact.turns.get(it.message_id, ()))
    for message in sorted(in_order, key=lambda it: rank(place_of(it, it.channels[0]))):
        verdict = _verdict(message, contact, policy, now, pace, admitted)
        channel = None if isinstance(verdict, Close) else verdict.channel
        admitted.ledger = _reserved(admitted.ledger, message, channel, contact, policy)
        has_place = message.message_id in admitted.ledger.places
        outcome[message.message_id] = _after(message, verdict, now, has_place=has_place)
        if isinstance(verdict, Send):
            admitted.sends[message.message_id] = verdict
    admitted.messages = [outcome[message.message_id] for message in messages]
    return admitted


def _reserved(
    ledger: Ledger, message: Message, channel: Channel | None, contact: Contact, policy: Policy
) -> Ledger:
    """With the message's place on the channel, on none without it; a place that was dated stays so."""
    had = ledger.places.get(message.message_id)
    if channel is None or not caps_on(policy, message, contact.consents):
        return ledger if had is None else ledger.without(message.message_id)
    place = replace(place_of(message, channel), dated=None if had is None else had.dated)
    return ledger if place == had else ledger.with_place(place)


def _after(message: Message, verdict: Verdict, now: Instant, *, has_place: bool) -> Message:
    match verdict:
        case Send(channel=channel):
            return replace(message, channel=channel, has_place=has_place)
        case Defer(until, reason, channel):
            return replace(message.deferred(until, reason), channel=channel, has_place=has_place)
        case Close(reason, winner):
            return replace(message.not_sent(reason, now), winner=winner, has_place=has_place)


def _verdict(
    message: Message, contact: Contact, policy: Policy, now: Instant, pace: Pace, admitted: Admitted
) -> Verdict:
    """The gates' answer, after lesser messages have made room where that opens them."""
    if contact.ledger is not admitted.ledger:
        contact = replace(contact, ledger=admitted.ledger)
    verdict = judge(message, contact, policy, now, pace)
    if not isinstance(verdict, Close) or not admitted.ledger.places or contact.holds.held(message, now):
        return verdict
    for channel in open_channels(message, contact, policy):
        place = place_of(message, channel)
        displaced = _in_the_way(place, caps_on(policy, message, contact.consents), contact, now)
        if not displaced:
            continue
        ledger = admitted.ledger
        for lesser in displaced:
            ledger = ledger.without(lesser.message_id)
        opened = judge(message, replace(contact, ledger=ledger), policy, now, pace)
        if not isinstance(opened, Close):  # too late, even with room: nobody has to give way
            admitted.ledger = ledger
            admitted.displaced |= {lesser.message_id: message.message for lesser in displaced}
            return opened
    return verdict


def _in_the_way(place: Place, caps: Sequence[FrequencyCap], contact: Contact, now: Instant) -> list[Place]:
    """The lesser messages that wait, and make room for this one by giving way; none where that is not enough.

    Cap by cap the least goes first; whoever need not have gone stays.
    """
    ledger, gone = contact.ledger, list[Place]()
    while taken := ledger.full(caps, place, now):
        lesser = [
            other
            for other in taken
            if other.dated is None and other.rule != place.rule and rank(other) > rank(place)
        ]
        if not lesser:
            return []
        gone.append(max(lesser, key=contact.turn))
        ledger = ledger.without(gone[-1].message_id)
    needed = []
    for other in sorted(gone, key=contact.turn):
        with_it = ledger.with_place(other)
        if with_it.full(caps, place, now) is None:
            ledger = with_it
        else:
            needed.append(other)
    return needed
