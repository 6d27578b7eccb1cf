"""Exact selection among values that lie in many shards: no one ever holds all of them.

Each shard tells of its values in an interval, at first in all of them: every one, or, where they are many, some
hundred points with how many values lie below each. What all shards told either names the values of the ranks
that are wanted, or a narrower interval in which these are for certain, and the shards are asked again.

The points of a shard leave at most one in MOST_POINTS of its values undecided between two of them. So each round
leaves a small fraction of the values that were between the interval's ends: two rounds do for millions.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from foreword.domain.peers_statistics import Standing, Statistic, total

MOST_POINTS = 256


class Interval(NamedTuple):
    """Both ends belong to it; None is without end."""

    low: Decimal | None = None
    high: Decimal | None = None


class Point(NamedTuple):
    """`below` and `through`: how many of all the shard's values are less than `value`, and at most `value`."""

    value: Decimal
    below: int
    through: int


class Told(NamedTuple):
    """What one shard tells of its values of one cohort; `members` and `total` are of all of them.

    `points` ascend within the interval, from the lowest to the highest value the shard has there. `below` counts
    those before the interval. `complete`: every different value in it is a point.
    """

    members: int
    total: Decimal
    below: int = 0
    points: tuple[Point, ...] = ()
    complete: bool = True


def tell(
    statistic: Statistic, ordered: Sequence[Decimal], asked: Interval, most_points: int = MOST_POINTS
) -> Told:
    """`ordered` are the shard's values of one cohort, ascending."""
    members = Told(len(ordered), total(ordered))
    if statistic.percentile is None:
        return members
    start = 0 if asked.low is None else bisect_left(ordered, asked.low)
    stop = len(ordered) if asked.high is None else bisect_right(ordered, asked.high)
    different = [(value, sum(1 for _ in same)) for value, same in groupby(ordered[start:stop])]
    points = _points(different, start, asked, most_points)
    return members._replace(below=start, points=points, complete=len(points) == len(different))


def _points(
    different: Sequence[tuple[Decimal, int]], below: int, asked: Interval, most_points: int
) -> tuple[Point, ...]:
    # The values at the interval's ends may be most of all, and are points as it is.
    inside = sum(count for value, count in different if value not in asked)
    apart = 0 if len(different) <= most_points else -(-inside // most_points)
    points: list[Point] = []
    passed = 0
    for at, (value, count) in enumerate(different):
        if at in (0, len(different) - 1) or passed + count > apart:
            points.append(Point(value, below, below + count))
            passed = 0
        else:
            passed += count
        below += count
    return tuple(points)


def settle(statistic: Statistic, told: Iterable[Told]) -> Standing | Interval:
    """What all shards told of one cohort, put together; or what they are to be asked next."""
    shards = list(told)
    members = sum(one.members for one in shards)
    whole = Standing(members, total(one.total for one in shards))
    ranks = statistic.ranks(members)
    if not ranks:
        return whole
    if not all(one.complete for one in shards):
        return _narrowed(shards, ranks)
    values = _values(shards, ranks)
    return whole._replace(first=ranks.start, values=values)


def _values(shards: Sequence[Told], ranks: range) -> tuple[Decimal, ...]:
    counts: Counter[Decimal] = Counter()
    for one in shards:
        for point in one.points:
            counts[point.value] += point.through - point.below
    values: list[Decimal] = []
    rank = sum(one.below for one in shards)
    for value in sorted(counts):
        rank += counts[value]
        while len(values) < len(ranks) and ranks[len(values)] < rank:
            values.append(value)
    return tuple(values)


def _narrowed(shards: Sequence[Told], ranks: range) -> Interval:
    """From the highest point that certainly is not behind the first rank to the lowest not before the last."""
    candidates = sorted({point.value for one in shards for point in one.points})
    at_most_below = _summed(shards, _at_most_below)
    at_least_through = _summed(shards, _at_least_through)
    # Both counts grow with the value: `bisect` finds the first candidate that has too many, or enough.
    low = bisect_right(candidates, ranks[0], key=at_most_below) - 1
    high = bisect_left(candidates, ranks[-1] + 1, key=at_least_through)
    return Interval(candidates[low], candidates[high])


def _summed(shards: Sequence[Told], count: Callable[[Told, Decimal], int]) -> Callable[[Decimal], int]:
    return lambda value: sum(count(one, value) for one in shards)


def _at_most_below(one: Told, value: Decimal) -> int:
    """How many of a shard's values can be less than `value`."""
    at = bisect_left(one.points, value, key=lambda point: point.value)
    return one.points[at].below if at < len(one.points) else _all_through(one)


def _at_least_through(one: Told, value: Decimal) -> int:
    """How many of a shard's values are certainly at most `value`."""
    at = bisect_right(one.points, value, key=lambda point: point.value)
    return one.points[at - 1].through if at else one.below


def _all_through(one: Told) -> int:
    return one.points[-1].through if one.points else one.below
