"""The value of every signal at an instant, from the list of all facts applied by then: nothing is kept.

Just before `t` is half a microsecond before it: times are whole microseconds, so no event and no edge of a window
stands between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from foreword.domain import rulebook as documents
from foreword.domain.facts import Fact
from foreword.domain.rulebook import EventFilter, Expression, Policy, Rule
from tests.reference import dates, moments
from tests.reference.conditions import DECIMAL, Micros, Span, equal, is_number
from tests.reference.history import FOREWORDS_OWN, History


@dataclass(frozen=True)
class View:
    """One look at one rule and case: what has been applied, and the time it is.

    `deadlines` says whether the deadlines and dates of this instant have come: they stand behind all its facts.
    """

    rule: Rule
    policy: Policy
    history: History
    case: str | None
    applied: Sequence[Fact]
    at: Micros
    deadlines: bool = False

    def just_before(self) -> View:
        earlier = [fact for fact in self.applied if fact.occurred_at < self.at]
        return replace(self, applied=earlier, at=self.at - Fraction(1, 2), deadlines=False)

    def as_of(self, at: Micros) -> View:
        return replace(self, applied=[f for f in self.applied if f.occurred_at <= at], at=at)

    def values(self) -> dict[str, Any]:
        """The defined signals, peers apart."""
        values = {
            name: self.value(name)
            for name, signal in self.rule.signals.items()
            if not isinstance(signal, documents.PeersSignal)
        }
        return {name: value for name, value in values.items() if value is not None}

    def value(self, name: str) -> Any:
        """None while undefined."""
        signal = self.rule.signals[name]
        match signal:
            case documents.CountSignal():
                return self._count(signal)
            case documents.AggregateSignal():
                return self._aggregate(signal)
            case documents.DistinctSignal():
                found: list[Any] = []
                for value in self._values(signal, signal.of, signal.value, signal.within):
                    if not any(equal(value, seen) for seen in found):
                        found.append(value)
                return len(found)
            case documents.LastSignal():
                values = self._values(signal, signal.of, signal.value, signal.within)
                if not values:
                    return None
                return values[-1] if signal.kind == "last" else values[0]
            case documents.RatioSignal():
                part = len(self._in_window(self._events(signal, signal.of), signal.within))
                whole = len(self._in_window(self._events(signal, signal.to), signal.within))
                return None if whole == 0 or whole < signal.at_least else quotient(Fraction(part, whole))
            case documents.SinceSignal():
                inside = self._in_window(self._events(signal, signal.of), signal.within)
                return Span(self.at - inside[-1].occurred_at) if inside else None
            case documents.ChangeSignal():
                return self._change(signal)
            case documents.BaselineSignal():
                return self._baseline(signal)
            case documents.WillingnessSignal():
                types = EventFilter(types=tuple(signal.scores))
                return sum(
                    signal.scores[fact.type]
                    for fact in self._in_window(self._events(signal, types), signal.within)
                )
            case documents.EachSignal():
                return self._is_now(self._events(signal, signal.of))
            case documents.FirstTimeSignal():
                window = signal.within or self.policy.retention
                valued = self._valued(signal, signal.of, signal.value)
                return self._is_now(moments.first_times(valued, window))
            case documents.SequenceSignal():
                steps = [self._events(signal, step) for step in signal.steps]
                return self._is_now(moments.completions(self._own(signal), steps, signal.within))
            case documents.AbsenceSignal():
                return self.deadlines and any(deadline == self.at for deadline, _ in self.absences(signal))
            case documents.DateSignal():
                return self.deadlines and self.at in dates.moments(
                    signal, self.policy, self.history, int(self.at), int(self.at)
                )
        raise AssertionError(f"{signal.kind} is no signal of one customer")

    def absences(self, signal: documents.AbsenceSignal) -> list[tuple[int, Fact]]:
        """(deadline, `after` event) of all that were neither met nor replaced."""
        return moments.deadlines(
            self._own(signal),
            absence=self._events(signal, signal.absence),
            after=self._events(signal, signal.after),
            deadline=lambda fact: moments.deadline_of(signal, self.history, fact),
            newest_only=signal.timer == "last",
        )

    def _own(self, signal: documents.SignalDocument) -> list[Fact]:
        """The facts applied that are this signal's: those of its case, or all of the rule's."""
        if self.rule.for_each is None:
            return list(self.applied)
        cases = [(fact, case_of(self.rule, self.history, fact)) for fact in self.applied]
        return [
            fact for fact, case in cases if case is not None and (signal.per_customer or case == self.case)
        ]

    def _events(self, signal: documents.SignalDocument, event: EventFilter) -> list[Fact]:
        return [fact for fact in self._own(signal) if self.history.matches(event, fact)]

    def _in_window(self, facts: list[Fact], within: int | None) -> list[Fact]:
        window = self.policy.retention if within is None else within
        return [fact for fact in facts if self.at - window < fact.occurred_at <= self.at]

    def _valued(
        self, signal: documents.SignalDocument, of: EventFilter, value: Expression
    ) -> list[tuple[Fact, Any]]:
        """The events that have a value, with it."""
        valued = [(fact, self.history.value(value, fact)) for fact in self._events(signal, of)]
        return [(fact, value) for fact, value in valued if value is not None]

    def _values(
        self, signal: documents.SignalDocument, of: EventFilter, value: Expression, within: int | None
    ) -> list[Any]:
        valued = self._valued(signal, of, value)
        inside = self._in_window([fact for fact, _ in valued], within)
        return [value for fact, value in valued if fact in inside]

    def _is_now(self, facts: list[Fact]) -> bool:
        return any(fact.occurred_at == self.at for fact in facts)

    def _count(self, signal: documents.CountSignal) -> int:
        own = self._own(signal)
        if signal.reset is not None:
            resets = [at for at, fact in enumerate(own) if self.history.matches(signal.reset, fact)]
            own = own[resets[-1] + 1 :] if resets else own
        return len(self._in_window([f for f in own if self.history.matches(signal.of, f)], signal.within))

    def _aggregate(self, signal: documents.AggregateSignal) -> Any:
        values = [
            value
            for value in self._values(signal, signal.of, signal.value, signal.within)
            if is_number(value)
        ]
        total = sum(map(Fraction, values), Fraction(0))
        if signal.kind == "sum":
            return quotient(total)
        if not values:
            return None
        if signal.kind == "average":
            return quotient(total / len(values))
        return min(values) if signal.kind == "min" else max(values)

    def _change(self, signal: documents.ChangeSignal) -> Any:
        numbers = [
            (fact, value) for fact, value in self._valued(signal, signal.of, signal.value) if is_number(value)
        ]
        then = self.at - signal.over
        now = [value for fact, value in numbers if fact.occurred_at > self.at - self.policy.retention]
        before = [value for fact, value in numbers if then - signal.stale_after <= fact.occurred_at <= then]
        if not now or not before or before[-1] <= 0:
            return None
        return quotient(Fraction(now[-1]) / Fraction(before[-1]) - 1)

    def _baseline(self, signal: documents.BaselineSignal) -> Any:
        window: int = getattr(self.rule.signals[signal.signal], "within")  # noqa: B009 - only some kinds have one
        events = [fact for fact in self.applied if fact.type not in FOREWORDS_OWN]
        if not events or events[0].occurred_at > self.at - (signal.versus + 1) * window:
            return None
        looks = [self.as_of(self.at - i * window).value(signal.signal) for i in range(signal.versus + 1)]
        if not all(is_number(look) for look in looks):
            return None
        now, *before = map(Fraction, looks)
        mean = sum(before, Fraction(0)) / len(before)
        if signal.compared_as == "ratio":
            return None if mean == 0 else quotient(now / mean - 1)
        if len(before) < 2 or all(look == mean for look in before):
            return None
        variance = sum(((look - mean) ** 2 for look in before), Fraction(0)) / (len(before) - 1)
        deviation = DECIMAL.sqrt(quotient(variance))
        return DECIMAL.divide(quotient(now - mean), deviation)


def case_of(rule: Rule, history: History, fact: Fact) -> str | None:
    """The fact's case; None without one, as in a rule that has no cases."""
    if rule.for_each is None:
        return None
    case = history.value(rule.for_each, fact)
    if isinstance(case, str):
        return case
    return None if case is None or not is_number(case) else str(case)


def quotient(exact: Fraction) -> Decimal:
    return DECIMAL.divide(Decimal(exact.numerator), Decimal(exact.denominator))
