"""What is stored of one customer, and what of it was known at an earlier time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from foreword.domain.consent import Consents
from foreword.domain.facts import CUSTOMER_UPDATED, PREFERENCE_CHANGED, Fact
from foreword.domain.instants import Instant
from foreword.domain.ledger import Ledger
from foreword.domain.messages import Message
from foreword.domain.pauses import NO_PAUSES, Pauses
from foreword.domain.profiles import ADDRESSES, Attribute, Profile


@dataclass(frozen=True, slots=True)
class Customer:
    """`facts` is the whole journal, in no order; `messages` the contact history.

    `unknown_addresses` are attributes that were written since: what stood there then is told nowhere, because
    the journal holds no address. `pauses` is the emergency stop, as it is now.
    """

    customer_id: str
    facts: Sequence[Fact]
    profile: Profile
    messages: Sequence[Message]
    consents: Consents
    ledger: Ledger | None = None
    pauses: Pauses = NO_PAUSES
    unknown_addresses: frozenset[str] = frozenset()

    @property
    def places(self) -> Ledger:
        """Who takes a place under the frequency caps."""
        return self.ledger or Ledger(self.customer_id)

    @property
    def is_known(self) -> bool:
        return bool(self.facts or self.messages or self.profile.version or self.consents.version)

    def as_of(self, at: Instant) -> Customer:
        """Without what happened, came or was decided later. Suppressions carry no time, and stay."""
        facts = [fact for fact in self.facts if _was_known(fact, at)]
        messages = [message for message in self.messages if message.decided_at <= at]
        later = {name for name, one in self.profile.attributes.items() if not _was_written(one.written, at)}
        return Customer(
            self.customer_id,
            facts,
            _profile_of(self.profile, facts, later),
            messages,
            _consents_of(self.consents, facts, at),
            _ledger_of(self.places, messages, at),
            self.pauses,
            self.unknown_addresses | (later & set(ADDRESSES)),
        )


def _ledger_of(ledger: Ledger, messages: Sequence[Message], at: Instant) -> Ledger:
    """Without the places that were taken later; one that was given back since is told nowhere."""
    known = {message.message_id for message in messages}
    places = {
        name: replace(place, dated=None) if place.dated is not None and place.dated > at else place
        for name, place in ledger.places.items()
        if name in known
    }
    return replace(ledger, places=places)


def _was_known(fact: Fact, at: Instant) -> bool:
    return fact.occurred_at <= at and fact.received_at <= at


def _was_written(order: tuple[Instant, Instant, str], at: Instant) -> bool:
    occurred_at, received_at, _ = order
    return occurred_at <= at and received_at <= at


def _profile_of(profile: Profile, facts: Sequence[Fact], later: set[str]) -> Profile:
    """Attributes written `later` stand as the journal tells them, or not at all."""
    if not later:
        return profile
    stood = {name: one for name, one in profile.attributes.items() if name not in later}
    written = [fact for fact in facts if fact.type == CUSTOMER_UPDATED]
    for fact in sorted(written, key=lambda fact: fact.order):
        stood |= {name: Attribute(value, fact.order) for name, value in fact.data.items() if name in later}
    return replace(profile, attributes=stood)


def _consents_of(consents: Consents, facts: Sequence[Fact], at: Instant) -> Consents:
    """A choice made later took the place of an earlier one, which the journal tells."""
    choices = {of: one for of, one in consents.choices.items() if _was_written(one.written, at)}
    pending = {of: one for of, one in consents.pending.items() if _was_written(one.written, at)}
    settings = {of: one for of, one in consents.settings.items() if _was_written(one.written, at)}
    known = replace(consents, choices=choices, pending=pending, settings=settings)
    if known != consents:
        for fact in facts:
            if fact.type == PREFERENCE_CHANGED:
                known = known.merge(fact)
    return known
