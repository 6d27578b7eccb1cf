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
    day_text,
    in_all,
    reached,
    top_customers,
)
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
    for (rule, message, reason), count in sorted(tally.messages.items()):
        yield {"kind": "message", "rule": rule, "message": message, "reason": reason, "count": count}
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
        "skipped": dict(sorted(funnel.skipped.items())),
        "fired": funnel.fired,
        "outcomes": dict(sorted(funnel.outcomes.items())),
    }


def _time(instant: Instant | None) -> str | None:
    return None if instant is None else format_instant(instant)
