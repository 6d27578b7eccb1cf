"""Walking facts and deadlines in their order, and noting where a rule's condition rises.

The walk is the only place where truth is computed. It decides nothing: `fold` matches the rises it found
against the decisions already made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foreword.domain.core import CompiledRule, Core, EventNames, ProfileView, event_names
from foreword.domain.errors import NeedsJournal
from foreword.domain.facts import Fact
from foreword.domain.instants import Instant
from foreword.domain.profiles import Attribute, Profile
from foreword.domain.state import Order, State

AFTER_ALL_FACTS = (2**62, "")
"""A deadline stands behind every fact of its own instant: an event at exactly the deadline still meets it."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What made an evaluation: a fact at its own time, or the deadline of an `after` fact.

    `event` is what conditions see (None where they do not name it); `known_at` is when the fact was received,
    for a deadline the deadline itself.
    """

    key: str
    event: Mapping[str, Any] | None
    at: Instant
    known_at: Instant


@dataclass(slots=True)
class Rise:
    """A condition true at `cause.at` that was false just before. `until` is where it was found to have ended."""

    rule: CompiledRule
    cause: Cause
    moment: bool
    eligible: bool
    signals: dict[str, Any]
    until: Instant | None = None

    @property
    def at(self) -> Instant:
        return self.cause.at


class Walk:
    """One pass over one customer's facts; it works on `state` in place."""

    def __init__(
        self,
        core: Core,
        state: State,
        profile: Profile,
        earlier: Mapping[str, list[Attribute]] | None = None,
    ) -> None:
        self.state = state
        self.rises: list[Rise] = []
        self._core = core
        self._profile = profile
        self._earlier = earlier
        self._running: dict[str, Rise] = {}

    def fact(self, fact: Fact) -> None:
        """Apply one fact and evaluate every rule it touches."""
        rules = self._core.touched_by(fact.type)
        if not rules:
            return
        cause = Cause(fact.key, event_names(fact), fact.occurred_at, fact.received_at)
        profile = ProfileView(self._profile, cause.at, self._earlier)
        names = EventNames(cause.event, profile, self._core.lists, {})
        for rule in rules:
            memory = self.state.memory.get(rule.name) or rule.start()
            before = self._values_before(rule, memory, cause.at)
            matched = {
                name for name, found in rule.trackers.items() if found.apply(memory[name], fact, names)
            }
            if not matched:
                continue
            self._move_to(fact.order)
            self.state.memory[rule.name] = memory
            self.state.before[rule.name] = before
            if matched & rule.evaluated_by:
                self._evaluate(rule, cause, profile)

    def deadlines(self, through: Instant) -> None:
        """Evaluate every pending deadline up to `through`, in order."""
        while (due := self.next_deadline()) is not None and due <= through:
            self._ring(due)

    def next_deadline(self) -> Instant | None:
        """The earliest pending deadline of a signal that some rule's condition uses."""
        pending = (
            self.state.memory[name][signal]["pending"]
            for name, rule in self._core.rules.items()
            if name in self.state.memory
            for signal in rule.deadlines
        )
        return min((entries[0][0] for entries in pending if entries), default=None)

    def _ring(self, due: Instant) -> None:
        """Let one `after` fact's deadline be met, and evaluate its rule."""
        if due < self.state.position[0]:
            raise NeedsJournal(f"facts behind the deadline {due} are applied already")
        rule, memory, signal = next(
            (rule, self.state.memory[name], signal)
            for name, rule in self._core.rules.items()
            if name in self.state.memory
            for signal in rule.deadlines
            if (entries := self.state.memory[name][signal]["pending"]) and entries[0][0] == due
        )
        before = self._values_before(rule, memory, due)
        _, key, kept = memory[signal]["pending"].pop(0)
        memory[signal]["rung"] = due
        self._move_to((due, *AFTER_ALL_FACTS))
        self.state.before[rule.name] = before
        event = None if kept is None else event_names(Fact.from_json(kept))
        self._evaluate(rule, Cause(key, event, due, due), ProfileView(self._profile, due, self._earlier))

    def _evaluate(self, rule: CompiledRule, cause: Cause, profile: ProfileView) -> None:
        t = cause.at
        values = rule.values(self.state.memory[rule.name], t)
        now = EventNames(cause.event, profile, self._core.lists, values)
        was = EventNames(cause.event, profile, self._core.lists, self.state.before[rule.name])
        was_true, is_true = rule.is_true(was), rule.is_true(now)
        running = self._running.get(rule.name)
        if running is not None and (running.at == t or (was_true and running.until in (None, t))):
            # The same rise goes on, or ends here; a further fact of this instant may yet take that back.
            running.until = None if is_true else t
            return
        if running is not None:
            running.until = t if running.until is None else running.until
            del self._running[rule.name]
        if is_true and not was_true:
            moment = any(rule.trackers[name].moment and values[name] is True for name in rule.evaluated_by)
            rise = Rise(rule, cause, moment, rule.is_eligible(now), values)
            self.rises.append(rise)
            self._running[rule.name] = rise

    def _values_before(
        self, rule: CompiledRule, memory: Mapping[str, dict[str, Any]], t: Instant
    ) -> dict[str, Any]:
        """The signals just before `t`: computed at the first fact of an instant, kept for the further ones."""
        if self.state.position[0] == t and rule.name in self.state.before:
            return self.state.before[rule.name]
        return rule.values(memory, t, before=True)

    def _move_to(self, position: Order) -> None:
        if self.state.position[0] != position[0]:
            self.state.before = {}
        self.state.position = position
