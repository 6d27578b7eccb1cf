"""What is kept of a customer between folds: signals' memory, decisions made, and which facts are in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from foreword.domain import json_text
from foreword.domain.facts import Fact
from foreword.domain.instants import Instant

REMEMBERED_FACTS = 64
"""How many applied facts are known by name; older ones are told apart by a rebuild from the journal."""

REMEMBERED_DECISIONS = 32
"""How many decided rises a rule keeps; nothing at or before the newest one let go is ever decided again.

A firing holds its clock of re-eligibility, so one is let go only when every kept rise is one."""

Order = tuple[Instant, Instant, str]

BEGINNING: Order = (-(2**62), 0, "")


@dataclass(slots=True)
class Decided:
    """A rise that was decided. `fired` holds its clock of re-eligibility; a message not sent gives it back."""

    at: Instant
    episode: str
    fired: bool
    moment: bool


@dataclass(slots=True)
class State:
    """Mutable while a fold works on its own copy; stored as JSON text between folds.

    `position` is the order of the last fact or deadline that mattered; whatever mattering fact stands before
    it is late. `before` holds, per rule, the signals' values just before the instant of `position`, because
    further facts of that very instant rise against them. `since` is, for a rule met by a customer who had
    history already, the receipt from which it decides. `digests` tells which definition filled the memory.
    `spilled`: the memory was too large to be stored, and every fold asks the journal instead.
    """

    position: Order = BEGINNING
    memory: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    before: dict[str, dict[str, Any]] = field(default_factory=dict)
    decided: dict[str, list[Decided]] = field(default_factory=dict)
    decided_before: dict[str, Instant] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    since: dict[str, Instant] = field(default_factory=dict)
    remembered: list[tuple[Instant, str]] = field(default_factory=list)
    forgotten_through: Instant | None = None
    spilled: bool = False

    def to_json(self) -> str:
        return json_text.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> State:
        value = json_text.loads(text, max_depth=2 * json_text.MAX_DEPTH)
        value["position"] = tuple(value["position"])
        value["decided"] = {
            rule: [Decided(**entry) for entry in entries] for rule, entries in value["decided"].items()
        }
        value["remembered"] = [(received_at, name) for received_at, name in value["remembered"]]
        return cls(**value)

    def without_memory(self) -> State:
        """The same decisions and marks, for a customer whose memory is too large to be kept."""
        return replace(self, memory={}, before={}, spilled=True)

    def copy(self) -> State:
        return State.from_json(self.to_json())

    def has(self, fact: Fact) -> bool | None:
        """Whether the fact is in the state already; None where only the journal can tell."""
        if (fact.received_at, short_name(fact)) in self.remembered:
            return True
        if self.forgotten_through is not None and fact.received_at <= self.forgotten_through:
            return None
        return False

    def remember(self, facts: Iterable[Fact]) -> None:
        """Note these facts as applied, and let the oldest receipts go."""
        known = set(self.remembered) | {(fact.received_at, short_name(fact)) for fact in facts}
        kept = sorted(known)
        if len(kept) > REMEMBERED_FACTS:
            last_gone = kept[-REMEMBERED_FACTS - 1][0]
            self.forgotten_through = max(last_gone, self.forgotten_through or last_gone)
            kept = kept[-REMEMBERED_FACTS:]
        self.remembered = kept

    def decide(self, rule: str, entry: Decided) -> None:
        """Keep a decision, so that its episode is never decided again."""
        entries = self.decided.setdefault(rule, [])
        entries.append(entry)
        entries.sort(key=lambda decided: decided.at)
        while len(entries) > REMEMBERED_DECISIONS:
            at = next((at for at, decided in enumerate(entries) if not decided.fired), 0)
            gone = entries.pop(at)
            self.decided_before[rule] = max(gone.at, self.decided_before.get(rule, gone.at))


def short_name(fact: Fact) -> str:
    """Twelve hexadecimal digits of the fact's identity: told apart among those of one receipt time only."""
    return hashlib.sha256(fact.key.encode()).hexdigest()[:12]
