"""A decision as the line of JSON that `--decisions` writes (rules.md, The command line)."""

from __future__ import annotations

from decimal import Decimal
from json.encoder import encode_basestring as json_string
from typing import Any

from foreword.backtest.delivery import Ending
from foreword.domain import json_text
from foreword.domain.decisions import Decision
from foreword.domain.instants import sortable

TIME_LENGTH = len(sortable(0))


def sortable_line(decision: Decision, endings: list[Ending]) -> str:
    """The line behind its time: sorted as text, such lines are in order of time, then customer, rule and case.

    A signal's number is the decimal of its text, a duration its seconds as CEL writes them ("259200s"), a moment
    true; signals that are undefined are left out. A firing's reason and channel are those of its first message.
    """
    fired = decision.reason is None
    first = endings[0] if endings else None
    reason = (None if first is None else first.reason) if fired else decision.reason
    signals = ",".join(f"{json_string(name)}:{_json(value)}" for name, value in decision.signals.items())
    at = sortable(decision.at)
    return (
        f'{at}{{"customer_id":{json_string(decision.customer_id)}'
        f',"rule":{json_string(decision.rule)}'
        f',"case":{_json(decision.case)}'
        f',"at":"{_shortest(at)}"'
        f',"outcome":"{"fired" if fired else "skipped"}"'
        f',"reason":{_json(reason)}'
        f',"channel":{_json(None if first is None else first.channel)}'
        f',"signals":{{{signals}}}}}'
    )


def _shortest(sortable: str) -> str:
    """With milliseconds or microseconds only where they are not zero."""
    if sortable.endswith(".000000Z"):
        return f"{sortable[:-8]}Z"
    return f"{sortable[:-4]}Z" if sortable.endswith("000Z") else sortable


def _json(value: Any) -> str:
    if isinstance(value, str):
        return json_string(value)
    if value is None:
        return "null"
    return str(value) if type(value) is int or type(value) is Decimal else json_text.dumps(value)
