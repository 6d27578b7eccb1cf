"""Foreword's core as `backtest` uses it: facts decoded, one customer's history after the other.

`WORKLOAD PASSES RULEBOOK`. A match is a rise that fires.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path

from foreword.domain.core import Core
from foreword.domain.facts import Fact
from foreword.domain.replay import replay
from tests.benchmarks.ours.core import ready
from tests.benchmarks.ours.facts import fact_of
from tests.benchmarks.ours.rulebooks import read_published
from tests.benchmarks.rivals.clock import measure
from tests.benchmarks.workload import Workload


def main() -> None:
    workload_path, passes, rulebook_path = sys.argv[1:]
    histories: dict[str, list[Fact]] = {}
    for event in Workload.read(Path(workload_path)).events:
        histories.setdefault(event.customer_id, []).append(fact_of(event))

    published = Core(read_published(Path(rulebook_path)))
    core = ready(published.as_live(), chain.from_iterable(histories.values()))

    def take(facts: list[Fact]) -> int:
        decisions = replay(core, facts[0].customer_id, {}, facts).decisions
        return sum(decision.reason is None for decision in decisions)

    def start() -> Callable[[list[Fact]], int]:
        return take

    measured = measure(list(histories.values()), start, passes=int(passes))
    measured._replace(events=sum(map(len, histories.values()))).print()


if __name__ == "__main__":
    main()
