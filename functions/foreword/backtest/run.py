"""A backtest from end to end: the history is put apart by customer on disk, and replayed in as many processes as
there are cores.

Memory is bounded by the customers, not by their events: a process has the events of a few megabytes at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol, TextIO

from foreword.backtest.decision_lines import TIME_LENGTH
from foreword.backtest.decode import Decoder
from foreword.backtest.errors import CannotBacktest
from foreword.backtest.files import Format, format_of, is_gzip, size_of
from foreword.backtest.peers import compare_peers
from foreword.backtest.processes import Processes
from foreword.backtest.profiles import profile
from foreword.backtest.routing import EVENTS, PROFILES, Strict, route
from foreword.backtest.runs import merge_runs, write_run
from foreword.backtest.span import Span, SpanGuess
from foreword.backtest.spool import Bucket, Spool
from foreword.backtest.tally import Tally
from foreword.backtest.task_files import TaskFiles
from foreword.backtest.volume import refuse
from foreword.backtest.work import Plan, Task, read_broken_line
from foreword.domain.core import Core
from foreword.domain.instants import Instant
from foreword.domain.rulebook import Policy, Rulebook

_BUCKET = 128 * 1024
"""Bytes of records that are best handled at once: they stay in a processor's cache."""

_MOST_BUCKETS = 2048

_TASK = 4 * 1024 * 1024
"""Bytes of records that one task is given, as far as there are not too many tasks then or too few."""

_FEWEST_TASKS, _MOST_TASKS = 16, 256

_UNPACKED = {
    (Format.JSONL, False): 1,
    (Format.JSONL, True): 12,
    (Format.CSV, False): 2,
    (Format.CSV, True): 20,
    (Format.PARQUET, False): 12,
}
"""How many times larger than the file, by its format and whether it is gzip, its records may become."""


@dataclass(frozen=True, slots=True)
class Request:
    """`rulebooks` are the one that is tested and, perhaps, one to compare it with.

    `policy` is None where no gate after re-eligibility applies; `decisions` takes the lines of `--decisions`.
    """

    rulebooks: tuple[Rulebook, ...]
    events: Path
    customers: Path | None = None
    policy: Policy | None = None
    until: Instant | None = None
    strict: bool = False
    jobs: int = 1
    decisions: TextIO | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """`clock` goes from the first event to the last one, or to the time that was asked for.

    `tallies` are those of the rulebooks. `unknown` holds keys of records that are no part of an event, each with
    the number of the first record that has it; `failed` the customers whose evaluation raised an error, each with
    that.
    """

    clock: Span
    events: int
    duplicates: int
    taken_back: int
    broken: int
    customers: int
    tallies: tuple[Tally, ...]
    unknown: dict[str, int]
    failed: list[tuple[str, str]]


class Observer(Protocol):
    """Whoever waits for the result."""

    def reading(self, done: int, total: int) -> None:
        """Bytes of the files."""

    def replaying(self, done: int, total: int) -> None:
        """Shares of the customers."""

    def broken(self, path: Path, number: int, reason: str) -> None:
        """A record that is left out; told in the order of the file."""


def backtest(request: Request, observer: Observer) -> Result:
    """Raises CannotBacktest."""
    try:
        with TemporaryDirectory(prefix="foreword-backtest-") as scratch:
            return _Backtest(request, observer, Path(scratch)).result()
    except OSError as error:  # those of the files that were asked for are CannotBacktest already
        raise CannotBacktest(f"{error.filename or 'the disk'}: {error.strerror or error}") from None


