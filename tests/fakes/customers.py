"""The journal and the customers' states in memory: a few lines each, with the stores' own promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from foreword.app.cancel_retracted import CancelRetracted
from foreword.app.evaluate_triggers import EvaluateTriggers, Report
from foreword.app.ports import PeerValues, StoredState
from foreword.domain.core import Core
from foreword.domain.facts import Fact
from foreword.domain.instants import Instant
from foreword.domain.messages import Message
from foreword.domain.peer_values import PeerValue
from foreword.domain.profiles import Profile
from foreword.domain.state import State


@dataclass
class FakeClock:
    instant: Instant

    def now(self) -> Instant:
        return self.instant


@dataclass
class FakeJournal:
    facts: dict[tuple[str, str], Fact] = field(default_factory=dict)
    reads: int = 0

    def add(self, fact: Fact) -> bool:
        key = (fact.customer_id, fact.key)
        new = key not in self.facts
        self.facts.setdefault(key, fact)
        return new

    def read(self, customer_id: str) -> list[Fact]:
        self.reads += 1
        return [fact for fact in self.facts.values() if fact.customer_id == customer_id]


@dataclass
class FakeStates:
    """`lose` writes are refused as if somebody else had come first."""

    stored: dict[str, StoredState] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    due: dict[str, Instant | None] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    lose: int = 0
    loads: int = 0

    def load(self, customer_id: str, *, fresh: bool = False) -> StoredState:
        self.loads += 1
        profile = self.profiles.get(customer_id, Profile(customer_id))
        return replace(
            self.stored.get(customer_id, StoredState(None, None, 0, False, profile)), profile=profile
        )

    def save(
        self,
        stored: StoredState,
        customer_id: str,
        state: str,
        generation: str,
        due_at: Instant | None,
        messages: Sequence[Message],
    ) -> bool:
        if not self._write(
            stored,
            customer_id,
            StoredState(state, generation, stored.version + 1, False, stored.profile),
            due_at,
        ):
            return False
        known = {message.message_id for message in self.messages}
        self.messages += [message for message in messages if message.message_id not in known]
        return True

    def park(self, stored: StoredState, customer_id: str, due_at: Instant) -> bool:
        return self._write(
            stored, customer_id, replace(stored, version=stored.version + 1, parked=True), due_at
        )

    def named(self, customer_id: str, short_id: str) -> Message | None:
        return next((it for it in self.messages if it.message_id.startswith(short_id)), None)

    def replace(self, before: Message, after: Message) -> bool:
        if before not in self.messages:
            return False
        self.messages[self.messages.index(before)] = after
        return True

    def state_of(self, customer_id: str) -> State:
        text = self.stored[customer_id].state
        assert text is not None
        return State.from_json(text, customer_id)

    def _write(self, read: StoredState, customer_id: str, new: StoredState, due_at: Instant | None) -> bool:
        if self.lose:
            self.lose -= 1
            return False
        if read.version != self.load(customer_id).version:
            return False
        self.stored[customer_id] = new
        self.due[customer_id] = due_at
        return True


@dataclass
class FakePeerValues:
    """`calls` holds what each call was given."""

    calls: list[tuple[str, tuple[PeerValue, ...], int, bool]] = field(default_factory=list)

    def put(
        self, customer_id: str, values: Sequence[PeerValue], version: int, *, complete: bool = False
    ) -> int:
        self.calls.append((customer_id, tuple(values), version, complete))
        return 0


def evaluate_triggers(
    core: Core,
    clock: FakeClock,
    states: FakeStates,
    journal: FakeJournal,
    report: Report | None = None,
    peers: PeerValues | None = None,
) -> EvaluateTriggers:
    """The use case over these fakes; without a `report` no fold may raise."""
    return EvaluateTriggers(
        core,
        clock,
        states,
        journal,
        CancelRetracted(states, clock),
        peers or FakePeerValues(),
        report or fail_the_test,
    )


def fail_the_test(customer_id: str, error: Exception) -> None:
    """A report for tests in which no fold may raise."""
    raise AssertionError(f"{customer_id} was parked") from error
