"""How one customer may be reached as time goes by, as the customer's own events tell it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from foreword.domain.consent import Consents
from foreword.domain.facts import CUSTOMER_UPDATED, PREFERENCE_CHANGED, Fact
from foreword.domain.instants import Duration, Instant
from foreword.domain.profiles import Profile

TOLD_BY = frozenset({CUSTOMER_UPDATED, PREFERENCE_CHANGED})
"""The events that a gate reads."""

V = TypeVar("V")


class _AsOf(Generic[V]):
    """A value that changes at times, each not before the one before it."""

    def __init__(self, first: V) -> None:
        self.latest = first
        self._times: list[Instant] = []
        self._values = [first]

    def change(self, t: Instant, value: V) -> None:
        self.latest = value
        self._times.append(t)
        self._values.append(value)

    def __call__(self, t: Instant) -> V:
        return self._values[bisect_right(self._times, t)] if self._times else self.latest


@dataclass(frozen=True, slots=True)
class Reached:
    """The profile and the consents as of a time.

    `limits_within` is how far any limit of the customer's own looks back, whenever it is set: it counts what left
    before it too.
    """

    profile: _AsOf[Profile]
    consents: _AsOf[Consents]
    limits_within: Duration = 0


def reached(
    profile: Profile, consents: Consents, facts: Iterable[Fact], *, as_given: bool = False
) -> Reached:
    """From these on, by facts in their order. `as_given`: no fact changes the profile."""
    profiles, choices = _AsOf(profile), _AsOf(consents)
    limits = [_limit(consents)]
    for fact in facts:
        if fact.type == PREFERENCE_CHANGED:
            choices.change(fact.occurred_at, choices.latest.merge(fact))
            limits.append(_limit(choices.latest))
        elif fact.type == CUSTOMER_UPDATED and not as_given:
            profiles.change(fact.occurred_at, profiles.latest.merge(fact))
    return Reached(profiles, choices, max(limits))


def _limit(consents: Consents) -> Duration:
    return 0 if consents.at_most is None else consents.at_most.within
