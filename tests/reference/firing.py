"""When a rule is evaluated, rises and fires: `decide` gives what one customer's history leads to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foreword.domain import rulebook as documents
from foreword.domain.facts import Fact
from foreword.domain.rulebook import EventFilter, Policy, Rule, Rulebook
from tests.reference import dates
from tests.reference.conditions import holds, names_in
from tests.reference.history import History, history_of
from tests.reference.signals import View, case_of


@dataclass(frozen=True)
class ReferenceDecision:
    """`reason` is None where the rule fires; `sends` are those whose `if` holds."""

    rule: str
    case: str | None
    at: int
    reason: str | None
    signals: Mapping[str, Any]
    sends: tuple[int, ...]


@dataclass(frozen=True)
class Evaluation:
    """One look at a rule: `was` is what a rise is against."""

    now: View
    was: View
    event: Fact | None

    def is_true(self) -> bool:
        return is_true(self.now, self.event)

    def was_true(self) -> bool:
        """The event, and the profile, are those of the evaluation, also for the look just before it."""
        names = self.names() if self.now.rule.evaluate is None else names_at(self.was, None)
        own = {name for name in names if name not in self.now.rule.signals}
        return holds(self.now.rule.when, {name: names[name] for name in own} | self.was.values())

    def names(self) -> dict[str, Any]:
        return names_at(self.now, self.event)


def decide(
    rulebook: Rulebook,
    customer_id: str,
    profile: Mapping[str, Any] | None,
    facts: Iterable[Fact],
    start: int | None = None,
    end: int | None = None,
) -> list[ReferenceDecision]:
    """Every rise from `start` (the first fact) to `end` (the last one), in time order; every rule is live.

    A `profile` is as given, always; without one, CustomerUpdated facts tell it. Rules with peers: see `cohorts`.
    """
    history = history_of((fact for fact in facts if fact.customer_id == customer_id), profile, rulebook.lists)
    times = [fact.occurred_at for fact in history.facts]
    start = min(times, default=None) if start is None else start
    end = max(times, default=None) if end is None else end
    if start is None or end is None:
        return []
    history = history.until(end)
    decisions = [
        decision
        for rule in rulebook.rules
        if not any(isinstance(signal, documents.PeersSignal) for signal in rule.signals.values())
        for case in cases_of(rule, history)
        for decision in _decided(rule, rises(rule, rulebook.policy, history, case, start, end))
    ]
    return sorted(decisions, key=lambda decision: decision.at)


def cases_of(rule: Rule, history: History) -> Sequence[str | None]:
    """All there ever are; None stands for the whole customer in a rule without cases."""
    if rule.for_each is None:
        return [None]
    cases = {case_of(rule, history, fact) for fact in history.facts}
    return sorted(case for case in cases if case is not None)


def rises(
    rule: Rule, policy: Policy, history: History, case: str | None, start: int, end: int
) -> list[Evaluation]:
    """True now, and false just before; one at an instant."""
    found: dict[Any, Evaluation] = {}
    for evaluation in evaluations(rule, policy, history, case, start, end):
        risen = evaluation.is_true() and (rule.repeat or not evaluation.was_true())
        if risen and evaluation.now.at not in found:
            found[evaluation.now.at] = evaluation
    return list(found.values())


def evaluations(
    rule: Rule, policy: Policy, history: History, case: str | None, start: int, end: int
) -> list[Evaluation]:
    """In time order: at every event that matters, at deadlines and dates behind them, or on the schedule."""
    if rule.evaluate is not None:
        return list(_scheduled(rule, policy, history, case, start, end))
    everything = View(rule, policy, history, case, history.facts, end)
    found: list[tuple[tuple[int, bool], Evaluation]] = []
    for index, fact in enumerate(history.facts):
        if case_of(rule, history, fact) == case and _matters(rule, history, fact):
            now = View(rule, policy, history, case, history.facts[: index + 1], fact.occurred_at)
            found.append(((fact.occurred_at, False), Evaluation(now, now.just_before(), fact)))
    for at, event in _moments(everything, start):
        if start <= at <= end:
            applied = tuple(fact for fact in history.facts if fact.occurred_at <= at)
            now = View(rule, policy, history, case, applied, at, deadlines=True)
            found.append(((at, True), Evaluation(now, now.just_before(), event)))
    return [evaluation for _, evaluation in sorted(found, key=lambda entry: entry[0])]


def used_in_when(rule: Rule) -> list[documents.Signal]:
    """The signals that `when` names, and those that these are made of."""
    names = names_in(rule.when) & rule.signals.keys()
    names |= {
        signal.signal
        for name in names
        if isinstance(signal := rule.signals[name], documents.BaselineSignal | documents.PeersSignal)
    }
    return [signal for name, signal in rule.signals.items() if name in names]


def events_of(signal: documents.Signal) -> list[EventFilter]:
    """Every EVENT of the signal: `reset`, `to`, `after` and each step too."""
    if isinstance(signal, documents.WillingnessSignal):
        return [EventFilter(types=tuple(signal.scores))]
    if isinstance(signal, documents.SequenceSignal):
        return list(signal.steps)
    return [value for _, value in signal if isinstance(value, EventFilter)]


def is_true(view: View, event: Fact | None) -> bool:
    return holds(view.rule.when, names_at(view, event))


def names_at(view: View, event: Fact | None) -> dict[str, Any]:
    return view.history.names(event, view.at) | view.values()


def sends_of(rule: Rule, names: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(
        index
        for index, send in enumerate(rule.sends)
        if send.condition is None or holds(send.condition, names)
    )


def _matters(rule: Rule, history: History, fact: Fact) -> bool:
    return any(history.matches(event, fact) for signal in used_in_when(rule) for event in events_of(signal))


def _moments(view: View, start: int) -> Iterator[tuple[int, Fact | None]]:
    """(instant, the `after` event) of every deadline of this case, and every date."""
    absences = [
        (at, after)
        for signal in used_in_when(view.rule)
        if isinstance(signal, documents.AbsenceSignal)
        for at, after in view.absences(signal)
        if case_of(view.rule, view.history, after) == view.case
    ]
    yield from sorted(absences, key=lambda entry: view.history.facts.index(entry[1]))
    for signal in used_in_when(view.rule):
        if isinstance(signal, documents.DateSignal):
            for at in dates.moments(signal, view.policy, view.history, start, int(view.at)):
                if _has_state(view.rule, view.history, view.case, at) or view.case is None:
                    yield at, None


def _scheduled(
    rule: Rule, policy: Policy, history: History, case: str | None, start: int, end: int
) -> Iterator[Evaluation]:
    assert rule.evaluate is not None
    previous: View | None = None
    everything = View(rule, policy, history, case, history.facts, end, deadlines=True)
    for at in dates.scheduled(rule.evaluate, policy, history, start, end):
        if _has_state(rule, history, case, at):
            now = everything.as_of(at)
            yield Evaluation(now, previous or everything.as_of(at - rule.evaluate.every), None)
            previous = now


def _has_state(rule: Rule, history: History, case: str | None, at: int) -> bool:
    """Whether an event of the rule has come by then, in this case."""
    return any(
        fact.occurred_at <= at
        and case_of(rule, history, fact) == case
        and any(
            history.matches(event, fact) for signal in rule.signals.values() for event in events_of(signal)
        )
        for fact in history.facts
    )


def _decided(rule: Rule, risen: Iterable[Evaluation]) -> Iterator[ReferenceDecision]:
    fired: int | None = None
    for rise in risen:
        at, names = int(rise.now.at), rise.names()
        reason = None
        if not holds(rule.eligible, names):
            reason = "NOT_ELIGIBLE"
        elif fired is not None and rule.re_eligible_after is not None and at < fired + rule.re_eligible_after:
            reason = "NOT_RE_ELIGIBLE"
        else:
            fired = at
        yield ReferenceDecision(
            rule.rule, rise.now.case, at, reason, rise.now.values(), sends_of(rule, names)
        )
