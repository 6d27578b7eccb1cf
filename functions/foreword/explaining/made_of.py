"""Which events a signal's value is reckoned from, and why it has none where it has none.

The value itself is the core's own; nothing here reckons it again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from foreword.domain.condition_values import ARITHMETIC
from foreword.domain.core import CompiledRule
from foreword.domain.instants import Duration, Instant, format_duration, format_instant
from foreword.domain.rulebook import (
    AbsenceSignal,
    AggregateSignal,
    BaselineSignal,
    ChangeSignal,
    CountSignal,
    DateSignal,
    DistinctSignal,
    EachSignal,
    EventFilter,
    Expression,
    FirstTimeSignal,
    LastSignal,
    PeersSignal,
    RatioSignal,
    SequenceSignal,
    Signal,
    SinceSignal,
    WillingnessSignal,
)
from foreword.domain.walk import Walk
from foreword.explaining.explanation import Evidence, SignalExplained
from foreword.explaining.journal import Journal, is_number
from foreword.explaining.words import event_words, signal_words
from foreword.explaining.written import shown

_AT_CLOSES = "it is compared when a period is over, and no comparison is known"

LATEST = 3
"""So many events of a signal are shown."""


@dataclass(frozen=True, slots=True)
class MadeOf:
    """`evidence` are the events in the window, which is `within` long, in order; of a ratio those above the line,
    and `others` those below. Of a change `others` are the value then and the value now, as far as they are there.
    `waits` are the deadlines ahead; `steps` is how far a sequence has come; `against` is what a change or a
    baseline is compared with, `defined_from` when it can have a value at the earliest.
    """

    name: str
    signal: Signal
    words: str
    value: Any
    undefined: str | None = None
    within: Duration | None = None
    evidence: tuple[Evidence, ...] = ()
    others: tuple[Evidence, ...] = ()
    notes: tuple[str, ...] = ()
    waits: tuple[Instant, ...] = ()
    steps: StepsMade | None = None
    against: Any = None
    defined_from: Instant | None = None

    def leaves(self, at: int) -> Instant:
        """When the window lets go of the event at that place."""
        return self.evidence[at].at + (self.within or 0)

    def explained(self) -> SignalExplained:
        events = sorted((*self.evidence, *self.others), key=lambda one: one.at)
        return SignalExplained(
            name=self.name,
            kind=self.signal.kind,
            made_of=self.words,
            value=self.value,
            undefined=self.undefined,
            events=len(events),
            latest=tuple(events[-LATEST:]),
            notes=self.notes,
            waits_for=tuple(map(format_instant, self.waits)),
        )


@dataclass(frozen=True, slots=True)
class StepsMade:
    """Of a sequence: how many, when the first and when the latest of them."""

    many: int
    begun: Instant
    reached: Instant


@dataclass(frozen=True, slots=True)
class Maker:
    """Of one rule's signals at `t`, for one case. The walk stands at `t`, with nothing packed."""

    rule: CompiledRule
    walk: Walk
    journal: Journal
    t: Instant
    case: str | None

    def all(self) -> dict[str, MadeOf]:
        values = self.rule.values(self.walk, self.t, self.case)
        return {name: self._made(name, value) for name, value in zip(self.rule.names, values, strict=True)}

    def _made(self, name: str, value: Any) -> MadeOf:
        signal = self.rule.rule.signals[name]
        window: Duration | None = getattr(self.rule.trackers.get(name), "within", None)
        words = signal_words(signal, self.rule.rule, window)
        made = MadeOf(name, signal, words, value, within=window)
        if name not in self.rule.trackers:
            peers = isinstance(signal, PeersSignal)
            return replace(made, undefined=_AT_CLOSES if peers else "`when` does not name it")
        match signal:
            case CountSignal():
                return self._count(made, signal)
            case AggregateSignal() | LastSignal() | DistinctSignal() | FirstTimeSignal():
                return self._of_values(made, signal)
            case RatioSignal():
                return self._ratio(made, signal)
            case SinceSignal():
                found = self._inside(made, signal.of)[-1:]
                return replace(made, evidence=found, undefined=_none_of(made, signal.of))
            case EachSignal():
                return replace(made, evidence=tuple(self._events(made, signal.of)))
            case AbsenceSignal():
                return self._absence(made)
            case SequenceSignal():
                return self._sequence(made, signal)
            case DateSignal():
                return self._waiting(made)
            case ChangeSignal():
                return self._change(made, signal)
            case BaselineSignal():
                return self._baseline(made, signal)
            case WillingnessSignal():
                return self._willingness(made, signal)
        return made

    # Events.

    def _events(self, made: MadeOf, event: EventFilter, value: Expression | None = None) -> list[Evidence]:
        """Those up to `t`, each with the value it gives."""
        per_customer = made.signal.per_customer
        return [
            self.journal.evidence(self.rule, fact, value)
            for fact in self.journal.matching(event, self.rule, self.case, per_customer=per_customer)
            if fact.occurred_at <= self.t
        ]

    def _inside(
        self, made: MadeOf, event: EventFilter, value: Expression | None = None
    ) -> tuple[Evidence, ...]:
        lo = self.t - (made.within or 0)
        return tuple(one for one in self._events(made, event, value) if one.at > lo)

    # Kinds.

    def _count(self, made: MadeOf, signal: CountSignal) -> MadeOf:
        found = self._inside(made, signal.of)
        resets = [] if signal.reset is None else self._events(made, signal.reset)
        if not resets:
            return replace(made, evidence=found)
        # What came before it in order, and what is a reset itself, is not counted.
        place = {(fact.source, fact.id): at for at, fact in enumerate(self.journal.facts)}
        last = resets[-1]
        since = place[last.source, last.id]
        found = tuple(one for one in found if place[one.source, one.id] > since)
        return replace(
            made,
            evidence=found,
            notes=(f"counted from {last.type} {last.id} at {format_instant(last.at)} on",),
        )

    def _of_values(
        self, made: MadeOf, signal: AggregateSignal | LastSignal | DistinctSignal | FirstTimeSignal
    ) -> MadeOf:
        numbers = isinstance(signal, AggregateSignal)
        found = tuple(
            one
            for one in self._inside(made, signal.of, signal.value)
            if (is_number(one.value) if numbers else one.value is not None)
        )
        return replace(
            made,
            evidence=found,
            undefined=f"{_none_of(made, signal.of)} with a value" if made.value is None else None,
        )

    def _ratio(self, made: MadeOf, signal: RatioSignal) -> MadeOf:
        part, whole = self._inside(made, signal.of), self._inside(made, signal.to)
        few = f"{len(whole)} {event_words(signal.to)} in the window, and it takes {signal.at_least}"
        notes = (f"{len(part)} of {len(whole)}",)
        return replace(
            made, evidence=part, others=whole, notes=notes, undefined=few if made.value is None else None
        )

    def _waiting(self, made: MadeOf) -> MadeOf:
        pending = self.walk.memories[self.rule.key(made.name, self.case)].deadlines
        return replace(made, waits=tuple(entry[0] for entry in pending))

    def _absence(self, made: MadeOf) -> MadeOf:
        pending = self.walk.memories[self.rule.key(made.name, self.case)].deadlines
        begun = [self.journal.by_key[key] for _, key, _ in pending if key in self.journal.by_key]
        evidence = tuple(self.journal.evidence(self.rule, fact) for fact in begun)
        return replace(self._waiting(made), evidence=evidence, within=None)

    def _sequence(self, made: MadeOf, signal: SequenceSignal) -> MadeOf:
        """The furthest step from which the end can still be reached."""
        steps: Sequence[Any] = self.walk.memories[self.rule.key(made.name, self.case)].steps
        for at in range(len(steps) - 1, -1, -1):
            alive = [entry for entry in steps[at] if entry[0] >= self.t - signal.within]
            if alive:
                done = StepsMade(at + 1, *alive[-1])
                words = f"{done.many} of {len(signal.steps)} steps made, the first at {format_instant(done.begun)}"
                return replace(
                    made, steps=done, notes=(f"{words}, the latest at {format_instant(done.reached)}",)
                )
        return replace(made, notes=(f"0 of {len(signal.steps)} steps made",))

    def _change(self, made: MadeOf, signal: ChangeSignal) -> MadeOf:
        found = [one for one in self._events(made, signal.of, signal.value) if is_number(one.value)]
        then = bisect_right([one.at for one in found], self.t - signal.over) - 1
        compared = (*found[max(then, 0) : then + 1], *found[max(then + 1, len(found) - 1) :])
        if made.value is not None:
            return replace(made, within=None, others=compared, against=found[then].value)
        return replace(
            made,
            within=None,
            others=compared,
            undefined=self._no_change(signal, found, then),
            defined_from=found[0].at + signal.over if found and then < 0 else None,
        )

    def _no_change(self, signal: ChangeSignal, found: list[Evidence], then: int) -> str:
        over, stale = format_duration(signal.over), format_duration(signal.stale_after)
        if not found:
            return f"no {event_words(signal.of)} with a number"
        if then < 0:
            return f"no value is {over} old: the first is from {format_instant(found[0].at)}"
        if found[then].at < self.t - signal.over - signal.stale_after:
            return f"the latest value from {over} ago or before is more than {stale} older than that"
        if found[then].value <= 0:
            return f"the value from {over} ago is {shown(found[then].value)}, which is not above 0"
        return "the latest value is older than what is looked back on"

    def _baseline(self, made: MadeOf, signal: BaselineSignal) -> MadeOf:
        tracker: Any = self.rule.trackers[made.name]
        memory = self.walk.memories[self.rule.key(made.name, self.case)]
        length = made.within or 0
        windows = [
            tracker.between(memory, self.t - (back + 1) * length, self.t - back * length)
            for back in range(signal.versus + 1)
        ]
        now, *before = ("undefined" if one is None else shown(one) for one in windows)
        noted = replace(made, notes=(f"now {now}; before {', '.join(before)}",))
        if made.value is None:
            return replace(noted, undefined=self._no_baseline(signal, length))
        total = Decimal(0)
        for window in windows[1:]:
            total = ARITHMETIC.add(total, window)
        return replace(noted, against=ARITHMETIC.divide(total, signal.versus))

    def _no_baseline(self, signal: BaselineSignal, length: Duration) -> str:
        first = self.walk.first_event
        if first is None:
            return "nothing is known to have happened yet"
        begins = first + (signal.versus + 1) * length
        if begins > self.t:
            return f"the first event is too near; from {format_instant(begins)} on it can be compared"
        of = "mean" if signal.compared_as == "ratio" else "deviation"
        return f"a window has no value, or their {of} is 0"

    def _willingness(self, made: MadeOf, signal: WillingnessSignal) -> MadeOf:
        found = self._inside(made, EventFilter(types=tuple(signal.scores)))
        scores = tuple(
            Evidence(one.at, one.type, one.source, one.id, signal.scores[one.type]) for one in found
        )
        return replace(made, evidence=scores)


def _none_of(made: MadeOf, event: EventFilter) -> str | None:
    return f"no {event_words(event)} in the window" if made.value is None else None
