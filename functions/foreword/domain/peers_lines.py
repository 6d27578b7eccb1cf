"""What the parts of a close leave for one another, a line of JSON for each cohort."""

from __future__ import annotations

from foreword.domain import json_text
from foreword.domain.peers_selection import Interval, Point, Told
from foreword.domain.peers_statistics import Standing


def told_line(cohort: str, told: Told) -> str:
    return json_text.dumps(
        [cohort, told.members, told.total, told.below, list(map(list, told.points)), told.complete]
    )


def told_of(line: str) -> tuple[str, Told]:
    cohort, members, total, below, points, complete = json_text.loads(line)
    return cohort, Told(members, total, below, tuple(Point(*point) for point in points), complete)


def settled_line(cohort: str, found: Standing | Interval) -> str:
    if isinstance(found, Interval):
        return json_text.dumps([cohort, "asked", found.low, found.high])
    return json_text.dumps([cohort, "standing", found.members, found.total, found.first, list(found.values)])


def settled_of(line: str) -> tuple[str, Standing | Interval]:
    cohort, kind, *rest = json_text.loads(line)
    if kind == "asked":
        return cohort, Interval(*rest)
    members, total, first, values = rest
    return cohort, Standing(members, total, first, tuple(values))
