"""What a customer brings to the comparison with its cohort: one value for each rule and period."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from foreword.domain.instants import Duration, Instant
from foreword.domain.rulebook import Rule, SinceSignal

_MICROSECOND = timedelta(microseconds=1)


class PeerValue(NamedTuple):
    """The customer's last defined value of the period that begins at `period`, given by an event at `at`.

    `cohort` is text that is the same for equal values of the rule's expression. `signals` are the rule's other
    defined signals as of `at`, `profile` the fields that its conditions name.
    """

    customer_id: str
    rule: str
    period: Instant
    at: Instant
    value: int | Decimal
    cohort: str
    signals: Mapping[str, Any]
    profile: Mapping[str, Any]


def period_of(length: Duration, t: Instant) -> Instant:
    """The start of the period in which `t` lies; periods are counted from 1970-01-01T00:00:00Z."""
    return t // length * length


def signals_to_json(signals: Mapping[str, Any]) -> dict[str, Any]:
    """For a store or a journal: a duration as its microseconds."""
    return {
        name: value // _MICROSECOND if isinstance(value, timedelta) else value
        for name, value in signals.items()
    }


def signals_from_json(rule: Rule, written: Mapping[str, Any]) -> dict[str, Any]:
    """As conditions know them; which of them are durations the rule tells, unless it has changed since."""
    return {
        name: value * _MICROSECOND
        if type(value) is int and isinstance(rule.signals.get(name), SinceSignal)
        else value
        for name, value in written.items()
    }
