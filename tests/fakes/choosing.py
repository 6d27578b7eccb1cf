"""The customer's choices in memory: a journal that merges as the real one does, in one step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from foreword.domain.consent import Consents
from foreword.domain.facts import Fact
from foreword.domain.profiles import Profile
from tests.fakes.delivery import nothing


@dataclass
class FakeChoices:
    """The ports `CustomerChoices` and `Journal`. What `before_add` raises is a crash; what it adds came first."""

    profiles: dict[str, Profile] = field(default_factory=dict)
    consents: dict[str, Consents] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)
    before_add: Callable[[], None] = nothing

    def read(self, customer_id: str) -> tuple[Profile, Consents]:
        return (
            self.profiles.get(customer_id, Profile(customer_id)),
            self.consents.get(customer_id, Consents(customer_id)),
        )

    def add(self, fact: Fact) -> bool:
        self.before_add()
        if fact.key in self.facts:
            return False
        _, consents = self.read(fact.customer_id)
        self.consents[fact.customer_id] = replace(consents.merge(fact), version=consents.version + 1)
        self.facts[fact.key] = fact
        return True
