"""The stores of evaluate_triggers in memory, with nothing of their own to weigh on a measurement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from foreword.app.change_waiting import ChangeWaiting
from foreword.app.evaluate_triggers import EvaluateTriggers
from foreword.app.ports import Changes, StoredState
from foreword.domain.core import Core
from foreword.domain.facts import Fact
from foreword.domain.instants import Instant
from foreword.domain.peer_values import PeerValue
from foreword.domain.profiles import Profile
from tests.fakes.customers import FakeClock, FakeStates, FakeWaiting, admit_all


@dataclass
class Clock:
    instant: Instant = 0

    def now(self) -> Instant:
        return self.instant


@dataclass
class States:
    """`messages` counts what was decided to be sent, or recorded as not sent."""

    stored: dict[str, StoredState] = field(default_factory=dict)
    due: dict[str, Instant | None] = field(default_factory=dict)
    messages: int = 0

    def load(self, customer_id: str, *, fresh: bool = False) -> StoredState:
        return self.stored.get(customer_id) or StoredState(None, None, 0, False, Profile(customer_id))

    def save(
        self,
        stored: StoredState,
        customer_id: str,
        state: str,
        generation: str,
        due_at: Instant | None,
        changes: Changes,
    ) -> bool:
        self.stored[customer_id] = StoredState(state, generation, stored.version + 1, False, stored.profile)
        self.due[customer_id] = due_at
        self.messages += len(changes.messages)
        return True

    def park(self, stored: StoredState, customer_id: str, due_at: Instant) -> bool:
        raise RuntimeError(f"{customer_id} was parked")


@dataclass
class Journal:
    facts: dict[str, list[Fact]] = field(default_factory=dict)
    reads: int = 0

    def keep(self, facts: Sequence[Fact]) -> None:
        """Of one customer."""
        self.facts.setdefault(facts[0].customer_id, []).extend(facts)

    def read(self, customer_id: str) -> list[Fact]:
        self.reads += 1
        return self.facts.get(customer_id, [])


class Peers:
    """Forgets every value: those of a period are no part of a customer's state."""

    def put(
        self, customer_id: str, values: Sequence[PeerValue], version: int, *, complete: bool = False
    ) -> int:
        return 0


@dataclass
class Bench:
    """The use case on stores in memory."""

    core: Core
    clock: Clock = field(default_factory=Clock)
    states: States = field(default_factory=States)
    journal: Journal = field(default_factory=Journal)

    def __post_init__(self) -> None:
        waiting = ChangeWaiting(FakeWaiting(FakeStates()), FakeClock(0))
        self.evaluate = EvaluateTriggers(
            self.core, self.clock, self.states, self.journal, waiting, admit_all, Peers(), _raise
        )


def _raise(customer_id: str, error: Exception) -> None:
    raise RuntimeError(f"the fold of {customer_id} raised") from error
