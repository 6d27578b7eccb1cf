"""Failing examples in a form that can be read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from foreword.domain.facts import Fact
from foreword.domain.instants import DAY, format_duration, format_instant
from foreword.domain.rulebook import Document, EventFilter, Expression, Rule, Rulebook, Schedule

DURATIONS = (
    *("within", "over", "stale_after", "before", "period", "every", "re_eligible_after"),
    *("lasts", "after", "expires_after", "then_for", "at_most"),
)


def told(rulebook: Rulebook, facts: Iterable[Fact] = ()) -> str:
    policy = rulebook.policy
    lines = [f"retention {policy.retention // DAY}d, zone {policy.default_timezone}, settle {policy.settle}"]
    apart = ("retention", "default_timezone", "settle")
    lines += [f"{name}: {_plain(value)}" for name, value in policy if name not in apart and value]
    for rule in rulebook.rules:
        lines += _rule(rule)
    lines += [_fact(fact) for fact in facts]
    return "\n".join(lines)


def _rule(rule: Rule) -> list[str]:
    lines = [f"rule {rule.rule}"]
    lines += [f"  {name}: {_plain(signal)}" for name, signal in rule.signals.items()]
    for name in ("for_each", "when", "eligible", "evaluate", "repeat", "re_eligible_after"):
        lines.append(f"  {name}: {_plain(getattr(rule, name), name)}")
    lines += [
        f"  {name}: {_plain(getattr(rule, name))}"
        for name in ("exceptions", "hold", "experiment")
        if getattr(rule, name) is not None
    ]
    return [*lines, *(f"  send {_plain(send)}" for send in rule.sends)]


def _fact(fact: Fact) -> str:
    back = "" if fact.retracts is None else f" retracts {fact.retracts}"
    late = (fact.received_at - fact.occurred_at) / 3_600_000_000
    return f"{fact.id} {format_instant(fact.occurred_at)} +{late}h {fact.type} {dict(fact.data)}{back}"


def _plain(value: Any, name: str = "") -> str:
    match value:
        case Expression():
            return value.source
        case EventFilter():
            types = "*" if value.types is None else "|".join(value.types)
            return types if value.where is None else f"{types} where {value.where.source}"
        case Document() | Schedule():
            parts = [
                f"{field}: {_plain(inner, field)}"
                for field, inner in value
                if inner is not None and inner is not False
            ]
            return "{" + ", ".join(parts) + "}"
        case tuple():
            return "[" + ", ".join(map(_plain, value)) + "]"
        case int() if name in DURATIONS and value > 1000:
            return format_duration(value)
    return str(value)
