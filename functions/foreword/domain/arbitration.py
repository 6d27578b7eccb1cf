"""Which of a customer's messages go on: those just decided compete with one another and with those that wait.

Better ones are asked first (`gates.rank`); the caps decide how many win. A better message takes the place of a
lesser one that waits only where a cap is full. Sends of one rule do not compete with each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from foreword.domain.gates import SPREAD, Close, Contact, Defer, Send, Verdict, caps_on, judge, place_of, rank
from foreword.domain.instants import Duration, Instant
from foreword.domain.ledger import Ledger, Place
from foreword.domain.messages import Message
from foreword.domain.rulebook import Channel, Policy


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
    messages: Sequence[Message], contact: Contact, policy: Policy, now: Instant, spread: Duration = SPREAD
) -> Admitted:
    """Pure. Messages are READY; they come out READY with their channel, DEFERRED, or NOT_SENT with the reason."""
    admitted = Admitted(contact.ledger)
    outcome: dict[str, Message] = {}
    for message in sorted(messages, key=lambda it: rank(place_of(it, it.channels[0]))):
        verdict = _verdict(message, contact, policy, now, spread, admitted)
        channel = None if isinstance(verdict, Close) else verdict.channel
        admitted.ledger = _reserved(admitted.ledger, message, channel, contact, policy)
        has_place = message.message_id in admitted.ledger.places
        outcome[message.message_id] = replace(_after(message, verdict, now), has_place=has_place)
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


def _after(message: Message, verdict: Verdict, now: Instant) -> Message:
    match verdict:
        case Send(channel=channel):
            return replace(message, channel=channel)
        case Defer(until, reason, channel):
            return replace(message.deferred(until, reason), channel=channel)
        case Close(reason, winner):
            return replace(message.not_sent(reason, now), winner=winner)


def _verdict(
    message: Message, contact: Contact, policy: Policy, now: Instant, spread: Duration, admitted: Admitted
) -> Verdict:
    """The gates' answer, after lesser messages have made room where that opens them."""

    def judged(ledger: Ledger) -> Verdict:
        return judge(message, replace(contact, ledger=ledger), policy, now, spread)

    ledger = admitted.ledger
    first = verdict = judged(ledger)
    gone: list[Place] = []
    while isinstance(verdict, Close) and verdict.wants_room:
        lesser = _lesser(message, contact, ledger, policy, now)
        if lesser is None:
            return first
        gone.append(lesser)
        ledger = ledger.without(lesser.message_id)
        verdict = judged(ledger)
    if isinstance(verdict, Close):
        return first  # too late, even with room: nobody has to give way
    # Some may have made room on a channel that it does not take in the end: they stay, the best of them first.
    for lesser in sorted(gone, key=rank):
        with_it = ledger.with_place(lesser)
        if judged(with_it) == verdict:
            ledger = with_it
            gone.remove(lesser)
    if gone:
        admitted.ledger = admitted.ledger.without(*(lesser.message_id for lesser in gone))
        admitted.displaced |= {lesser.message_id: message.message for lesser in gone}
    return verdict


def _lesser(message: Message, contact: Contact, ledger: Ledger, policy: Policy, now: Instant) -> Place | None:
    """The least of the messages that wait with a place under a full cap, where it is less than this one."""
    lesser: list[Place] = []
    for channel in message.channels:
        place = place_of(message, channel)
        for taken in ledger.full(caps_on(policy, message, contact.consents), place, now) or ():
            if taken.dated is None and taken.rule != message.rule and rank(taken) > rank(place):
                lesser.append(taken)
    return max(lesser, key=rank, default=None)
