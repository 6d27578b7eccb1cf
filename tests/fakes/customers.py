"""The journal and the customers' states in memory: a few lines each, with the stores' own promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from foreword.app.admit_messages import AdmitMessages
from foreword.app.change_waiting import ChangeWaiting
from foreword.app.evaluate_triggers import Admit, EvaluateTriggers, Report
from foreword.app.ports import Changes, PeerValues, StoredState
from foreword.domain.consent import Consents
from foreword.domain.core import Core
from foreword.domain.facts import Fact
from foreword.domain.holds import Holds
from foreword.domain.instants import Instant
from foreword.domain.ledger import Ledger
from foreword.domain.messages import Message
from foreword.domain.peer_values import PeerValue
from foreword.domain.profiles import Profile
from foreword.domain.rulebook import Policy
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
    consents: dict[str, Consents] = field(default_factory=dict)
    ledgers: dict[str, Ledger] = field(default_factory=dict)
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
        changes: Changes,
    ) -> bool:
        if any(before not in self.messages for before, _ in changes.changed):
            return False
        ledger = self.ledgers.get(customer_id, Ledger(customer_id))
        if changes.ledger is not None and changes.ledger.version != ledger.version:
            return False
        if not self._write(
            stored,
            customer_id,
            StoredState(state, generation, stored.version + 1, False, stored.profile),
            due_at,
        ):
            return False
        known = {message.message_id for message in self.messages}
        self.messages += [message for message in changes.messages if message.message_id not in known]
        for before, after in changes.changed:
            self.messages[self.messages.index(before)] = after
        if changes.ledger is not None:
            self.ledgers[customer_id] = replace(changes.ledger, version=changes.ledger.version + 1)
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
        if before.has_place and not after.has_place:
            ledger = self.ledgers[before.customer_id].without(before.message_id)
            self.ledgers[before.customer_id] = replace(ledger, version=ledger.version + 1)
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


@dataclass(frozen=True)
class FakeWaiting:
    """The messages of `states`, and how their customers may be reached."""

    states: FakeStates

    def load(self, customer_id: str, message_id: str) -> Message | None:
        return self.states.named(customer_id, message_id)

    def named(self, customer_id: str, short_id: str) -> Message | None:
        return self.states.named(customer_id, short_id)

    def replace(self, before: Message, after: Message) -> bool:
        return self.states.replace(before, after)


@dataclass(frozen=True)
class FakeContacts:
    states: FakeStates

    def load(self, customer_id: str) -> tuple[Consents, Ledger]:
        consents = self.states.consents.get(customer_id, Consents(customer_id))
        return consents, self.states.ledgers.get(customer_id, Ledger(customer_id))


@dataclass
class FakePeerValues:
    """`calls` holds what each call was given."""

    calls: list[tuple[str, tuple[PeerValue, ...], int, bool]] = field(default_factory=list)

    def put(
        self, customer_id: str, values: Sequence[PeerValue], version: int, *, complete: bool = False
    ) -> int:
        self.calls.append((customer_id, tuple(values), version, complete))
        return 0


def admit_all(messages: Sequence[Message], profile: Profile, holds: Holds, now: Instant) -> Changes:
    return Changes(messages)


def admit_messages(states: FakeStates, policy: Policy) -> AdmitMessages:
    """The gates, over these fakes."""
    return AdmitMessages(FakeContacts(states), FakeWaiting(states), policy)


def evaluate_triggers(
    core: Core,
    clock: FakeClock,
    states: FakeStates,
    journal: FakeJournal,
    report: Report | None = None,
    peers: PeerValues | None = None,
    admit: Admit | None = None,
) -> EvaluateTriggers:
    """The use case over these fakes; without a `report` no fold may raise, and no gate closes without `admit`."""
    return EvaluateTriggers(
        core,
        clock,
        states,
        journal,
        ChangeWaiting(FakeWaiting(states), clock),
        admit or admit_all,
        peers or FakePeerValues(),
        report or fail_the_test,
    )


def fail_the_test(customer_id: str, error: Exception) -> None:
    """A report for tests in which no fold may raise."""
    raise AssertionError(f"{customer_id} was parked") from error
