"""What the workload must lead to, worked out as plainly as possible: per rule and customer, a list of events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tests.benchmarks.workload import DAY_MS, RATIO_NEEDS, Event, Rule, Workload

PAUSE_MS = 14 * DAY_MS


class Expected(NamedTuple):
    """Over all rules: events seen by a rule's signal, evaluations that were true, rises, and firings (rises at
    least a pause of a fortnight apart)."""

    seen: int
    true: int
    rises: int
    firings: int


def expect(workload: Workload) -> Expected:
    by_type: dict[str, list[Rule]] = {}
    for rule in workload.rules:
        for type_ in rule.types:
            by_type.setdefault(type_, []).append(rule)
    kept: dict[tuple[str, str], list[Event]] = {}
    fired_at: dict[tuple[str, str], int] = {}
    seen = true = rises = firings = 0
    for event in workload.events:
        for rule in by_type[event.type]:
            if not rule.sees(event):
                continue
            seen += 1
            key = (rule.name, event.customer_id)
            window = [one for one in kept.get(key, []) if one.at >= event.at - rule.days * DAY_MS]
            # Just before, an event exactly as old as the window still counted; now it does not.
            was = is_true(rule, window)
            kept[key] = [one for one in window if one.at > event.at - rule.days * DAY_MS] + [event]
            if is_true(rule, kept[key]):
                true += 1
                if not was:
                    rises += 1
                    if key not in fired_at or event.at >= fired_at[key] + PAUSE_MS:
                        firings += 1
                        fired_at[key] = event.at
    return Expected(seen, true, rises, firings)


def is_true(rule: Rule, window: Sequence[Event]) -> bool:
    """Whether the rule's condition holds over these events."""
    match rule.shape:
        case "count":
            return len(window) >= rule.at_least
        case "sum":
            return sum(event.amount for event in window) >= rule.at_least
        case "distinct":
            return len({event.product for event in window}) >= rule.at_least
        case "ratio":
            of = sum(event.type == rule.of for event in window)
            to = len(window) - of
            return to >= RATIO_NEEDS and of / to >= rule.at_least
