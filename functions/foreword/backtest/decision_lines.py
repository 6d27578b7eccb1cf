"""A decision as the line of JSON that `--decisions` writes (rules.md, The command line)."""

from __future__ import annotations

from foreword.backtest.delivery import Ending
from foreword.domain import json_text
from foreword.domain.decisions import Decision
from foreword.domain.instants import format_instant, sortable

TIME_LENGTH = len(sortable(0))


def sortable_line(decision: Decision, endings: list[Ending]) -> str:
    """The line behind its time: sorted as text, such lines are in order of time, then customer, rule and case.

    A signal's number is the decimal of its text, a duration its seconds as CEL writes them ("259200s"), a moment
    true; signals that are undefined are left out. A firing's reason and channel are those of its first message.
    """
    fired = decision.reason is None
    first = endings[0] if endings else None
    line = json_text.dumps(
        {
            "customer_id": decision.customer_id,
            "rule": decision.rule,
            "case": decision.case,
            "at": format_instant(decision.at),
            "outcome": "fired" if fired else "skipped",
            "reason": (None if first is None else first.reason) if fired else decision.reason,
            "channel": None if first is None else first.channel,
            "signals": dict(decision.signals),
        }
    )
    return f"{sortable(decision.at)}{line}"
