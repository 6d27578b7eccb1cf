"""Writing what files say into the tables of a stage: many customers at once, each of them in the files' order.

A fact that is there already is left as it is: stopped or failed, an import is simply begun again. A record that is
broken is named, counted and left out. What a customer who was erased is said to have done is not written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from foreword.app.ports import Clock, ErasedCustomers
from foreword.backtest.errors import Broken
from foreword.backtest.files import readable, size_of
from foreword.cli.import_records import Records, Write, read_records
from foreword.domain.errors import CustomerErased, StoreConflict
from foreword.domain.instants import SECOND

if TYPE_CHECKING:
    from foreword.adapters.journal_writer import JournalWriter

WORKERS = 16
AT_ONCE = 500
_TRIES = 5


@dataclass(slots=True)
class Imported:
    """Counts of facts; `broken` of records."""

    new: int = 0
    known: int = 0
    erased: int = 0
    broken: int = 0


@dataclass(frozen=True, slots=True)
class Watch:
    """`read` is told how many bytes of a file of that size are read, `broken` of each record that is left out."""

    read: Callable[[Path, int, int], None]
    broken: Callable[[Path, int, str], None]


@dataclass(frozen=True, slots=True)
class Importing:
    writer: JournalWriter
    erased: ErasedCustomers
    records: Records
    clock: Clock
    watch: Watch
    workers: int = WORKERS

    def __call__(self, customers: Sequence[Path], events: Sequence[Path]) -> Imported:
        """Customers first. Raises CannotBacktest for a file that cannot be read, and what the stores raise."""
        done = Imported()
        with ThreadPoolExecutor(self.workers) as pool:
            for path in customers:
                self._file(path, pool, done, events=False)
            for path in events:
                self._file(path, pool, done, events=True)
        return done

    def _file(self, path: Path, pool: ThreadPoolExecutor, done: Imported, *, events: bool) -> None:
        size = size_of(path)
        with readable(path):
            modified_at = int(path.stat().st_mtime) * SECOND
        found = read_records(path, events=events, advance=lambda read: self.watch.read(path, read, size))
        writes = self._writes(path, found, modified_at, done, events=events)
        while some := list(islice(writes, AT_ONCE)):
            for outcomes in pool.map(self._write_all, _by_customer(some)):
                for outcome in outcomes:
                    setattr(done, outcome, getattr(done, outcome) + 1)

    def _writes(
        self,
        path: Path,
        found: Iterable[tuple[int, str | Broken]],
        modified_at: int,
        done: Imported,
        *,
        events: bool,
    ) -> Iterator[Write]:
        for number, record in found:
            try:
                if isinstance(record, Broken):
                    raise record
                now = self.clock.now()
                standing_since = min(modified_at, now)
                made = (
                    self.records.event(record, now)
                    if events
                    else self.records.customer(record, standing_since, now)
                )
            except Broken as error:
                done.broken += 1
                self.watch.broken(path, number, str(error))
                continue
            yield from made

    def _write_all(self, writes: Sequence[Write]) -> list[str]:
        return [self._write(write) for write in writes]

    def _write(self, write: Write) -> str:
        """Which of the counts it is."""
        if self.erased.is_erased(write.fact.customer_id):
            return "erased"
        try:
            if write.suppresses is None:
                new = _again(partial(self.writer.add, write.fact))
            else:
                new = _again(partial(self.writer.suppress, write.fact, write.suppresses))
        except CustomerErased:
            return "erased"
        return "new" if new else "known"


def _again(write: Callable[[], bool]) -> bool:
    """A running stage writes the same customers: what loses to it is tried again."""
    for _ in range(_TRIES - 1):
        try:
            return write()
        except StoreConflict:
            continue
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
    return write()


def _by_customer(writes: Sequence[Write]) -> list[list[Write]]:
    """No two at once are of one customer."""
    found: dict[str, list[Write]] = {}
    for write in writes:
        found.setdefault(write.fact.customer_id, []).append(write)
    return list(found.values())
