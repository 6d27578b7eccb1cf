"""A follow-up, when it is due: is its rule still there and live, and the customer still eligible?

`eligible` is asked of the profile as it is then and of the signals of the firing. Where it names the event that is
known no more: the answer at the firing stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from foreword.domain.conditions import compile_expression, holds, root_names
from foreword.domain.instants import SECOND
from foreword.domain.messages import Message
from foreword.domain.profiles import Profile
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Mode, Rule, Rulebook, SinceSignal


class FollowUps:
    def __init__(self, rulebook: Rulebook) -> None:
        self._rules = {rule.rule: rule for rule in rulebook.rules}
        self._lists = rulebook.lists
        self._eligible = cache(self._compiled)

    def stopped(self, message: Message, profile: Profile) -> Reason | None:
        """Why the follow-up does not go on, None where it does."""
        rule = self._rules.get(message.rule)
        if rule is None or rule.mode is Mode.DRAFT:
            return Reason.RULE_WITHDRAWN
        if rule.mode is Mode.SHADOW:
            return Reason.SHADOW
        asked = self._eligible(rule.rule)
        names = {**_as_asked(rule, message.signals), "profile": profile.values(), "lists": self._lists}
        return None if asked is None or asked(names) else Reason.NOT_ELIGIBLE

    def _compiled(self, name: str) -> Callable[[Mapping[str, Any]], bool] | None:
        rule: Rule = self._rules[name]
        if "event" in root_names(rule.eligible):
            return None
        compiled = compile_expression(rule.eligible)
        return lambda names: holds(compiled, names)


def _as_asked(rule: Rule, shown: Mapping[str, Any]) -> dict[str, Any]:
    """A message shows its signals as JSON, a duration as its seconds: conditions compare durations."""
    return {
        name: _duration(value)
        if isinstance(value, str) and isinstance(rule.signals.get(name), SinceSignal)
        else value
        for name, value in shown.items()
    }


def _duration(shown: str) -> timedelta:
    return timedelta(microseconds=int(Decimal(shown.removesuffix("s")) * SECOND))
