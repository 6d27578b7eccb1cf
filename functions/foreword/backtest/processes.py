"""Tasks in as many processes as there are cores for them, or in this one where there is little to do."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from multiprocessing import get_context
from typing import TypeVar

from foreword.backtest.errors import CannotBacktest
from foreword.backtest.tally import Tally
from foreword.backtest.work import Done, Plan, Task, Worker

_WORTH_PROCESSES = 4 * 1024 * 1024
"""Bytes of records: with less, starting further processes takes longer than the work."""

A = TypeVar("A")
B = TypeVar("B")

_worker: Worker
"""This process's own, where it was started for a backtest."""


class Processes:
    """Those of one plan, started when there is first something for them to do and ended with the context.

    Work comes back in the order in which it was given, whichever process had it. Raises CannotBacktest.
    """

    def __init__(self, plan: Plan, tasks: Sequence[Task], jobs: int) -> None:
        size = sum(events.size for task in tasks for events, _ in task.buckets)
        self._plan = plan
        self._several = min(jobs, len(tasks)) if size >= _WORTH_PROCESSES else 1
        self._stack = ExitStack()
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Processes:
        if self._several > 1:
            # Spawned on every system: a process that is forked from one with threads may hang.
            context = get_context("spawn")
            self._pool = ProcessPoolExecutor(
                self._several, context, initializer=_begin_process, initargs=(self._plan,)
            )
            self._stack.callback(self._pool.shutdown, cancel_futures=True)
        else:
            self._stack.callback(gc.set_threshold, *gc.get_threshold())
            _begin_work(self._plan)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def perform(self, tasks: Sequence[Task]) -> Iterator[Done]:
        return self._map(_perform, tasks)

    def claim_again(self, numbers: Sequence[int], nth: int) -> None:
        for _ in self._map(_claim_again, [(number, nth) for number in numbers]):
            pass

    def done_aside(self, numbers: Sequence[int]) -> Iterator[tuple[Tally, ...]]:
        return self._map(_done_aside, numbers)

    def _map(self, work: Callable[[A], B], on: Sequence[A]) -> Iterator[B]:
        if self._pool is None:
            yield from map(work, on)
            return
        try:
            yield from self._pool.map(work, on)
        except BrokenProcessPool:
            raise CannotBacktest(
                "a process of the backtest was ended from outside, as when memory runs out"
            ) from None


def _begin_process(plan: Plan) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one that was started by hand ends them all
    _begin_work(plan)


def _begin_work(plan: Plan) -> None:
    global _worker
    # Events come and go by the thousand, and looking for cycles among them would take a tenth of the time.
    gc.set_threshold(50_000, 10, 10)
    _worker = Worker(plan)


def _perform(task: Task) -> Done:
    return _worker(task)


def _claim_again(asked: tuple[int, int]) -> None:
    _worker.claim_again(*asked)


def _done_aside(number: int) -> tuple[Tally, ...]:
    return _worker.done_aside(number)
