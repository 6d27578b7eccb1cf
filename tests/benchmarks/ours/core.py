"""Foreword's core: facts decoded, every customer's state in memory, in the order of the stream.

`WORKLOAD PASSES BUDGET RULEBOOK`. A match is a rise that fires.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from foreword.domain.core import Core
from foreword.domain.facts import Fact
from foreword.domain.state import State
from foreword.domain.verdicts import Verdicts
from foreword.domain.walk import Walk
from tests.benchmarks.ours.facts import fact_of
from tests.benchmarks.ours.rulebooks import read_published
from tests.benchmarks.rivals.clock import measure
from tests.benchmarks.workload import Workload


class Customers:
    """Every customer's walk goes on from fact to fact; what rises is decided at once."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._walks: dict[str, Walk] = {}

    def take(self, fact: Fact) -> int:
        """How many rises fired."""
        walk = self._walks.get(fact.customer_id)
        if walk is None:
            walk = self._walks[fact.customer_id] = Walk(self._core, State(), {})
        walk.fact(fact)
        return self._decide(walk, fact) if walk.rises else 0

    def _decide(self, walk: Walk, fact: Fact) -> int:
        verdicts = Verdicts(walk.state)
        fired = 0
        for rise in walk.rises:
            decision = verdicts.decision(rise, fact.customer_id, fact.occurred_at)
            left = [] if decision.reason else ["sent"]
            fired += len(left)
            verdicts.note(rise, left)
        walk.rises.clear()
        return fired


def ready(core: Core, facts: Iterable[Fact]) -> Core:
    """With a handler for each type: compiling is a matter of starting, as it is for the rivals."""
    for event_type in {fact.type for fact in facts}:
        core.handler(event_type)
    return core


def main() -> None:
    workload_path, passes, budget, rulebook_path = sys.argv[1:]
    facts = [fact_of(event) for event in Workload.read(Path(workload_path)).events]
    core = ready(Core(read_published(Path(rulebook_path))), facts)

    def start() -> Callable[[Fact], int]:
        return Customers(core).take

    measure(facts, start, passes=int(passes), budget=float(budget)).print()


if __name__ == "__main__":
    main()
