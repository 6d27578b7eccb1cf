"""MERGE: what all shards told of a bucket's cohorts is put together, cohort by cohort.

A cohort with too few members is left out, and with it all its members: they are not evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass

from foreword.app.ports import PeerCloses, PeerStore
from foreword.domain.peers import Comparison
from foreword.domain.peers_closing import Progress, Work
from foreword.domain.peers_lines import settled_line, told_of
from foreword.domain.peers_selection import Interval, Told, settle


@dataclass(frozen=True, slots=True)
class MergePeers:
    closes: PeerCloses
    store: PeerStore

    def __call__(self, work: Work, comparison: Comparison) -> Progress | None:
        cohorts: dict[str, list[Told]] = {}
        for line in self.store.told(work.close, work.stage.round, work.part):
            cohort, told = told_of(line)
            cohorts.setdefault(cohort, []).append(told)
        found = {
            cohort: settle(comparison.statistic, told)
            for cohort, told in cohorts.items()
            if sum(shard.members for shard in told) >= comparison.at_least
        }
        lines = [settled_line(cohort, one) for cohort, one in found.items()]
        self.store.settle(work.close, work.stage.round, work.part, lines)
        is_open = any(isinstance(one, Interval) for one in found.values())
        return self.closes.finish(work, again=[work.part] if is_open else [])
