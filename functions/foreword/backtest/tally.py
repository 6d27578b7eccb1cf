"""What came of a history, counted: by rule, day and reason, and by customer."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from foreword.backtest.delivery import Ending
from foreword.domain.decisions import Decision
from foreword.domain.instants import DAY
from foreword.domain.reasons import Reason


class Rises(NamedTuple):
    """Which rises are counted together. `day` is a number of days since 1970-01-01, in UTC.

    `reason` is that of the first message where the rule fired, None where no `if` of its sends held.
    """

    rule: str
    day: int
    fired: bool
    reason: Reason | None


@dataclass(slots=True)
class Tally:
    """`reached` counts, by rule, the firings of each customer to whom a message of it was sent."""

    rises: Counter[Rises] = field(default_factory=Counter)
    messages: Counter[tuple[str, str, Reason]] = field(default_factory=Counter)
    """By rule, message and what became of it."""
    reached: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, decision: Decision, endings: list[Ending]) -> None:
        fired = decision.reason is None
        first = endings[0].reason if endings else None
        self.rises[Rises(decision.rule, decision.at // DAY, fired, first if fired else decision.reason)] += 1
        for ending in endings:
            self.messages[decision.rule, ending.message, ending.reason] += 1
        if any(ending.reason is Reason.SENT for ending in endings):
            self.reached.setdefault(decision.rule, Counter())[decision.customer_id] += 1

    def __iadd__(self, other: Tally) -> Tally:
        self.rises.update(other.rises)
        self.messages.update(other.messages)
        for rule, customers in other.reached.items():
            self.reached.setdefault(rule, Counter()).update(customers)
        return self
