"""A new rulebook with deadlines, dates or schedules reaches the customers who do nothing: they are woken once each.

Page by page over all customers, some pages a tick: each gets a fact in the journal, and is rebuilt with the new
rules in its own order. Killed between a fact and the progress, the page is done again, and the facts are known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from foreword.app.ports import Clock, CustomersToReach, Journal
from foreword.domain.facts import DEADLINE_REACHED, FOREWORD, Fact
from foreword.domain.instants import MINUTE, SECOND, Duration, Instant
from foreword.domain.reaching import Reach

WAIT: Duration = 15 * MINUTE
"""From the first tick that has the new rulebook on: by then all functions have it."""

MOST_TIME: Duration = 10 * SECOND
"""Of a tick: what is due comes first, and the rest of the customers with the next ticks."""


@dataclass(slots=True)
class ReachCustomers:
    """`generation` is the rulebook's, `mark` that of its rules that wait for a time."""

    generation: str
    mark: str
    customers: CustomersToReach
    journal: Journal
    clock: Clock
    _done: bool = False

    def __call__(self) -> int:
        """How many customers were woken."""
        if self._done:
            return 0
        begun = self.clock.now()
        known = self.customers.progress()
        reach = known if known is not None and known.mark == self.mark else None
        if reach is None:
            version = 0 if known is None else known.version
            reach = Reach(self.mark, begun + WAIT, version=version + 1)
            self.customers.keep(replace(reach, version=version), reach)
            return 0
        if begun < reach.begins_at:
            return 0
        woken = 0
        while not reach.done and self.clock.now() - begun < MOST_TIME:
            met, through = self.customers.page(reach.through, self.generation)
            woken += sum(self._wake(customer_id, self.clock.now()) for customer_id in met)
            after = replace(reach, through=through, done=through is None, version=reach.version + 1)
            if not self.customers.keep(reach, after):
                return woken  # another tick is at it
            reach = after
        self._done = reach.done
        return woken

    def _wake(self, customer_id: str, now: Instant) -> bool:
        fact = Fact(FOREWORD, f"rulebook/{self.mark}", DEADLINE_REACHED, customer_id, now, now)
        return self.journal.add(fact)
