"""When the messages of a rule's own test leave: at once, or as follow-ups that nothing has cancelled until then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from foreword.domain.conditions import compile_expression, holds
from foreword.domain.decisions import Decision
from foreword.domain.errors import ConditionError
from foreword.domain.facts import CUSTOMER_UPDATED, Fact
from foreword.domain.handlers import case_of, event_names, may_match
from foreword.domain.instants import Instant
from foreword.domain.profiles import ADDRESSES
from foreword.domain.rulebook import EventFilter, Rule, Send


class Leaving:
    """Of one customer, whose `facts` are in order and whose profile was `profile` before the first of them."""

    def __init__(
        self,
        rule: Rule,
        lists: Mapping[str, tuple[str, ...]],
        profile: Mapping[str, Any],
        facts: Sequence[Fact],
    ) -> None:
        self._rule = rule
        self._lists = lists
        self._profile = profile
        self._facts = facts

    def leaves_at(self, send: Send, decision: Decision, end: Instant) -> Instant | None:
        """None where its time is not over by `end`, or where an event since the firing cancelled it."""
        if not send.after:
            return decision.at
        due = decision.expires_from + send.after
        if due > end or any(
            decision.at < fact.occurred_at <= due and self._cancels(fact, send, decision.case)
            for fact in self._facts
        ):
            return None
        return due

    def _cancels(self, fact: Fact, send: Send, case: str | None) -> bool:
        events = (events for events in (self._rule.exceptions, send.unless) if events is not None)
        return any(self._means(event, fact) for event in events) and self._case(fact) == case

    def _means(self, event: EventFilter, fact: Fact) -> bool:
        if not may_match(event, fact.type):
            return False
        return event.where is None or holds(compile_expression(event.where), self._names(fact))

    def _case(self, fact: Fact) -> str | None:
        if self._rule.for_each is None:
            return None
        try:
            return case_of(compile_expression(self._rule.for_each)(self._names(fact)))
        except ConditionError:
            return None

    def _names(self, fact: Fact) -> dict[str, Any]:
        profile = dict(self._profile)
        for earlier in self._facts:
            if earlier.type == CUSTOMER_UPDATED and earlier.occurred_at <= fact.occurred_at:
                profile |= earlier.data
        known = {
            name: value for name, value in profile.items() if value is not None and name not in ADDRESSES
        }
        return {"event": event_names(fact), "profile": known, "lists": self._lists}
