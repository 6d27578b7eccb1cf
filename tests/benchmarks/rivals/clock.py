"""Timing, the same for every engine in Python: CPU time of the process, the smallest of several passes."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

T = TypeVar("T")

LOOK_EVERY = 200
"""After so many events the clock is looked at, so that a slow engine stops when its budget is used up."""


class Measured(NamedTuple):
    """Seconds of CPU for so many events, and the matches they led to."""

    cpu: float
    events: int
    matches: int

    def print(self) -> None:
        """As the command reads it."""
        print(json.dumps(self._asdict()))  # noqa: T201


def measure(
    events: Sequence[T], start: Callable[[], Callable[[T], int]], *, passes: int, budget: float = float("inf")
) -> Measured:
    """The smallest CPU time of `passes` passes over the events.

    `start` gives a fresh engine: a function of one event that returns how many matches it led to. The first
    pass tells how far all of them go: it ends when it has used `budget` seconds.
    """
    # Every engine here keeps thousands of customers: looking through all of them at every few hundred new objects
    # would be measured instead of it.
    gc.set_threshold(50_000, 50, 50)
    best = float("inf")
    matches = 0
    for number in range(passes):
        take = start()
        gc.collect()
        gc.freeze()  # what was loaded is no part of the engine's garbage
        matches = done = 0
        begun = time.process_time()
        while done < len(events):
            for event in events[done : done + LOOK_EVERY]:
                matches += take(event)
            done = min(done + LOOK_EVERY, len(events))
            if number == 0 and time.process_time() - begun > budget:
                break
        best = min(best, time.process_time() - begun)
        events = events[:done]
        gc.unfreeze()
    return Measured(best, len(events), matches)
