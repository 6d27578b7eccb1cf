"""Tasks in as many processes as there are cores for them, or in this one where there is little to do."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from foreword.backtest.errors import CannotBacktest
from foreword.backtest.work import Done, Plan, Task, Worker

_WORTH_PROCESSES = 4 * 1024 * 1024
"""Bytes of records: with less, starting further processes takes longer than the work."""

_worker: Worker
"""This process's own, where it was started for a backtest."""


def perform(plan: Plan, tasks: Sequence[Task], jobs: int, advance: Callable[[int, int], None]) -> list[Done]:
    """What came of each task, in their order, whichever process had it. Raises CannotBacktest."""
    size = sum(events.size for task in tasks for events, _ in task.buckets)
    several = min(jobs, len(tasks)) if size >= _WORTH_PROCESSES else 1
    done: list[Done] = []
    for one in _in_processes(plan, tasks, several) if several > 1 else _here(plan, tasks):
        done.append(one)
        advance(len(done), len(tasks))
    return done


def _here(plan: Plan, tasks: Sequence[Task]) -> Iterator[Done]:
    thresholds = gc.get_threshold()
    _begin_work(plan)
    try:
        yield from map(_perform, tasks)
    finally:
        gc.set_threshold(*thresholds)


def _in_processes(plan: Plan, tasks: Sequence[Task], several: int) -> Iterator[Done]:
    # Spawned on every system: a process that is forked from one with threads may hang.
    context = get_context("spawn")
    with ProcessPoolExecutor(several, context, initializer=_begin_process, initargs=(plan,)) as pool:
        try:
            yield from pool.map(_perform, tasks)
        except BrokenProcessPool:
            raise CannotBacktest(
                "a process of the backtest was ended from outside, as when memory runs out"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


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
