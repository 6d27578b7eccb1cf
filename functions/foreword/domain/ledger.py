"""A customer's cap ledger: which messages hold a place under the frequency caps.

A place is reserved when a message is decided, dated when it is claimed (and dated anew at each further claim), and
given back only when it is certain that nothing went out. A reserved place that was never dated is one until its
message has expired: it can never leave after that, whatever became of the record of it.

Why no cap is ever exceeded: whoever reserves or dates a place writes the ledger over the version it was read at, so
of the places that a window holds the one reserved last saw all the others, as reserved or as dated in its window.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from foreword.domain.instants import Duration, Instant
from foreword.domain.rulebook import Channel, FrequencyCap, Purpose


@dataclass(frozen=True, slots=True)
class Place:
    """`dated` is when the message was last claimed, None while it is only reserved."""

    message_id: str
    rule: str
    message: str
    purpose: Purpose
    channel: Channel
    score: Decimal
    decided_for: Instant
    deliver_by: Instant
    dated: Instant | None = None

    def is_under(self, cap: FrequencyCap) -> bool:
        """Any purpose means marketing and service: critical messages keep no cap and take no place."""
        any_purpose = cap.purpose is None and self.purpose is not Purpose.CRITICAL
        return (any_purpose or cap.purpose is self.purpose) and cap.channel in (None, self.channel)

    def counts(self, cap: FrequencyCap, now: Instant) -> bool:
        """Whether it takes one of the cap's places at `now`."""
        if not self.is_under(cap):
            return False
        return self.deliver_by >= now if self.dated is None else self.dated > now - cap.within


@dataclass(frozen=True, slots=True)
class Ledger:
    """`places` by message id. `version` counts its writes, 0 where there is none yet."""

    customer_id: str
    places: Mapping[str, Place] = field(default_factory=dict)
    version: int = 0

    def full(self, caps: Iterable[FrequencyCap], place: Place, now: Instant) -> list[Place] | None:
        """Who takes the places of a cap that has none left for `place`; None where there is room under all."""
        for cap in caps:
            if not place.is_under(cap):
                continue
            taken = [
                other
                for other in self.places.values()
                if other.message_id != place.message_id and other.counts(cap, now)
            ]
            if len(taken) >= cap.at_most:
                return taken
        return None

    def with_place(self, place: Place) -> Ledger:
        return replace(self, places={**self.places, place.message_id: place})

    def without(self, *message_ids: str) -> Ledger:
        kept = {name: place for name, place in self.places.items() if name not in message_ids}
        return replace(self, places=kept)

    def dated(self, message_id: str, now: Instant) -> Ledger:
        """The message's place, if it has one, counts from `now` on."""
        place = self.places.get(message_id)
        return self if place is None else self.with_place(replace(place, dated=now))

    def pruned(self, kept_for: Duration, now: Instant) -> Ledger:
        """Without the places that no window as long as `kept_for` will ever see again."""
        kept = {
            name: place
            for name, place in self.places.items()
            if (place.deliver_by if place.dated is None else place.dated) > now - kept_for
        }
        return self if len(kept) == len(self.places) else replace(self, places=kept)
