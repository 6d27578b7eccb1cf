"""Which rules wait for a time, so that publishing them must reach customers who do nothing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from foreword.domain.conditions import root_names
from foreword.domain.instants import Instant
from foreword.domain.rulebook import Mode, Rule, Rulebook


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the customers are reached: those up to `through`, in the order of the table, all when `done`.

    `mark` is that of the waiting rules (see `mark_of`). `begins_at` is later than the deployment: until then an
    evaluation may still be made with the rulebook before. `version` guards the next write, 0 for none yet.
    """

    mark: str
    begins_at: Instant
    through: str | None = None
    done: bool = False
    version: int = 0


def waits(rule: Rule) -> bool:
    """Whether time alone may have it evaluated: a deadline, a date, a schedule, the close of a period."""
    if rule.mode is Mode.DRAFT:
        return False
    used = root_names(rule.when)
    deadlines = (signal.kind in ("absence", "date") for name, signal in rule.signals.items() if name in used)
    peers = any(signal.kind == "peers" for signal in rule.signals.values())
    return rule.evaluate is not None or peers or any(deadlines)


def mark_of(rulebook: Rulebook) -> str:
    """The same as long as the waiting rules mean the same."""
    waiting = sorted([rule.rule, rule.digest] for rule in rulebook.rules if waits(rule))
    return hashlib.sha256(json.dumps(waiting).encode()).hexdigest()[:16]
