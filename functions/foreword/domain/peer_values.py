"""What a customer brings to the comparison with its cohort: one value for each rule and period."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from foreword.domain.instants import Duration, Instant


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
