"""How large a customer's state is with the seed rules, and how often the journal had to be read for it.

Months of a customer's life go through evaluate_triggers, deadlines included, and each state it stores is measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from foreword.authoring.rulebook import load_rulebook
from foreword.domain.core import Core
from foreword.domain.facts import Fact
from foreword.domain.instants import SECOND, Instant, parse_instant
from foreword.local import project
from tests.benchmarks.life import life
from tests.benchmarks.ours.facts import as_read
from tests.benchmarks.ours.stores import Bench
from tests.benchmarks.results import Row, Section, Verdict, judged
from tests.benchmarks.settings import Settings

TITLE = "State of a customer with the seed rules, as stored"
START = parse_instant("2026-01-01T00:00:00Z")


@dataclass(frozen=True, slots=True)
class Pace:
    """Events `a_day`, of which `together` come in one batch; `most` is how many bytes may be stored. For `intraday`
    see `life`."""

    a_day: float
    together: int
    customers: int
    most: int
    intraday: bool = False

    @property
    def name(self) -> str:
        return f"{self.a_day:g} events a day" + (", a quarter of them valuations" if self.intraday else "")


PACES = (
    Pace(0.2, 1, 1500, 1024),
    Pace(20, 1, 40, 1024),
    Pace(1000, 10, 3, 4096),
    Pace(20, 1, 40, 1024, intraday=True),
    Pace(1000, 10, 3, 4096, intraday=True),
)


@dataclass(slots=True)
class Sizes:
    """Bytes of every state stored in the last third, when the windows are full; `reads` of the journal, but for the
    first of each customer, in `batches`. `cut`: it took too long, and the rest of the time was left out."""

    stored: list[int] = field(default_factory=list)
    reads: int = 0
    batches: int = 0
    cut: bool = False

    def at(self, share: float) -> int:
        ordered = sorted(self.stored)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def run(settings: Settings, say: Callable[[str], None]) -> Section:
    core = Core(load_rulebook(project.find().rulebook).published())
    rows = []
    for pace in PACES:
        say(f"{pace.name}, {pace.customers} customers, {settings.days} days")
        rows.append(_row(pace, measure(core, pace, days=settings.days, budget=settings.timeout)))
    return Section("state", TITLE, rows)


def measure(core: Core, pace: Pace, *, days: int, budget: float) -> Sizes:
    """Within `budget` seconds of CPU: a customer whose journal is read again and again would take hours."""
    sizes = Sizes()
    ends = time.process_time() + budget
    for customer in range(pace.customers):
        _live(core, pace, customer, days, sizes, ends)
    return sizes


def _live(core: Core, pace: Pace, customer: int, days: int, sizes: Sizes, ends: float) -> None:
    """One customer's months."""
    bench = Bench(core)
    customer_id = f"c-{customer:05}"
    filled = START + days * 86_400 * SECOND * 2 // 3

    def take(facts: Sequence[Fact], now: Instant) -> None:
        bench.clock.instant = now
        bench.evaluate(customer_id, facts)
        sizes.batches += 1
        stored = bench.states.stored.get(customer_id)
        if now > filled and stored is not None and stored.state is not None:
            sizes.stored.append(len(stored.state.encode()))

    for batch in _batches(customer, customer_id, pace, days):
        if time.process_time() > ends:
            sizes.cut = True
            break
        now = batch[-1].received_at
        while (due := bench.states.due.get(customer_id)) is not None and due < now:
            take([], due)
        bench.journal.keep(batch)
        take(batch, now)
    sizes.reads += max(0, bench.journal.reads - 1)


def _batches(customer: int, customer_id: str, pace: Pace, days: int) -> Iterator[list[Fact]]:
    happenings = life(customer, a_day=pace.a_day, days=days, intraday=pace.intraday)
    while some := list(islice(happenings, pace.together)):
        last = START + int(some[-1].second * SECOND)
        yield [
            Fact(
                one.source,
                one.id,
                one.type,
                customer_id,
                START + int(one.second * SECOND),
                last + place,
                as_read(one.data),
            )
            for place, one in enumerate(some)
        ]


def _row(pace: Pace, sizes: Sizes) -> Row:
    what, goal = pace.name, f"p99 ≤ {pace.most:,}"
    note = f"journal read in {100 * sizes.reads / sizes.batches:.2g} % of {sizes.batches:,} batches"
    numbers = {"journal_reads": float(sizes.reads), "batches": float(sizes.batches)}
    if sizes.cut:
        note += "; too slow, cut there"
    if not sizes.stored:
        return Row(what, "bytes", {}, goal, Verdict.MISSED, note, numbers)
    figures = {"p50": sizes.at(0.5), "p99": sizes.at(0.99), "max": max(sizes.stored)}
    values = {name: f"{value:,}" for name, value in figures.items()}
    verdict = judged(figures["p99"], at_most=pace.most)
    return Row(what, "bytes", values, goal, verdict, note, {**figures, **numbers})
