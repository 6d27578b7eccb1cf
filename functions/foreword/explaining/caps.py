"""The frequency caps that a message meets: who takes their places, and when the next one is free."""

from __future__ import annotations

from collections.abc import Iterator

from foreword.domain.gates import Contact, caps_on, place_of
from foreword.domain.instants import Instant
from foreword.domain.ledger import Place
from foreword.domain.messages import Message
from foreword.domain.rulebook import FrequencyCap, Policy
from foreword.explaining.explanation import CapExplained, TakenPlace


def caps_of(message: Message, contact: Contact, policy: Policy, t: Instant) -> tuple[CapExplained, ...]:
    return tuple(_caps_of(message, contact, policy, t))


def _caps_of(message: Message, contact: Contact, policy: Policy, t: Instant) -> Iterator[CapExplained]:
    for at, cap in enumerate(caps_on(policy, message, contact.consents)):
        if not any(place_of(message, channel).is_under(cap) for channel in message.channels):
            continue
        places = [
            place
            for place in contact.ledger.places.values()
            if place.message_id != message.message_id and place.counts(cap, t)
        ]
        taken = sorted((_taken(place, cap) for place in places), key=lambda one: one.free_at)
        over = len(taken) - cap.at_most
        yield CapExplained(
            purpose="any" if cap.purpose is None else cap.purpose.value,
            channel="any" if cap.channel is None else cap.channel.value,
            at_most=cap.at_most,
            within=cap.within,
            own=at >= len(policy.frequency_caps),
            taken=tuple(taken),
            free_at=taken[over].free_at if over >= 0 else None,
        )


def _taken(place: Place, cap: FrequencyCap) -> TakenPlace:
    """A place that was dated is free when its window has passed; one that waits, at the latest when it expires."""
    free_at = place.deliver_by + 1 if place.dated is None else place.dated + cap.within
    return TakenPlace(place.message, place.rule, place.score, place.dated, free_at)
