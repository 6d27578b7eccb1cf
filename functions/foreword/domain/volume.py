"""Volume constraints: so many messages a day over all customers, counted in several places so that none is hot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foreword.domain.instants import DAY, Instant, sortable
from foreword.domain.messages import Message
from foreword.domain.rulebook import VolumeConstraint

MOST_SHARDS = 16
LEAST_IN_A_SHARD = 25
"""Fewer would leave a shard full while others have room, and cost a second look each time."""

ANY_TOPIC = "any"


@dataclass(frozen=True, slots=True)
class Counter:
    """One of a constraint's counts of one day in UTC; it has room while fewer than `at_most` were counted."""

    topic: str
    day: str
    shard: int
    at_most: int

    @property
    def key(self) -> str:
        return f"{self.topic}/{self.day}/{self.shard}"


def constraints_on(constraints: Sequence[VolumeConstraint], message: Message) -> list[VolumeConstraint]:
    return [it for it in constraints if it.topic in (None, message.topic)]


def counters_of(constraint: VolumeConstraint, message: Message, now: Instant) -> list[Counter]:
    """All that the day has, the message's own first. Together they count up to `at_most` exactly."""
    shards = max(1, min(MOST_SHARDS, constraint.at_most // LEAST_IN_A_SHARD))
    whole, rest = divmod(constraint.at_most, shards)
    day = sortable(now - now % DAY)[:10]
    first = int(message.message_id[:8], 16) % shards
    return [
        Counter(constraint.topic or ANY_TOPIC, day, at % shards, whole + (at % shards < rest))
        for at in range(first, first + shards)
    ]


def counted_in(volume: str | None, counters: Sequence[Sequence[Counter]]) -> bool:
    """Whether `volume`, the keys that a message was counted by, names a counter of each of these constraints."""
    keys = set() if volume is None else set(volume.split(","))
    return bool(keys) and all(any(one.key in keys for one in shards) for shards in counters)
