"""Walking facts and deadlines in their order, and noting where a rule's condition rises.

The walk is the only place where truth is computed. It decides nothing: `fold` matches the rises it found
against the decisions already made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from typing import Any, NamedTuple

from foreword.domain import schedules
from foreword.domain.between import Between
from foreword.domain.core import CompiledRule, Core
from foreword.domain.errors import NeedsJournal
from foreword.domain.facts import OWN_TYPES, Fact
from foreword.domain.instants import NEVER, Instant, parse_instant
from foreword.domain.memories import Memories, case_in, tracker_key
from foreword.domain.peer_values import PeerValue, period_of, signals_from_json
from foreword.domain.profile_view import ProfileView
from foreword.domain.profiles import Attribute, Profile
from foreword.domain.quiet_hours import zone_of
from foreword.domain.state import State

DEADLINE = "#deadline#"
"""Before the key of the fact that set it: the deadline of a fact is another moment than the fact itself."""

FIRST_SCHEDULED = parse_instant("1900-01-01T00:00:00Z")
"""No schedule begins earlier, whatever time an event claims."""

AFTER_ALL_FACTS = (2**62, "")
"""A deadline stands behind every fact of its own instant: an event at exactly the deadline still meets it."""


class Cause(NamedTuple):
    """What made an evaluation: a fact at its own time, a deadline of an `after` fact, a date, a schedule, a close.

    `fact` is what `event` means to the conditions (None where they cannot know one); `known_at` is when the fact
    was received (never, if it was imported), for a deadline the deadline itself. `expires_from` is where
    `expires_after` begins.
    """

    key: str
    fact: Fact | None
    at: Instant
    known_at: Instant
    expires_from: Instant

    @property
    def made_by(self) -> str:
        """The key of the fact, also of the one whose deadline it is."""
        return self.key.removeprefix(DEADLINE)


@dataclass(slots=True)
class Rise:
    """A condition true at `cause.at` that was false just before. `until` is where it was found to have ended.

    `moment`: it is an episode of its own, whatever came before. `sends` are those whose `if` held; `scores` is how
    each of the rule's sends competes.
    """

    rule: CompiledRule
    case: str | None
    cause: Cause
    moment: bool
    eligible: bool
    sends: tuple[int, ...]
    signals: dict[str, Any]
    scores: tuple[Decimal, ...]
    until: Instant | None = None

    @property
    def at(self) -> Instant:
        return self.cause.at


class Walk:
    """One pass over one customer's facts; what it finds out is in `state` when it is finished.

    `due` is the earliest deadline or scheduled evaluation, NEVER where there is none. `exceptions` is when the
    latest event came that calls off what a rule's firings (or one send of them, in a case) have not sent yet.

    A given `profile` that is a plain mapping is as given, always; a Profile is asked as of each evaluation, with
    what `earlier` still tells of attributes that were written again since.
    """

    def __init__(
        self,
        core: Core,
        state: State,
        profile: Profile | Mapping[str, Any],
        earlier: Mapping[str, list[Attribute]] | None = None,
    ) -> None:
        self.core = core
        self.state = state
        self.rises: list[Rise] = []
        self.running: dict[tuple[str, str | None], Rise] = {}
        self.memories = Memories(core.trackers, state.packed)
        self.first_event = state.first_event
        self.peer_values: dict[tuple[str, Instant], PeerValue] = {}
        self.exceptions: dict[tuple[str, int | None, str | None], Instant] = {}
        self._profile = profile
        self._earlier = earlier
        self._due_by = state.due_by.copy()
        self._schedules = state.schedules.copy()
        self.due = self._earliest() if state.due_by or state.schedules else NEVER

    def fact(self, fact: Fact) -> None:
        """Apply one fact and evaluate every rule it touches."""
        if (
            self.core.asks_first_event
            and (self.first_event is None or fact.occurred_at < self.first_event)
            and fact.type not in OWN_TYPES
        ):
            self.first_event = fact.occurred_at
        handlers = self.core.handlers
        handler = handlers[fact.type] if fact.type in handlers else self.core.handler(fact.type)
        if handler is not None:
            handler(self, fact)

    def deadlines(self, through: Instant) -> None:
        """Evaluate every pending deadline up to `through`, in order."""
        while self.due <= through:
            self._ring(self.due)

    def profile(self, t: Instant) -> Mapping[str, Any]:
        """The profile as of `t`."""
        if isinstance(self._profile, Profile):
            return ProfileView(self._profile, t, self._earlier)
        return self._profile

    def zone(self, t: Instant) -> tzinfo:
        """The customer's zone as of `t`."""
        return zone_of(self.profile(t).get("timezone"), self.core.rulebook.policy.default_timezone)

    def finish(self) -> None:
        """Put what is remembered into the state."""
        state = self.state
        t = state.position[0]
        # What is not touched is not looked at, and cases come and go: once a day all of it is.
        everything = len(state.packed) > 16 and state.swept_day != t // (86_400 * 1_000_000)
        if everything:
            state.swept_day = t // (86_400 * 1_000_000)
        state.packed = self.memories.pack(t, everything=everything)
        state.due_by = {key: due for key, due in self._due_by.items() if key in state.packed}
        state.schedules = self._schedules
        state.first_event = self.first_event

    # What the handlers of events call.

    def watch(self, key: str, memory: Any) -> None:
        """A signal with deadlines has changed."""
        first = memory.first
        if first is None:
            self._due_by.pop(key, None)
        else:
            self._due_by[key] = first
        self.due = self._earliest()

    def profile_written(self, fact: Fact) -> None:
        """Dates move with the profile."""
        self.set_dates(fact.occurred_at)

    def set_dates(self, t: Instant) -> None:
        """Wait for the dates of the profile as of `t` that lie at or after it."""
        for key, tracker in self.core.dates.items():
            memory = self.memories[key]
            tracker.set(memory, self.profile(t), self.zone(t), t)
            self.watch(key, memory)

    def rises_at(
        self, rule: CompiledRule, fact: Fact, case: str | None, values: tuple[Any, ...] | None = None
    ) -> None:
        """The condition is true after the fact; `values` are the signals' where they are known."""
        t = fact.occurred_at
        if self._begins(rule, fact, t, case):
            self._begin(rule, Cause(fact.key, fact, t, fact.known_at, t), case, values)

    def excepted(self, rule: CompiledRule, send: int | None, t: Instant, case: str | None) -> None:
        """An exception event of the rule, or what calls off one of its sends, has come."""
        self.exceptions[rule.name, send, case] = t

    def falls_at(self, rule: CompiledRule, t: Instant, case: str | None) -> None:
        """The condition is not true after a fact at `t`; a further fact of this instant may take that back."""
        running = self.running.get((rule.name, case))
        if running is not None and running.until is None:
            running.until = t

    def scheduled(self, rule: CompiledRule, fact: Fact, case: str | None) -> None:
        """A rule with a schedule waits for its next evaluation from its customer's (or case's) first event on."""
        slot = rule.name if case is None else f"{rule.name}/{case}"
        if slot in self._schedules:
            return
        assert rule.rule.evaluate is not None  # noqa: S101  only such rules are written so
        t = max(fact.occurred_at, FIRST_SCHEDULED)
        zone = self.zone(t)
        earlier = schedules.before(rule.rule.evaluate, zone, t)
        was_true = rule.holds(None, earlier, self.profile(earlier), rule.empty_values(earlier))
        self._schedules[slot] = (schedules.at_or_after(rule.rule.evaluate, zone, t), was_true)
        self.due = self._earliest()

    def compared(self, rule: CompiledRule, fact: Fact, gave: bool) -> None:
        """A signal of a rule with peers has changed; a value that it `gave` is the customer's of the period."""
        assert rule.peers is not None  # noqa: S101  only such rules are written so
        _, peers = rule.peers
        t = fact.occurred_at
        period = period_of(peers.period, t)
        values = dict(zip(rule.names, self._exact(rule.values(self, t, None)), strict=True))
        value = values[peers.signal]
        known = self.peer_values.get((rule.name, period))
        if gave and value is not None:
            cohort = rule.cohort(fact, self.profile(t))
            if cohort is None:
                return
        elif known is not None and known.at == t:
            value, cohort = known.value, known.cohort  # another signal of the very instant: as of it
        else:
            return
        profile = {name: self.profile(t)[name] for name in rule.profile_fields if name in self.profile(t)}
        signals = defined(values)
        self.peer_values[rule.name, period] = PeerValue(
            fact.customer_id, rule.name, period, t, value, cohort, signals, profile
        )

    def peers_compared(self, fact: Fact) -> None:
        """A close found that the customer's truth has changed."""
        rule = self.core.rules.get(fact.data["rule"])
        if rule is None or rule.peers is None or fact.data["true"] is not True:
            return
        at = parse_instant(fact.data["at"])
        signals = signals_from_json(rule.rule, fact.data["signals"])
        values = tuple(signals.get(name) for name in rule.names)
        cause = Cause(fact.key, None, at, fact.received_at, fact.occurred_at)
        rise = self._rise(rule, cause, None, values, fact.data["profile"], moment=False)
        rise.until = at + 1  # a close tells of its own period alone

    # Evaluation.

    def _begins(self, rule: CompiledRule, fact: Fact | None, t: Instant, case: str | None) -> bool:
        """Whether a condition that is true at `t` was false just before it, so that this is a rise of its own."""
        running = self.running.get((rule.name, case)) if self.running else None
        if running is not None and running.at == t:
            running.until = None  # the same rise goes on
            return False
        was_true = not rule.rule.repeat and rule.was_true(self, fact, t, case)
        if running is not None:
            if was_true and running.until in (None, t):
                running.until = None
                return False
            running.until = t if running.until is None else running.until
            del self.running[rule.name, case]
        return not was_true

    def _begin(
        self, rule: CompiledRule, cause: Cause, case: str | None, values: tuple[Any, ...] | None = None
    ) -> None:
        if values is None:
            values = rule.values(self, cause.at, case)
        moment = rule.rule.repeat or any(values[at] is True for at in rule.moments)
        rise = self._rise(rule, cause, case, values, self.profile(cause.at), moment=moment)
        self.running[rule.name, case] = rise

    def _rise(
        self,
        rule: CompiledRule,
        cause: Cause,
        case: str | None,
        values: tuple[Any, ...],
        profile: Mapping[str, Any],
        *,
        moment: bool,
    ) -> Rise:
        values = self._exact(values)
        fact, at = cause.fact, cause.at
        rise = Rise(
            rule,
            case,
            cause,
            moment,
            rule.eligible(fact, at, profile, values),
            rule.sends(fact, at, profile, values),
            defined(dict(zip(rule.names, values, strict=True))),
            rule.scores(fact, at, profile, values),
        )
        self.rises.append(rise)
        return rise

    def _exact(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """A message shows its signals: bounds are not enough."""
        for value in values:
            if type(value) is Between:
                raise NeedsJournal("a signal's value is not known exactly")
        return values

    # Deadlines.

    def _earliest(self) -> Instant:
        due = min(self._due_by.values(), default=NEVER)
        return min(due, min((at for at, _ in self._schedules.values()), default=NEVER))

    def _ring(self, due: Instant) -> None:
        """Let one deadline be met, and evaluate its rules."""
        if due < self.state.position[0]:
            raise NeedsJournal(f"facts behind the deadline {due} are applied already")
        self.state.position = max(self.state.position, (due, *AFTER_ALL_FACTS))
        key = min((key for key, at in self._due_by.items() if at == due), default=None)
        if key is None:
            self._ask_on_schedule(min(slot for slot, (at, _) in self._schedules.items() if at == due), due)
            return
        memory = self.memories[key]
        cause_key, fact = memory.ring()
        tracker = tracker_key(key)
        if tracker in self.core.dates:
            self.core.dates[tracker].set(memory, self.profile(due), self.zone(due), due + 1)
        self.watch(key, memory)
        case = case_in(key)
        for rule in self.core.ringing[tracker]:
            if rule.holds(fact, due, self.profile(due), rule.values(self, due, case)):
                if self._begins(rule, fact, due, case):
                    self._begin(rule, Cause(f"{DEADLINE}{cause_key}", fact, due, due, due), case)
            else:
                self.falls_at(rule, due, case)

    def _ask_on_schedule(self, slot: str, due: Instant) -> None:
        name, case = tracker_key(slot), case_in(slot)
        rule = self.core.rules[name]
        assert rule.rule.evaluate is not None  # noqa: S101  only such rules are waited for
        profile = self.profile(due)
        values = rule.values(self, due, case)
        is_true = rule.holds(None, due, profile, values)
        _, was_true = self._schedules[slot]
        self._schedules[slot] = (schedules.at_or_after(rule.rule.evaluate, self.zone(due), due + 1), is_true)
        self.due = self._earliest()
        if is_true and (rule.rule.repeat or not was_true):
            cause = Cause(f"schedule/{due}", None, due, due, due)
            rise = self._rise(rule, cause, case, values, profile, moment=rule.rule.repeat)
            self.running[name, case] = rise
        elif not is_true:
            self.falls_at(rule, due, case)


def defined(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
