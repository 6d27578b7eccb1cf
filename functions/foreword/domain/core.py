"""A rulebook made ready to decide: conditions and handlers compiled when first needed, signals shared by rules.

Rules are found by the event type that touches them; a thousand rules of other types cost an event nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import ROUND_CEILING, Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from foreword.domain.conditions import compile_expression, fields_of, nodes, root_names
from foreword.domain.errors import ConditionError
from foreword.domain.facts import CUSTOMER_UPDATED, PEERS_COMPARED, Fact
from foreword.domain.handlers import Handler, RuleCode, event_names, may_match, write_handler
from foreword.domain.holding import CompiledHolds, willingness_signal
from foreword.domain.rulebook import (
    BaselineSignal,
    CountSignal,
    DistinctSignal,
    Document,
    EventFilter,
    Expression,
    Mode,
    PeersSignal,
    Rule,
    Rulebook,
    Signal,
)
from foreword.domain.signals.build import build
from foreword.domain.signals.deadlines import DateTracker, Deadlines
from foreword.domain.signals.packing import identity
from foreword.domain.signals.tracker import Keeper, Tracker

if TYPE_CHECKING:
    from foreword.domain.walk import Walk

MOST_TIMES = 64
"""No threshold makes a memory keep more times or values one by one."""

_ENOUGH = {">=": 0, "<": 0, ">": 1, "<=": 1, "==": 1, "!=": 1}
_MIRRORED = {">=": "<=", "<=": ">=", ">": "<", "<": ">", "==": "==", "!=": "!="}


class CompiledRule:
    """One rule, its conditions and its signals' trackers; holds no customer.

    `keys` names the memory of each signal, `used` the signals that the condition names, `evaluated_by` those whose
    events evaluate it. `peers` is the signal that compares with a cohort, of a rule that is asked at closes alone.
    """

    def __init__(self, rule: Rule, core: Core) -> None:
        self.rule = rule
        self.name = rule.rule
        self.lists = core.lists
        self.used = root_names(rule.when) & rule.signals.keys()
        self.peers: tuple[str, PeersSignal] | None = next(
            ((name, signal) for name, signal in rule.signals.items() if isinstance(signal, PeersSignal)), None
        )
        self.asked_at_events = rule.evaluate is None and self.peers is None
        self.profile_fields = frozenset(
            field for asked in rule.expressions for field in fields_of(asked, "profile")
        )
        self.names = tuple(rule.signals)
        self.keys: dict[str, str] = {}
        self.trackers: dict[str, Tracker] = {}
        named = frozenset[str]().union(*(root_names(asked) for asked in rule.expressions))
        self.untracked: dict[str, Any] = {}
        for name, signal in rule.signals.items():
            if isinstance(signal, PeersSignal):
                self.untracked[name] = None
                continue
            if _waits(signal) and name not in named:
                self.untracked[name] = False  # a deadline that nobody asks for is not waited for
                continue
            self.keys[name], self.trackers[name] = core.tracker_of(rule, signal)
        self.moments = tuple(
            at
            for at, name in enumerate(self.names)
            if name in self.used and name in self.trackers and self.trackers[name].moment
        )
        self._sources = [self._source(name) for name in self.names]
        self._cohort = None if self.peers is None else compile_expression(self.peers[1].cohort)
        self._code = RuleCode(self)
        unconditional = all(send.condition is None for send in rule.sends)
        self._all_sends = tuple(range(len(rule.sends))) if unconditional else None

    def key(self, name: str, case: str | None) -> str:
        """Where a customer keeps the signal's memory; cases have one each."""
        key = self.keys[name]
        return key if case is None or self.rule.is_customer_wide(name) else f"{key}/{case}"

    def values(self, walk: Walk, t: int, case: str | None) -> tuple[Any, ...]:
        """Every signal's value at `t` in the order of `names`, None where undefined."""
        memories, first_event = walk.memories, walk.first_event
        return tuple(
            [
                constant
                if ask is None
                else ask(memories[key if case is None or wide else f"{key}/{case}"], t, first_event)
                for ask, key, wide, constant in self._sources
            ]
        )

    def empty_values(self, t: int) -> tuple[Any, ...]:
        """Every signal's value at `t` for a customer of whom nothing is known."""
        return tuple(
            self.untracked[name]
            if name in self.untracked
            else self.trackers[name].value(self.trackers[name].start(), t, None)
            for name in self.names
        )

    def _source(self, name: str) -> tuple[Callable[[Any, int, int | None], Any] | None, str, bool, Any]:
        """What to ask for the signal's value, of the memory under which key, customer-wide or not; or the value."""
        if name in self.untracked:
            return None, "", True, self.untracked[name]
        return self.trackers[name].value, self.keys[name], self.rule.is_customer_wide(name), None

    def holds(self, fact: Fact | None, t: int, profile: Mapping[str, Any], values: tuple[Any, ...]) -> bool:
        """Whether `when` is true; `fact` is what `event` means, None where it is unknown."""
        return self._code.when(fact, t, profile, values)

    def was_true(self, walk: Walk, fact: Fact | None, t: int, case: str | None) -> bool:
        """Whether `when` was true just before `t`, with the same `event`."""
        return self._code.was_true(walk, fact, t, case)

    def eligible(
        self, fact: Fact | None, t: int, profile: Mapping[str, Any], values: tuple[Any, ...]
    ) -> bool:
        return self._code.eligible(fact, t, profile, values)

    def sends(
        self, fact: Fact | None, t: int, profile: Mapping[str, Any], values: tuple[Any, ...]
    ) -> tuple[int, ...]:
        """Which of the rule's sends have an `if` that holds, or none."""
        if self._all_sends is not None:
            return self._all_sends
        return tuple(
            at
            for at, holds in enumerate(self._code.sends)
            if holds is None or holds(fact, t, profile, values)
        )

    def scores(
        self, fact: Fact | None, t: int, profile: Mapping[str, Any], values: tuple[Any, ...]
    ) -> tuple[Decimal, ...]:
        """How each of the rule's sends competes: its priority times what its expressions say of this firing."""
        return tuple(score(fact, t, profile, values) for score in self._code.scores)

    def cohort(self, fact: Fact, profile: Mapping[str, Any]) -> str | None:
        """The cohort of the customer whose value `fact` gave, None where it has none."""
        assert self._cohort is not None  # noqa: S101  asked of rules with peers alone
        try:
            value = self._cohort({"event": event_names(fact), "profile": profile, "lists": self.lists})
        except ConditionError:
            return None
        return None if value is None else identity(value)

    def is_true(self, signals: Mapping[str, Any], profile: Mapping[str, Any]) -> bool:
        """`when` with no event: for peers. `signals` holds the defined ones."""
        return self.holds(None, 0, profile, self._ordered(signals))

    def is_eligible(self, signals: Mapping[str, Any], profile: Mapping[str, Any]) -> bool:
        return self.eligible(None, 0, profile, self._ordered(signals))

    def sends_of(self, signals: Mapping[str, Any], profile: Mapping[str, Any]) -> tuple[int, ...]:
        return self.sends(None, 0, profile, self._ordered(signals))

    def scores_of(self, signals: Mapping[str, Any], profile: Mapping[str, Any]) -> tuple[Decimal, ...]:
        return self.scores(None, 0, profile, self._ordered(signals))

    def _ordered(self, signals: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(signals.get(name) for name in self.names)


class Core:
    """A compiled rulebook. `rules` are the live and shadow ones by name, `trackers` those of all rules by key."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self.lists = {name: tuple(values) for name, values in rulebook.lists.items()}
        self.trackers: dict[str, Keeper] = {}
        self._signals: dict[str, Tracker] = {}
        self._meanings: dict[str, str] = {}
        live = [rule for rule in rulebook.rules if rule.mode is not Mode.DRAFT]
        self._enough = _thresholds(live)
        self._keep_event = _event_keepers(live)
        self.rules = {rule.rule: CompiledRule(rule, self) for rule in live}
        willing = willingness_signal(rulebook.policy)
        willing_key = None if willing is None else self._tracker_of(willing, {}, None)[0]
        self.holds = CompiledHolds(rulebook.policy, live, self._register, willing_key)
        self.schedules = [rule for rule in self.rules.values() if rule.rule.evaluate is not None]
        self.asks_first_event = any(
            isinstance(signal, BaselineSignal) for rule in live for signal in rule.signals.values()
        )
        self.fingerprint = _fingerprint(rulebook, self.rules.values(), [*self.trackers, *self._keep_event])
        self.handlers: dict[str, Handler | None] = {}

    def as_live(self) -> Core:
        """The same rulebook with every rule live and no time to settle: what a replay decides by."""
        policy = self.rulebook.policy.model_copy(update={"settle": 0})
        rules = tuple(rule.model_copy(update={"mode": Mode.LIVE}) for rule in self.rulebook.rules)
        return Core(self.rulebook.model_copy(update={"rules": rules, "policy": policy}))

    def handler(self, event_type: str) -> Handler | None:
        """What an event of this type does; None where it does nothing."""
        try:
            return self.handlers[event_type]
        except KeyError:
            found = self.handlers[event_type] = self._handler(event_type)
            return found

    def tracker_of(self, rule: Rule, signal: Signal) -> tuple[str, Tracker]:
        """Signals that mean the same are kept once, whichever rules name them."""
        return self._tracker_of(signal, rule.signals, rule.for_each)

    def _tracker_of(
        self, signal: Signal, signals: Mapping[str, Signal], for_each: Expression | None
    ) -> tuple[str, Tracker]:
        meaning = _memory_key(signal, signals, for_each)
        key = self._short_key(meaning)
        found = self._signals.get(key)
        if found is None:
            found = self._signals[key] = self.trackers[key] = build(
                signal,
                signals,
                self.rulebook.policy.retention,
                enough=self._enough.get(meaning),
                keep_event=meaning in self._keep_event,
            )
        return key, found

    def _register(self, kind: str, document: Document, made: Callable[[], Keeper]) -> str:
        written = json.dumps([kind, _trees(document.model_dump(mode="json"))], sort_keys=True)
        key = self._short_key(hashlib.sha256(written.encode()).hexdigest())
        if key not in self.trackers:
            self.trackers[key] = made()
        return key

    def _short_key(self, meaning: str) -> str:
        """As few digits of the hash as tell it apart: it stands in every customer's state."""
        digits = next(
            n for n in range(4, len(meaning) + 1) if self._meanings.get(meaning[:n], meaning) == meaning
        )
        self._meanings[meaning[:digits]] = meaning
        return meaning[:digits]

    @cached_property
    def dates(self) -> dict[str, DateTracker]:
        """The trackers that wait for a date of the profile, by key."""
        return {key: found for key, found in self.trackers.items() if isinstance(found, DateTracker)}

    @cached_property
    def ringing(self) -> dict[str, list[CompiledRule]]:
        """The rules that a deadline evaluates, by the key of its tracker."""
        found: dict[str, list[CompiledRule]] = {
            key: [] for key, tracker in self.trackers.items() if isinstance(tracker, Deadlines)
        }
        for rule in self.rules.values():
            for name in rule.used if rule.asked_at_events else ():
                if rule.keys.get(name) in found:
                    found[rule.keys[name]].append(rule)
        return found

    @cached_property
    def _by_type(self) -> dict[str | None, dict[str, int]]:
        """The rules that name an event type, None for any, each with its place in the rulebook."""
        found: dict[str | None, dict[str, int]] = {}
        for at, (name, rule) in enumerate(self.rules.items()):
            for event in _events_of(rule):
                for event_type in (None,) if event.types is None else event.types:
                    found.setdefault(event_type, {})[name] = at
        return found

    def _handler(self, event_type: str) -> Handler | None:
        if event_type == PEERS_COMPARED:
            return _on_peers_compared if any(rule.peers for rule in self.rules.values()) else None
        named = self._by_type.get(event_type, {}) | self._by_type.get(None, {})
        touched = [
            self.rules[name]
            for name in sorted(named, key=named.__getitem__)
            if _touches(self.rules[name], event_type)
        ]
        holding = {
            key: self.trackers[key] for key in self.holds.keys if _feeds(self.trackers[key], event_type)
        }
        written = None
        if touched or holding:
            written = write_handler(event_type, touched, self.lists, holding)
        if event_type != CUSTOMER_UPDATED or not self.dates:
            return written

        def handle(walk: Walk, fact: Fact) -> None:
            walk.profile_written(fact)
            if written is not None:
                written(walk, fact)

        return handle


def _fingerprint(rulebook: Rulebook, rules: Iterable[CompiledRule], memories: Iterable[str]) -> str:
    """Of all that shapes a customer's state: another one fills it anew.

    A signal that only weighs messages is no part of its rule's digest, and has a memory all the same.
    """
    policy = rulebook.policy
    shaping = [policy.default_timezone, policy.retention, policy.allowed_lateness, policy.settle]
    meanings = sorted([rule.name, rule.rule.digest, rule.rule.mode] for rule in rules)
    return hashlib.sha256(json.dumps([shaping, meanings, sorted(memories)]).encode()).hexdigest()[:12]


def _on_peers_compared(walk: Walk, fact: Fact) -> None:
    walk.peers_compared(fact)


def _touches(rule: CompiledRule, event_type: str) -> bool:
    return any(may_match(event, event_type) for event in _events_of(rule))


def _events_of(rule: CompiledRule) -> Iterator[EventFilter]:
    """Every EVENT that the rule looks at."""
    for tracker in rule.trackers.values():
        yield from (part.of for part in tracker.parts)
    watched = [rule.rule.exceptions, *(send.unless for send in rule.rule.sends)]
    yield from (event for event in watched if event is not None)


def _feeds(tracker: Keeper, event_type: str) -> bool:
    return any(may_match(part.of, event_type) for part in tracker.parts)


def _waits(signal: Signal) -> bool:
    return signal.kind in ("absence", "date")


def _memory_key(signal: Signal, signals: Mapping[str, Signal], for_each: Expression | None) -> str:
    """The same for signals that remember the same: of one meaning, and of one kind of case."""
    meaning = {
        "signal": _trees(signal.model_dump(mode="json")),
        "compared": _trees(signals[signal.signal].model_dump(mode="json"))
        if isinstance(signal, BaselineSignal)
        else None,
        "case": None if for_each is None else for_each.tree,
    }
    written = json.dumps(meaning, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


def _trees(document: Any) -> Any:
    """The document with every expression reduced to its tree."""
    if isinstance(document, dict):
        if document.keys() == {"source", "tree"}:
            return document["tree"]
        return {name: _trees(value) for name, value in document.items()}
    if isinstance(document, list):
        return [_trees(element) for element in document]
    return document


def _event_keepers(rules: Iterable[Rule]) -> set[str]:
    """The memories of deadlines that have to keep their fact, because a condition or a weight names `event`."""
    keepers: set[str] = set()
    for rule in rules:
        if any("event" in root_names(asked) for asked in rule.expressions):
            keepers |= {
                _memory_key(signal, rule.signals, rule.for_each)
                for signal in rule.signals.values()
                if _waits(signal)
            }
    return keepers


def _thresholds(rules: Iterable[Rule]) -> dict[str, int]:
    """By memory: how many times or values decide every condition that names the signal."""
    found: dict[str, int | None] = {}
    for rule in rules:
        compared = {signal.signal for signal in rule.signals.values() if isinstance(signal, PeersSignal)}
        for name, signal in rule.signals.items():
            if isinstance(signal, CountSignal | DistinctSignal):
                enough = None if name in compared else _enough_for(rule.when, name)
                key = _memory_key(signal, rule.signals, rule.for_each)
                before = found.get(key, 0)
                found[key] = None if before is None or enough is None else max(before, enough)
    return {key: enough for key, enough in found.items() if enough}


def _enough_for(when: Expression, name: str) -> int | None:
    """None where something else than thresholds decides."""
    enough, compared = 0, 0
    for node in nodes(when.tree):
        match node:
            case [symbol, ["name", other], ["number", number]] if symbol in _ENOUGH and other == name:
                pass
            case [symbol, ["number", number], ["name", other]] if symbol in _ENOUGH and other == name:
                symbol = _MIRRORED[symbol]
            case _:
                continue
        compared += 1
        threshold = Decimal(number)
        if not 0 <= threshold <= MOST_TIMES:
            return None
        enough = max(enough, int(threshold.to_integral_value(ROUND_CEILING)) + _ENOUGH[symbol])
    named = sum(1 for node in nodes(when.tree) if node == ["name", name])
    return enough if compared and compared == named else None