class _Backtest:
    def __init__(self, request: Request, observer: Observer, scratch: Path) -> None:
        self._request = request
        self._observer = observer
        self._scratch = scratch

    def result(self) -> Result:
        buckets, clock = self._put_apart()
        size = sum(events.size for events, _ in buckets)
        shares = min(len(buckets), max(_FEWEST_TASKS, min(_MOST_TASKS, size // _TASK)))
        tasks = [Task(number, tuple(buckets[number::shares])) for number in range(shares)]
        files = [TaskFiles(self._scratch, task.number) for task in tasks]
        while True:
            plan = self._plan(clock)
            with Processes(plan, tasks, self._request.jobs) as processes:
                done = []
                for one in processes.perform(tasks):
                    done.append(one)
                    self._observer.replaying(len(done), len(tasks))
                seen = self._clock(reduce(or_, (one.found.span for one in done), Span()))
                if clock == seen:
                    parts = [one.tallies for one in done]
                    aside = self._within_the_volume(plan, files, processes, parts)
                    break
            clock = seen  # the guess was wrong: once more, with the clock as it is
        tallies = tuple(Tally() for _ in plan.rulebooks)
        for part in parts:
            for tally, of_part in zip(tallies, part, strict=True):
                tally += of_part
        peers = self._compare_peers(plan, files, tallies)
        self._write_decisions([*(one.decisions for one in files), *aside, *peers])
        broken = self._tell_broken(self._request.events, [one.broken_events for one in files])
        if self._request.customers is not None:
            profiles = [one.broken_profiles for one in files]
            broken += self._tell_broken(self._request.customers, profiles)
        unknown: dict[str, int] = {}
        for key, number in (item for one in done for item in one.unknown.items()):
            unknown[key] = min(number, unknown.get(key, number))
        return Result(
            clock=clock,
            events=sum(one.found.events for one in done),
            duplicates=sum(one.found.duplicates for one in done),
            taken_back=sum(one.found.taken_back for one in done),
            broken=broken,
            customers=sum(one.customers for one in done),
            tallies=tallies,
            unknown=unknown,
            failed=sorted(failure for one in done for failure in one.failed),
        )

    def _put_apart(self) -> tuple[list[tuple[Bucket, Bucket | None]], Span]:
        """The buckets of events with those of their customers, and what the clock seems to be."""
        request = self._request
        customers = [] if request.customers is None else [request.customers]
        sizes = {path: size_of(path) for path in [request.events, *customers]}
        records = sum(size * _UNPACKED[format_of(path), is_gzip(path)] for path, size in sizes.items())
        count = max(1, min(_MOST_BUCKETS, records // _BUCKET))
        total = sum(sizes.values())
        guess = SpanGuess()
        with Spool(self._scratch / "events", count) as events:
            sink = Strict(events, request.events, Decoder().fact) if request.strict else events
            route(request.events, EVENTS, sink, lambda done: self._observer.reading(done, total), guess.see)
            buckets = events.buckets()
        clock = self._clock(guess.span)
        if request.customers is None:
            return [(bucket, None) for bucket in buckets], clock
        before = sizes[request.events]
        with Spool(self._scratch / "profiles", count) as profiles:
            sink = Strict(profiles, request.customers, profile) if request.strict else profiles
            route(
                request.customers, PROFILES, sink, lambda done: self._observer.reading(before + done, total)
            )
            return list(zip(buckets, profiles.buckets(), strict=True)), clock

    def _clock(self, span: Span) -> Span:
        return span if self._request.until is None else Span(span.first, self._request.until)

    def _plan(self, clock: Span) -> Plan:
        request = self._request
        keep = request.decisions is not None
        return Plan(request.rulebooks, request.policy, clock, request.until, keep, self._scratch)

    def _within_the_volume(
        self, plan: Plan, files: list[TaskFiles], processes: Processes, parts: list[tuple[Tally, ...]]
    ) -> list[Path]:
        """Those who were put aside, when it is settled whom the volume of a day refuses; and their decisions."""
        if plan.policy is None or not plan.policy.volume_constraints:
            return []
        for nth in range(len(plan.rulebooks)):
            while changed := refuse(plan.policy, nth, files):
                processes.claim_again(changed, nth)
        parts.extend(processes.done_aside([one.number for one in files]))
        return [one.aside_decisions for one in files]

    def _compare_peers(self, plan: Plan, files: list[TaskFiles], tallies: tuple[Tally, ...]) -> list[Path]:
        """The runs of what is decided then by the rulebook that is tested."""
        end = plan.clock.last
        if end is None:
            return []
        runs = []
        for nth, (rulebook, tally) in enumerate(zip(plan.rulebooks, tallies, strict=True)):
            core = Core(rulebook).as_live()
            lines = compare_peers(core, nth, files, plan.policy, end, tally)
            runs.append(write_run(self._scratch / f"peers-{nth}", lines))
        return runs[:1]

    def _write_decisions(self, runs: list[Path]) -> None:
        if self._request.decisions is not None:
            self._request.decisions.writelines(f"{line[TIME_LENGTH:]}\n" for line in merge_runs(runs))

    def _tell_broken(self, path: Path, runs: list[Path]) -> int:
        count = 0
        for line in merge_runs(runs):
            number, reason = read_broken_line(line)
            if self._request.strict:  # what is wrong with none alone, as two records of one customer
                raise CannotBacktest(f"{path}:{number}: {reason}")
            self._observer.broken(path, number, reason)
            count += 1
        return count
