"""A bucket's records -> each customer's events, in order of time and each once.

The events of one instant keep the file's order, and of those with one source and id the first of the file counts
(rules.md, The command line). What is taken back is left out, and so is what takes it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TypeAlias

from foreword.backtest.decode import Decoder, text_of
from foreword.backtest.errors import Broken
from foreword.backtest.span import Span
from foreword.backtest.spool import REFUSED, Bucket
from foreword.domain.facts import Fact
from foreword.domain.instants import Instant

Read: TypeAlias = tuple[int, bytes, Fact]
"""A record's number, its text, and the event it is."""

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
    span: Span = field(default_factory=Span)
    broken: list[tuple[int, str]] = field(default_factory=list)

    def counted(self, history: Sequence[Fact]) -> Sequence[Fact]:
        """One customer's, in order of time."""
        if history:
            self.events += len(history)
            self.span |= Span(history[0].occurred_at, history[-1].occurred_at)
        return history


class Once:
    """One customer's events as they are read: the first of each source and id, and which of them are taken back."""

    __slots__ = ("facts", "taken_back")

    def __init__(self) -> None:
        self.facts: dict[Identity, Fact] = {}
        self.taken_back: set[Identity] = set()

    def add(self, fact: Fact) -> bool:
        """False where it is known already."""
        if self.facts.setdefault((fact.source, fact.id), fact) is not fact:
            return False
        if fact.retracts is not None:
            self.taken_back.add((fact.source, fact.retracts))
        return True

    def sorted(self, found: Found) -> list[Fact]:
        """Those that stand, by time; Python's sort leaves the file's order where times are equal."""
        facts: Iterable[Fact] = self.facts.values()
        if self.taken_back:
            found.taken_back += len(self.taken_back & self.facts.keys())
            facts = [
                fact for key, fact in self.facts.items() if fact.retracts is None and key not in self.taken_back
            ]
        return sorted(facts, key=attrgetter("occurred_at"))


def read_facts(bucket: Bucket, decoder: Decoder, found: Found) -> Iterator[Read]:
    """In the order of the file; the broken ones go to `found`."""
    for number, record in bucket.records():
        try:
            if number & REFUSED:
                raise Broken(record.decode())
            yield number, record, decoder.fact(text_of(record), number)
        except Broken as error:
            found.broken.append((number & ~REFUSED, str(error)))


def histories(
    bucket: Bucket, decoder: Decoder, until: Instant | None, found: Found
) -> Iterator[tuple[str, Sequence[Fact]]]:
    """Each customer of the bucket with the events up to `until`, for the core to replay; all are in memory at once."""
    customers: dict[str, Once] = {}
    for _, _, fact in read_facts(bucket, decoder, found):
        try:
            once = customers[fact.customer_id]
        except KeyError:
            once = customers[fact.customer_id] = Once()
        if not once.add(fact):
            found.duplicates += 1
    while customers:
        customer_id, once = customers.popitem()
        yield customer_id, found.counted(list(received_in_order(once.sorted(found), until)))


def received_in_order(history: Iterable[Fact], until: Instant | None = None) -> Iterator[Fact]:
    """As the core wants them: events of one instant are told apart by the order of their receipt."""
    previous, nth = None, 0
    for fact in history:
        if until is not None and fact.occurred_at > until:
            return
        if fact.occurred_at != previous:
            previous, nth = fact.occurred_at, 0
            yield fact
        else:
            nth += 1
            yield fact._replace(received_at=previous + nth)
