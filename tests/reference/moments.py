"""Which facts are first times and completed sequences, and which deadlines nothing has met."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from foreword.domain.facts import Fact
from foreword.domain.rulebook import AbsenceSignal
from tests.reference.conditions import Missing, Time, equal, read_time
from tests.reference.history import History


def first_times(valued: Sequence[tuple[Fact, Any]], window: int) -> list[Fact]:
    """The events whose value no earlier event in the window had."""
    return [
        fact
        for index, (fact, value) in enumerate(valued)
        if not any(
            equal(value, seen) and earlier.occurred_at > fact.occurred_at - window
            for earlier, seen in valued[:index]
        )
    ]


def completions(facts: Sequence[Fact], steps: Sequence[Sequence[Fact]], within: int) -> list[Fact]:
    """The last steps; each uses up every fact before it, and itself."""
    found: list[Fact] = []
    unused: list[Fact] = []
    for fact in facts:
        unused.append(fact)
        if fact in steps[-1] and _leads_to(fact, steps[:-1], unused, fact.occurred_at - within):
            found.append(fact)
            unused = []
    return found


def _leads_to(later: Fact, steps: Sequence[Sequence[Fact]], unused: list[Fact], earliest: int) -> bool:
    """Whether every step came in order before `later`, the first of them not before `earliest`."""
    if not steps:
        return later.occurred_at >= earliest
    return any(
        step.occurred_at < later.occurred_at and _leads_to(step, steps[:-1], unused, earliest)
        for step in unused
        if step in steps[-1]
    )


def deadlines(
    facts: Sequence[Fact],
    *,
    absence: Sequence[Fact],
    after: Sequence[Fact],
    deadline: Callable[[Fact], int | None],
    newest_only: bool,
) -> list[tuple[int, Fact]]:
    found: list[tuple[int, Fact]] = []
    for index, fact in enumerate(facts):
        due = deadline(fact) if fact in after else None
        if due is None:
            continue
        between = [later for later in facts[index + 1 :] if later.occurred_at <= due]
        met = any(later in absence for later in between)
        replaced = newest_only and any(later in after for later in between)
        if not met and not replaced:
            found.append((due, fact))
    return found


def deadline_of(signal: AbsenceSignal, history: History, after: Fact) -> int | None:
    """None where `until` gives no time, or one before the `after` event."""
    if signal.within is not None:
        return after.occurred_at + signal.within
    assert signal.until is not None
    until = history.value(signal.until, after)
    if isinstance(until, str):
        try:
            until = read_time(until)
        except Missing:
            return None
    if not isinstance(until, Time) or until.micros < after.occurred_at:
        return None
    return int(until.micros)
