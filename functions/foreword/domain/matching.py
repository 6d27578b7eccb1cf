"""Whether facts of one customer are events that somebody waits for, outside of any signal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from foreword.domain.conditions import Compiled, compile_expression, holds
from foreword.domain.errors import ConditionError
from foreword.domain.facts import CUSTOMER_UPDATED, Fact
from foreword.domain.handlers import case_of, event_names, may_match
from foreword.domain.profiles import ADDRESSES
from foreword.domain.rulebook import EventFilter, Expression


class Matching:
    """Of facts in their order. Conditions see the profile as of each event: what the facts themselves tell of it,
    over `profile`, which it was before the first of them."""

    def __init__(
        self, facts: Sequence[Fact], lists: Mapping[str, tuple[str, ...]], profile: Mapping[str, Any]
    ) -> None:
        self.facts = facts
        self._lists = lists
        self._profile = profile
        self._compiled: dict[str, Compiled] = {}

    def means(self, event: EventFilter, fact: Fact) -> bool:
        if not may_match(event, fact.type):
            return False
        return event.where is None or holds(self._code(event.where), self._names(fact))

    def case(self, for_each: Expression, fact: Fact) -> str | None:
        """The case of a fact, None where it has none."""
        try:
            return case_of(self._code(for_each)(self._names(fact)))
        except ConditionError:
            return None

    def _code(self, expression: Expression) -> Compiled:
        code = self._compiled.get(expression.source)
        if code is None:
            code = self._compiled[expression.source] = compile_expression(expression)
        return code

    def _names(self, fact: Fact) -> dict[str, Any]:
        profile = dict(self._profile)
        for earlier in self.facts:
            if earlier.type == CUSTOMER_UPDATED and earlier.occurred_at <= fact.occurred_at:
                profile |= earlier.data
        known = {
            name: value for name, value in profile.items() if value is not None and name not in ADDRESSES
        }
        return {"event": event_names(fact), "profile": known, "lists": self._lists}
