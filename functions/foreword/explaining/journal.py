"""Which events of a customer's journal a signal is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from foreword.domain.conditions import compile_expression, holds
from foreword.domain.core import CompiledRule
from foreword.domain.facts import Fact
from foreword.domain.handlers import case_of, event_names, may_match
from foreword.domain.instants import Instant
from foreword.domain.python_code import ERRORS
from foreword.domain.replay import once
from foreword.domain.rulebook import EventFilter, Expression
from foreword.domain.walk import Walk
from foreword.explaining.explanation import Evidence


class Journal:
    """The facts that a walk went over, each once and without what was taken back, in their order."""

    def __init__(self, walk: Walk, facts: Sequence[Fact]) -> None:
        self._walk = walk
        self.facts = once(facts)
        self.by_key = {fact.key: fact for fact in self.facts}

    def matching(
        self, event: EventFilter, rule: CompiledRule, case: str | None, *, per_customer: bool
    ) -> Iterator[Fact]:
        """Those that an EVENT of the rule means, of that case."""
        where = None if event.where is None else compile_expression(event.where)
        for fact in self.facts:
            if not may_match(event, fact.type):
                continue
            if rule.rule.for_each is not None:
                of = self.case(rule, fact)
                if of is None or (of != case and not per_customer):
                    continue
            if where is None or holds(where, self._names(rule, fact)):
                yield fact

    def case(self, rule: CompiledRule, fact: Fact) -> str | None:
        """The case of an event, None where it has none."""
        return None if rule.rule.for_each is None else case_of(self.value(rule.rule.for_each, rule, fact))

    def value(self, expression: Expression, rule: CompiledRule, fact: Fact) -> Any:
        """What the event gives, None where it is missing."""
        try:
            return compile_expression(expression)(self._names(rule, fact))
        except ERRORS:
            return None

    def evidence(self, rule: CompiledRule, fact: Fact, value: Expression | None = None) -> Evidence:
        given = None if value is None else self.value(value, rule, fact)
        return Evidence(fact.occurred_at, fact.type, fact.source, fact.id, given)

    def _names(self, rule: CompiledRule, fact: Fact) -> dict[str, Any]:
        return {
            "event": event_names(fact),
            "profile": self._walk.profile(fact.occurred_at),
            "lists": rule.lists,
        }


def is_number(value: Any) -> bool:
    return type(value) in (int, Decimal)


def cases_of(journal: Journal, rule: CompiledRule) -> dict[str, Instant]:
    """Every case that an event of the rule named, with the time of its latest event."""
    events = [part.of for tracker in rule.trackers.values() for part in tracker.parts]
    found: dict[str, Instant] = {}
    for fact in journal.facts:
        if any(may_match(event, fact.type) for event in events):
            case = journal.case(rule, fact)
            if case is not None:
                found[case] = fact.occurred_at
    return found
