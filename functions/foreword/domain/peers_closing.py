"""The close of a period: its stages, each cut in parts that are worked on in any order, and more than once.

    COUNT      by shard of customers   its values are frozen, and what selection needs of them is told
    MERGE      by bucket of cohorts    what the shards told is put together: a standing, or a further question
    COMPARE    by shard of customers   each customer beside its cohort; who changed is handed to the road

COUNT and MERGE come again, a round later, while a cohort is not settled. A stage begins when no part of the one
before is left.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from foreword.domain.instants import DAY, MINUTE, Duration, Instant

SHARDS = 16
"""Of customers, and as many buckets of cohorts."""

LOOK_AGAIN_AFTER: Duration = 15 * MINUTE
"""A stage that has not ended by then has its parts handed out again: a message or a worker was lost."""

KEPT_FOR: Duration = 7 * DAY
"""How long after the end of its period a close may still be brought to an end, and all it needs is kept."""


class Close(NamedTuple):
    """The comparison of one period, from `period` up to and without `end`, by one definition of a rule."""

    rule: str
    digest: str
    period: Instant
    end: Instant


class Step(StrEnum):
    COUNT = "count"
    MERGE = "merge"
    COMPARE = "compare"


class Stage(NamedTuple):
    step: Step
    round: int = 0

    def to_text(self) -> str:
        return f"{self.step}/{self.round}"

    @classmethod
    def from_text(cls, text: str) -> Stage:
        step, _, round_ = text.partition("/")
        return cls(Step(step), int(round_))


class Work(NamedTuple):
    """One part of a stage; `begin` is where in its shard to go on, when much was done before."""

    close: Close
    stage: Stage
    part: str
    begin: int = 0


class Truth(NamedTuple):
    """Whether a rule was true for a customer when it was last found to have changed: in that period."""

    is_true: bool
    period: Instant


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a close has come. `stage` is None before it begins; `left` are the parts still to do.

    `shards` are those with values; `cohorts` the buckets with cohorts to settle in this round, `again` those with
    one that needs another. `due_at` is when the tick looks at it, None once it is closed.
    """

    close: Close
    due_at: Instant | None
    stage: Stage | None = None
    left: frozenset[str] = frozenset()
    shards: frozenset[str] = frozenset()
    cohorts: frozenset[str] = frozenset()
    again: frozenset[str] = frozenset()

    @property
    def is_closed(self) -> bool:
        return self.due_at is None

    @property
    def has_begun(self) -> bool:
        return self.stage is not None or self.is_closed

    def work(self) -> list[Work]:
        """The parts of this stage that are left."""
        stage = self.stage
        return [] if stage is None else [Work(self.close, stage, part) for part in sorted(self.left)]

    def following(self, now: Instant) -> Progress:
        """When nothing is left of this stage: the beginning of the next one, or the end."""
        found = self._following()
        return replace(found, due_at=now + LOOK_AGAIN_AFTER) if found.left else found.closed()

    def closed(self) -> Progress:
        return replace(self, due_at=None, left=frozenset())

    def _following(self) -> Progress:
        if self.stage is None:
            return replace(self, stage=Stage(Step.COUNT), left=frozenset(all_shards()))
        step, round_ = self.stage
        if step is Step.COUNT:
            return replace(self, stage=Stage(Step.MERGE, round_), left=self.cohorts, again=frozenset())
        if step is Step.MERGE and self.again:
            return replace(self, stage=Stage(Step.COUNT, round_ + 1), left=self.shards, cohorts=self.again)
        if step is Step.MERGE:
            return replace(self, stage=Stage(Step.COMPARE), left=self.shards)
        return replace(self, left=frozenset())


def all_shards() -> tuple[str, ...]:
    return tuple(f"{shard:x}" for shard in range(SHARDS))


def shard_of(name: str) -> str:
    """Of a customer id, or of a cohort its bucket."""
    return f"{hashlib.sha256(name.encode()).digest()[-1] % SHARDS:x}"
