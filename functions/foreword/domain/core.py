"""A rulebook made ready to decide: conditions compiled, rules found by the event type that touches them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from foreword.domain.conditions import compile_expression, holds, root_names
from foreword.domain.errors import NeedsJournal
from foreword.domain.facts import Fact
from foreword.domain.instants import Instant, to_datetime
from foreword.domain.profiles import ADDRESSES, Attribute, Profile
from foreword.domain.rulebook import AbsenceSignal, Mode, Rule, Rulebook
from foreword.domain.signals import AbsenceTracker, Tracker, tracker


class CompiledRule:
    """One rule, its conditions and its signals' trackers; holds no customer."""

    def __init__(self, rule: Rule, rulebook: Rulebook) -> None:
        self.rule = rule
        self.name = rule.rule
        conditions = (rule.when, rule.eligible)
        keep_event = any("event" in root_names(condition) for condition in conditions)
        retention = rulebook.policy.retention
        used = root_names(rule.when)
        self.trackers: dict[str, Tracker] = {
            name: tracker(signal, retention, keep_event=keep_event)
            for name, signal in rule.signals.items()
            # A deadline that the condition does not name would never ring, and wait for ever.
            if name in used or not isinstance(signal, AbsenceSignal)
        }
        self.evaluated_by = frozenset(name for name in rule.signals if name in used)
        self.deadlines: dict[str, AbsenceTracker] = {
            name: found
            for name, found in self.trackers.items()
            if isinstance(found, AbsenceTracker) and name in self.evaluated_by
        }
        self._when = compile_expression(rule.when)
        self._eligible = compile_expression(rule.eligible)

    def start(self) -> dict[str, dict[str, Any]]:
        return {name: found.start() for name, found in self.trackers.items()}

    def values(
        self, memory: Mapping[str, dict[str, Any]], t: Instant, *, before: bool = False
    ) -> dict[str, Any]:
        """Every signal's value at `t` (or just before it), None where undefined."""
        return {name: found.value(memory[name], t, before=before) for name, found in self.trackers.items()}

    def is_true(self, names: Mapping[str, Any]) -> bool:
        return holds(self._when, names)

    def is_eligible(self, names: Mapping[str, Any]) -> bool:
        return holds(self._eligible, names)


class Core:
    """A compiled rulebook. `rules` are the live and shadow ones by name."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self.lists = {name: list(values) for name, values in rulebook.lists.items()}
        self.rules = {
            rule.rule: CompiledRule(rule, rulebook) for rule in rulebook.rules if rule.mode is not Mode.DRAFT
        }
        self._by_type: dict[str, tuple[CompiledRule, ...]] = {}

    def touched_by(self, event_type: str) -> tuple[CompiledRule, ...]:
        """The rules with a signal that may see events of this type."""
        found = self._by_type.get(event_type)
        if found is None:
            found = tuple(
                rule
                for rule in self.rules.values()
                if any(
                    event.may_match(event_type)
                    for signal in rule.trackers.values()
                    for event in signal.filters
                )
            )
            self._by_type[event_type] = found
        return found


class ProfileView(Mapping[str, Any]):
    """The profile as it stood at `t`: what a condition may see of it, never an address.

    `earlier` gives what the journal still tells of attributes that were written again since; without it, such
    an attribute cannot be answered and the journal is asked for.
    """

    def __init__(
        self, profile: Profile, t: Instant, earlier: Mapping[str, list[Attribute]] | None = None
    ) -> None:
        self._profile = profile
        self._t = t
        self._earlier = earlier

    def __getitem__(self, name: str) -> Any:
        if name in ADDRESSES:
            raise KeyError(name)
        attribute = self._profile.attributes[name]
        if attribute.written[0] > self._t:
            if self._earlier is None:
                raise NeedsJournal(f"profile.{name} was written again since {self._t}")
            older = [entry for entry in self._earlier.get(name, []) if entry.written[0] <= self._t]
            if not older:
                raise KeyError(name)
            attribute = older[-1]
        if attribute.value is None:
            raise KeyError(name)
        return attribute.value

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._profile.attributes if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass(frozen=True, slots=True)
class EventNames(Mapping[str, Any]):
    """What conditions may name: the causing event, the profile, the lists, and one rule's signal values."""

    event: Mapping[str, Any] | None
    profile: Mapping[str, Any]
    lists: Mapping[str, list[str]]
    signals: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        if name == "profile":
            return self.profile
        if name == "event" and self.event is not None:
            return self.event
        if name == "lists":
            return self.lists
        value = self.signals.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(("event", "profile", "lists", *self.signals))

    def __len__(self) -> int:
        return 3 + len(self.signals)


def event_names(fact: Fact) -> dict[str, Any]:
    """`event` as conditions see it."""
    return {
        "data": fact.data,
        "type": fact.type,
        "source": fact.source,
        "occurred_at": to_datetime(fact.occurred_at),
    }
