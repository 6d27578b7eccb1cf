"""What the parts of a close keep and leave for one another, as lines of JSON."""

from __future__ import annotations

from decimal import Decimal

from foreword.domain import json_text
from foreword.domain.instants import Instant
from foreword.domain.peer_values import PeerValue, signals_from_json, signals_to_json
from foreword.domain.peers_selection import Interval, Point, Told
from foreword.domain.peers_statistics import Standing
from foreword.domain.rulebook import Rule


def value_line(value: PeerValue) -> str:
    """What all values of one comparison share is left out."""
    signals, profile = signals_to_json(value.signals), dict(value.profile)
    return json_text.dumps([value.customer_id, value.at, value.value, value.cohort, signals, profile])


def value_of(rule: Rule, period: Instant, line: str) -> PeerValue:
    customer_id, at, value, cohort, signals, profile = json_text.loads(
        line, max_depth=2 * json_text.MAX_DEPTH
    )
    known = signals_from_json(rule, signals)
    return PeerValue(customer_id, rule.rule, period, at, value, cohort, known, profile)


def compared_of(line: str) -> tuple[str, Decimal | int]:
    """The cohort and the value alone."""
    _, _, value, cohort, _, _ = json_text.loads(line, max_depth=2 * json_text.MAX_DEPTH)
    return cohort, value


def told_line(cohort: str, told: Told) -> str:
    return json_text.dumps(
        [cohort, told.members, told.total, told.below, list(map(list, told.points)), told.complete]
    )


def told_of(line: str) -> tuple[str, Told]:
    cohort, members, total, below, points, complete = json_text.loads(line)
    known = tuple(Point(Decimal(value), less, through) for value, less, through in points)
    return cohort, Told(members, Decimal(total), below, known, complete)


def settled_line(cohort: str, found: Standing | Interval) -> str:
    if isinstance(found, Interval):
        return json_text.dumps([cohort, "asked", found.low, found.high])
    return json_text.dumps([cohort, "standing", found.members, found.total, found.first, list(found.values)])


def settled_of(line: str) -> tuple[str, Standing | Interval]:
    cohort, kind, *rest = json_text.loads(line)
    if kind == "asked":
        return cohort, Interval(*map(Decimal, rest))
    members, total, first, values = rest
    return cohort, Standing(members, Decimal(total), first, tuple(map(Decimal, values)))
