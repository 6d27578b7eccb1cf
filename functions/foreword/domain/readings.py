"""What a stored state says of a customer: each rule's signals at an instant, and the deadlines waited for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from foreword.domain.core import CompiledRule, Core
from foreword.domain.errors import NeedsJournal
from foreword.domain.instants import Instant
from foreword.domain.memories import case_in, tracker_key
from foreword.domain.signals.deadlines import Deadlines
from foreword.domain.state import State
from foreword.domain.walk import Walk


@dataclass(frozen=True, slots=True)
class Reading:
    """`signals` by name: None is undefined, a Between is known within bounds. `deadlines` by the signal's name."""

    rule: str
    case: str | None
    signals: dict[str, Any]
    deadlines: dict[str, tuple[Instant, ...]]
    rung: dict[str, Instant | None]


def read(core: Core, state: State, t: Instant) -> Iterator[Reading]:
    """One reading for every rule, and for every case of it, that the customer has a memory for."""
    walk = Walk(core, state.copy(), {})
    for rule in core.rules.values():
        for case in sorted(_cases(rule, walk, state, t), key=lambda case: (case is not None, case or "")):
            waiting = {
                name: walk.memories[rule.key(name, case)]
                for name, tracker in rule.trackers.items()
                if isinstance(tracker, Deadlines)
            }
            yield Reading(
                rule.name,
                case,
                {name: _value(walk, rule, name, t, case) for name in rule.trackers},
                {name: tuple(entry[0] for entry in memory.deadlines) for name, memory in waiting.items()},
                {name: memory.at for name, memory in waiting.items()},
            )


def _cases(rule: CompiledRule, walk: Walk, state: State, t: Instant) -> set[str | None]:
    """Those of which something is still remembered at `t`."""
    keys = {key for key in state.packed if tracker_key(key) in rule.keys.values()}
    trackers = walk.core.trackers
    alive = (key for key in keys if trackers[tracker_key(key)].pack(walk.memories[key], t) is not None)
    return {case_in(key) for key in alive}


def _value(walk: Walk, rule: CompiledRule, name: str, t: Instant, case: str | None) -> Any:
    try:
        return rule.trackers[name].value(walk.memories[rule.key(name, case)], t, walk.first_event)
    except NeedsJournal:
        return None
