"""A bucket's records -> each customer's events, in order of time and each once.

The events of one instant keep the file's order, and of those with one source and id the first of the file counts
(rules.md, The command line). What is taken back is left out, and so is what takes it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TypeAlias

from foreword.backtest.decode import Decoder
from foreword.backtest.span import Span
from foreword.backtest.spool import Bucket
from foreword.domain.facts import Fact
from foreword.domain.instants import Instant

_TIME = Fact._fields.index("occurred_at")
_occurred_at = itemgetter(_TIME)

Identity: TypeAlias = tuple[str, str]
"""Source and id."""


@dataclass(slots=True)
class Found:
    """What was met while buckets were read: each event counted once, each broken record by its number and reason.

    `taken_back` counts the events that others retract; neither those nor these are among the events.
    """

    events: int = 0
    duplicates: int = 0
    taken_back: int = 0
    first: Instant | None = None
    last: Instant | None = None
    broken: list[tuple[int, str]] = field(default_factory=list)

    @property
    def span(self) -> Span:
        return Span(self.first, self.last)

    def counted(self, history: Sequence[Fact]) -> Sequence[Fact]:
        """One customer's, in order of time."""
        if history:
            self.events += len(history)
            first, last = history[0].occurred_at, history[-1].occurred_at
            if self.first is None or first < self.first:
                self.first = first
            if self.last is None or last > self.last:
                self.last = last
        return history


def histories(
    bucket: Bucket, decoder: Decoder, until: Instant | None, found: Found
) -> Iterator[tuple[str, Sequence[Fact]]]:
    """Each customer of the bucket with the events up to `until`; all of them are in memory at once."""
    customers: dict[str, dict[Identity, Fact]] = {}
    taken_back: dict[str, set[Identity]] = {}
    for fact in (
        fact for numbers, records in bucket.pieces() for fact in decoder.facts(numbers, records, found.broken)
    ):
        source, id, _, customer_id, _, _, _, retracts, _ = fact
        try:
            known = customers[customer_id]
        except KeyError:
            known = customers[customer_id] = {}
        if known.setdefault((source, id), fact) is not fact:
            found.duplicates += 1
        elif retracts is not None:
            taken_back.setdefault(customer_id, set()).add((source, retracts))
    while customers:
        customer_id, known = customers.popitem()
        facts: Iterable[Fact] = known.values()
        if customer_id in taken_back:
            facts = _standing(known, taken_back[customer_id], found)
        # Python's sort leaves the file's order where times are equal.
        history = sorted(facts, key=_occurred_at)
        if until is not None:
            history = [fact for fact in history if fact.occurred_at <= until]
        times = [fact[_TIME] for fact in history]
        if len(set(times)) < len(times):
            history = list(received_in_order(history))
        yield customer_id, found.counted(history)


def _standing(known: dict[Identity, Fact], taken_back: set[Identity], found: Found) -> list[Fact]:
    """Those that are not taken back, and take nothing back."""
    found.taken_back += len(taken_back & known.keys())
    return [fact for identity, fact in known.items() if fact.retracts is None and identity not in taken_back]


def received_in_order(history: Iterable[Fact]) -> Iterator[Fact]:
    """As the core wants them: events of one instant are told apart by the order of their receipt."""
    previous, nth = None, 0
    for fact in history:
        if fact.occurred_at != previous:
            previous, nth = fact.occurred_at, 0
            yield fact
        else:
            nth += 1
            yield fact._replace(received_at=previous + nth)
