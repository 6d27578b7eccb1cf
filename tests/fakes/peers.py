"""The stores of closes in memory: a few lines each, with the real ones' own promises."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from foreword.app.ports import Frozen
from foreword.domain.facts import Fact
from foreword.domain.instants import Instant
from foreword.domain.peers_closing import Close, Progress, Truth, Work, shard_of

Lines = tuple[str, ...]


def nothing() -> None:
    """What happens around a write where no test says otherwise."""


@dataclass
class FakePeerCloses:
    """`around` is called before and after every write: what raises there is a crash."""

    known: dict[Close, Progress] = field(default_factory=dict)
    around: Callable[[], None] = nothing

    def register(self, close: Close, due_at: Instant) -> None:
        self._write(close, self.known.get(close, Progress(close, due_at)))

    def due(self, now: Instant) -> Iterator[str]:
        for progress in list(self.known.values()):
            if progress.due_at is not None and progress.due_at <= now:
                yield progress.close.rule

    def load(self, close: Close) -> Progress | None:
        return self.known.get(close)

    def of_rule(self, rule: str) -> list[Progress]:
        found = (progress for close, progress in self.known.items() if close.rule == rule)
        return sorted(found, key=lambda progress: (progress.close.period, progress.close.digest))

    def move(self, before: Progress, after: Progress) -> bool:
        now = self.known[before.close]
        if now.is_closed or now.stage != before.stage or now.left:
            return False
        self._write(before.close, after)
        return True

    def look_again(self, progress: Progress, due_at: Instant) -> None:
        now = self.known[progress.close]
        if not now.is_closed and now.stage == progress.stage:
            self._write(progress.close, replace(now, due_at=due_at))

    def finish(
        self,
        work: Work,
        *,
        shards: Iterable[str] = (),
        cohorts: Iterable[str] = (),
        again: Iterable[str] = (),
    ) -> Progress | None:
        now = self.known[work.close]
        if now.is_closed or now.stage != work.stage:
            return None
        after = replace(
            now,
            left=now.left - {work.part},
            shards=now.shards.union(shards),
            cohorts=now.cohorts.union(cohorts),
            again=now.again.union(again),
        )
        self._write(work.close, after)
        return after

    def _write(self, close: Close, progress: Progress) -> None:
        self.around()
        self.known[close] = progress
        self.around()


@dataclass
class FakePeerStore:
    """`around` as above."""

    kept: dict[tuple[Close, str], tuple[int, str | None]] = field(default_factory=dict)
    runs: dict[tuple[Close, str, int], Frozen] = field(default_factory=dict)
    said: dict[tuple[Close, int, str, str], Lines] = field(default_factory=dict)
    made: dict[tuple[Close, int, str], Lines] = field(default_factory=dict)
    true: dict[tuple[str, str], Truth] = field(default_factory=dict)
    around: Callable[[], None] = nothing

    def put_value(self, close: Close, customer_id: str, line: str | None, version: int) -> None:
        if self.kept.get((close, customer_id), (0, ""))[0] <= version:
            self.around()
            self.kept[close, customer_id] = (version, line)
            self.around()

    def values(self, close: Close, shard: str, after: str) -> Iterator[tuple[str, str]]:
        for (of, customer_id), (_, line) in sorted(self.kept.items()):
            if of == close and shard_of(customer_id) == shard and customer_id > after and line is not None:
                yield customer_id, line

    def freeze(self, close: Close, shard: str, frozen: Frozen) -> bool:
        self.around()
        new = (close, shard, frozen.number) not in self.runs
        self.runs.setdefault((close, shard, frozen.number), frozen)
        self.around()
        return new

    def frozen(self, close: Close, shard: str, begin: int = 0) -> Iterator[Frozen]:
        for (of, of_shard, number), run in sorted(self.runs.items()):
            if (of, of_shard) == (close, shard) and number >= begin:
                yield run

    def tell(self, close: Close, round_: int, bucket: str, shard: str, lines: Sequence[str]) -> None:
        self.around()
        self.said[close, round_, bucket, shard] = tuple(lines)
        self.around()

    def told(self, close: Close, round_: int, bucket: str) -> Iterator[str]:
        for (*which, _), lines in sorted(self.said.items()):
            if which == [close, round_, bucket]:
                yield from lines

    def settle(self, close: Close, round_: int, bucket: str, lines: Sequence[str]) -> None:
        self.around()
        self.made[close, round_, bucket] = tuple(lines)
        self.around()

    def settled(self, close: Close, round_: int | None = None) -> Iterator[str]:
        for (of, of_round, _), lines in sorted(self.made.items()):
            if of == close and round_ in (None, of_round):
                yield from lines

    def truths(self, rule: str, shard: str, first: str, last: str) -> Mapping[str, Truth]:
        return {
            customer_id: truth
            for (of, customer_id), truth in self.true.items()
            if of == rule and shard_of(customer_id) == shard and first <= customer_id <= last
        }

    def set_truth(self, rule: str, customer_id: str, truth: Truth, now: Instant) -> None:
        known = self.true.get((rule, customer_id))
        if known is None or known.period < truth.period:
            self.around()
            self.true[rule, customer_id] = truth
            self.around()


@dataclass
class FakeWorkQueue:
    """First in, first out, unless a test takes them otherwise. `around` as above."""

    waiting: list[Work] = field(default_factory=list)
    around: Callable[[], None] = nothing

    def send(self, works: Sequence[Work]) -> None:
        for work in works:
            self.around()
            self.waiting.append(work)
        self.around()


@dataclass
class FakeFacts:
    """The journal of all customers. `around` as above."""

    added: dict[tuple[str, str], Fact] = field(default_factory=dict)
    around: Callable[[], None] = nothing

    def add(self, fact: Fact) -> bool:
        self.around()
        new = (fact.customer_id, fact.key) not in self.added
        self.added.setdefault((fact.customer_id, fact.key), fact)
        self.around()
        return new
