"""COUNT: a shard's values of a period are frozen, and each cohort's bucket is told of them.

Freezing copies the values in runs, each written once: a worker that finds a run there goes on behind it. The last
run says that none follows, an empty one where the shard has no values. From then on nothing that comes later
makes a difference.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from foreword.app.ports import Clock, Frozen, PeerCloses, PeerStore, WorkQueue
from foreword.domain.instants import SECOND, Duration
from foreword.domain.peers import Comparison
from foreword.domain.peers_closing import Close, Progress, Work, shard_of
from foreword.domain.peers_lines import compared_of, settled_of, told_line
from foreword.domain.peers_selection import Interval, tell
from foreword.domain.peers_statistics import measured

MOST_TIME: Duration = 60 * SECOND
"""After this a worker begins no further run: what is left of its shard goes back to the queue."""

MOST_LINES = 2000
MOST_BYTES = 256 * 1024
"""Of a run, unless a single line is longer."""


@dataclass(frozen=True, slots=True)
class CountPeers:
    closes: PeerCloses
    store: PeerStore
    queue: WorkQueue
    clock: Clock

    def __call__(self, work: Work, comparison: Comparison) -> Progress | None:
        if work.stage.round == 0 and not self._is_frozen(work):
            self.queue.send([work])
            return None
        told: dict[str, list[str]] = {}
        for cohort, values, asked in self._cohorts(work):
            line = told_line(cohort, tell(comparison.statistic, sorted(values), asked))
            told.setdefault(shard_of(cohort), []).append(line)
        for bucket, lines in told.items():
            self.store.tell(work.close, work.stage.round, bucket, work.part, lines)
        return self.closes.finish(work, shards=[work.part] if told else [], cohorts=told)

    def _is_frozen(self, work: Work) -> bool:
        """False where the time did not suffice."""
        started = self.clock.now()
        while True:
            # One at a time in memory, however many there are.
            last = next(iter(deque(self.store.frozen(work.close, work.part), maxlen=1)), None)
            if last is not None and last.is_last:
                return True
            for run in self._further_runs(work, last):
                if not self.store.freeze(work.close, work.part, run):
                    break  # another worker is at it as well: on behind what it wrote
                if self.clock.now() - started > MOST_TIME and not run.is_last:
                    return False

    def _further_runs(self, work: Work, last: Frozen | None) -> Iterator[Frozen]:
        number, through = (0, "") if last is None else (last.number + 1, last.through)
        return runs(self.store.values(work.close, work.part, through), number, through)

    def _cohorts(self, work: Work) -> Iterable[tuple[str, list[Decimal], Interval]]:
        """The shard's values of every cohort that is asked for."""
        asked = self._asked(work.close, work.stage.round)
        cohorts: dict[str, list[Decimal]] = {}
        for run in self.store.frozen(work.close, work.part):
            for line in run.lines:
                cohort, value = compared_of(line)
                if asked is None or cohort in asked:
                    cohorts.setdefault(cohort, []).append(measured(value))
        for cohort, values in cohorts.items():
            yield cohort, values, Interval() if asked is None else asked[cohort]

    def _asked(self, close: Close, round_: int) -> dict[str, Interval] | None:
        """By cohort, what the round before left open; None in the first, which asks for all."""
        if round_ == 0:
            return None
        settled = map(settled_of, self.store.settled(close, round_ - 1))
        return {cohort: found for cohort, found in settled if isinstance(found, Interval)}


def runs(values: Iterable[tuple[str, str]], number: int, through: str) -> Iterator[Frozen]:
    """Cut (customer, line) into runs, counted from `number` on; the last may be empty."""
    lines: list[str] = []
    size = 0
    for customer_id, line in values:
        length = len(line.encode())
        if lines and (len(lines) == MOST_LINES or size + length > MOST_BYTES):
            yield Frozen(number, tuple(lines), through, is_last=False)
            number, lines, size = number + 1, [], 0
        lines.append(line)
        size += length
        through = customer_id
    yield Frozen(number, tuple(lines), through, is_last=True)
