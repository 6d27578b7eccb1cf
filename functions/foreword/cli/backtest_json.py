"""A backtest for programs: one JSON object a line, each with its `kind`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from foreword.backtest.run import Result
from foreword.backtest.summary import (
    Funnel,
    Subject,
    by_day,
    by_rule,
    changes,
    closed,
    day_text,
    in_all,
    kept_back,
    reached,
    top_customers,
)
from foreword.backtest.words import in_order, words_of
from foreword.domain.instants import Instant, format_instant


def print_json(subject: Subject, result: Result) -> None:
    for line in _lines(subject, result):
        click.echo(json.dumps(line, ensure_ascii=False))


def _lines(subject: Subject, result: Result) -> Iterator[dict[str, Any]]:
    """The rulebook that was tested alone has days, messages and customers: of the other, what changes is told."""
    tally = result.tallies[0]
    funnels = by_rule(tally, subject.rules)
    for rule, funnel in funnels.items():
        yield {"kind": "rule", "rule": rule, **_figures(funnel), "customers": len(reached(tally, rule))}
    for day, rules in by_day(tally).items():
        for rule, funnel in rules.items():
            yield {"kind": "day", "day": day_text(day), "rule": rule, **_figures(funnel)}
    for (rule, message, ended), count in sorted(tally.messages.items()):
        yield {"kind": "message", "rule": rule, "message": message, "reason": ended, "count": count}
    if subject.policy is not None:
        for gate, count in closed(in_all(funnels.values())):
            yield {"kind": "gate", "reason": str(gate), "words": words_of(gate), "rises": count}
        for rule, row in kept_back(tally, subject.rules).items():
            yield {"kind": "limits", "rule": rule, **{name.replace(" ", "_"): it for name, it in row.items()}}
    for customer, counts in top_customers(tally):
        yield {"kind": "customer", "customer_id": customer, "firings": counts.total(), "rules": dict(counts)}
    if len(subject.names) > 1:
        for change in changes(result.tallies, subject.all_rules):
            yield {"kind": "change", "rulebooks": list(subject.names), **asdict(change)}
    yield {
        "kind": "summary",
        "rulebook": subject.names[0],
        "events_file": subject.events,
        "policy": subject.policy,
        "from": _time(result.clock.first),
        "until": _time(result.clock.last),
        "events": result.events,
        "duplicates": result.duplicates,
        "taken_back": result.taken_back,
        "broken": result.broken,
        "customers": result.customers,
        "customers_failed": len(result.failed),
        **_figures(in_all(funnels.values())),
        "customers_reached": len(reached(tally)),
    }


def _figures(funnel: Funnel) -> dict[str, Any]:
    return {
        "rises": funnel.rises,
        "skipped": {reason: funnel.skipped[reason] for reason in in_order(funnel.skipped)},
        "fired": funnel.fired,
        "outcomes": {reason: funnel.outcomes[reason] for reason in in_order(funnel.outcomes)},
    }


def _time(instant: Instant | None) -> str | None:
    return None if instant is None else format_instant(instant)
