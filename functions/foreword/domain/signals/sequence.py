"""A sequence of events, each strictly later than the one before."""

from __future__ import annotations

from typing import Any

from foreword.domain.instants import Instant
from foreword.domain.rulebook import SequenceSignal
from foreword.domain.signals.tracker import Moment, Part


class Progress:
    """For each step but the last: the latest beginning from which it can be reached, with the time it was reached.

    Two entries [beginning, reached] a step at most, the second one reached later: a step of this very instant
    cannot be followed at the same instant, so the one before it is kept. `at` is when the sequence came to its
    end, `by` the fact that ended it.
    """

    __slots__ = ("at", "by", "steps")

    def __init__(self, steps: list[list[list[Instant]]], at: Instant | None = None) -> None:
        self.steps = steps
        self.at = at
        self.by: Any = None


class SequenceTracker(Moment):
    def __init__(self, signal: SequenceSignal) -> None:
        self.within = self.keep = signal.within
        self._last = len(signal.steps) - 1
        # From the last step to the first: a fact that matches several is taken for each by what came before it.
        self.parts = tuple(
            Part(step, f"step_{at}", "fact") for at, step in reversed(list(enumerate(signal.steps)))
        )

    def __getattr__(self, name: str) -> Any:
        """`step_2` takes a fact as the third step."""
        if not name.startswith("step_"):
            raise AttributeError(name)
        step = int(name.removeprefix("step_"))
        return lambda memory, t, fact, _value: self._take(memory, t, fact, step)

    def start(self) -> Progress:
        return Progress([[] for _ in range(self._last)])

    def pack(self, memory: Progress, t: Instant) -> Any:
        lo = t - self.within
        steps = [[entry for entry in entries if entry[0] >= lo] for entries in memory.steps]
        ended = memory.at if memory.at == t else None
        return [steps, ended] if ended is not None or any(steps) else None

    def unpack(self, packed: Any) -> Progress:
        return Progress([[list(entry) for entry in entries] for entries in packed[0]], packed[1])

    def _take(self, memory: Progress, t: Instant, fact: Any, step: int) -> None:
        if memory.by is fact:
            return  # it ended a sequence, and the next one starts after it
        if step == 0:
            begun: Instant | None = t
        else:
            reached = [entry for entry in memory.steps[step - 1] if entry[1] < t]
            begun = reached[-1][0] if reached else None
        if begun is None or begun < t - self.within:
            return
        if step == self._last:
            memory.steps = [[] for _ in range(self._last)]
            memory.at, memory.by = t, fact
            return
        entries = memory.steps[step]
        if entries and entries[-1][1] == t:
            entries[-1][0] = max(entries[-1][0], begun)
        else:
            entries.append([begun, t])
            del entries[:-2]
