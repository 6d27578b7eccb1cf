"""One customer's facts as they stand in the end, and the profile at any time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from foreword.domain.facts import Fact
from foreword.domain.rulebook import EventFilter, Expression
from tests.reference.conditions import Micros, Time, holds, value_or_none

FOREWORDS_OWN = {
    "MessageSent",
    "MessageDelivered",
    "MessageDelayed",
    "MessageBounced",
    "MessageComplained",
    "MessageOpened",
    "MessageClicked",
    "MessageSkipped",
    "MessageOutcomeUnknown",
    "TaskRequested",
    "OutboundRequested",
    "PreferenceChanged",
    "EventRejected",
    "DeadlineReached",
}


@dataclass(frozen=True)
class History:
    """`facts` stand in their order. `profile` is as given, always; None where the facts tell it."""

    facts: tuple[Fact, ...]
    profile: Mapping[str, Any] | None
    lists: Mapping[str, tuple[str, ...]]

    def until(self, end: int) -> History:
        return History(tuple(f for f in self.facts if f.occurred_at <= end), self.profile, self.lists)

    def profile_at(self, t: Micros) -> dict[str, Any]:
        """As of `t`, whatever stands before or after what at one instant."""
        found: dict[str, Any] = {}
        if self.profile is not None:
            found |= self.profile
        else:
            for fact in self.facts:
                if fact.type == "CustomerUpdated" and fact.occurred_at <= t:
                    found |= fact.data
        return {
            name: value
            for name, value in found.items()
            if value is not None and name not in ("email", "phone")
        }

    def profile_changes(self) -> list[int]:
        if self.profile is not None:
            return []
        return [fact.occurred_at for fact in self.facts if fact.type == "CustomerUpdated"]

    def names(self, event: Fact | None, t: Micros) -> dict[str, Any]:
        """What a condition may name at `t`, signals apart."""
        names: dict[str, Any] = {"profile": self.profile_at(t), "lists": self.lists}
        if event is not None:
            names["event"] = {
                "data": event.data,
                "type": event.type,
                "source": event.source,
                "occurred_at": Time(event.occurred_at),
            }
        return names

    def matches(self, event: EventFilter, fact: Fact) -> bool:
        if event.types is None:
            named = fact.type != "CustomerUpdated" and fact.type not in FOREWORDS_OWN
        else:
            named = fact.type in event.types
        return named and (event.where is None or holds(event.where, self.names(fact, fact.occurred_at)))

    def value(self, expression: Expression, fact: Fact) -> Any:
        """Of an expression on the fact; None where it has none."""
        return value_or_none(expression, self.names(fact, fact.occurred_at))


def history_of(
    facts: Iterable[Fact], profile: Mapping[str, Any] | None, lists: Mapping[str, tuple[str, ...]]
) -> History:
    """Each source and id once, its first receipt; what was retracted is gone, and so is what retracted it."""
    known: dict[tuple[str, str], Fact] = {}
    for fact in sorted(facts, key=lambda fact: fact.received_at):
        known.setdefault((fact.source, fact.id), fact)
    retracted = {(fact.source, fact.retracts) for fact in known.values() if fact.retracts is not None}
    standing = [fact for key, fact in known.items() if key not in retracted and fact.retracts is None]
    standing.sort(key=lambda fact: (fact.occurred_at, fact.received_at, fact.key))
    return History(tuple(standing), profile, lists)
