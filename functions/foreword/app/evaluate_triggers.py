"""evaluate_triggers: a customer's new facts are folded into the state, and what fired becomes messages.

One transaction writes the state over the version it was read at, with the messages it decided, as the gates let
them pass, and the places that they take under the frequency caps. Killed before it, nothing happened; killed after
it, the facts come again and are known. A write that lost reads and folds anew. What waits and is called off, or is
held no longer, is changed before that transaction, and again if killed in between. So is what the customer brings
to comparisons with others.

A customer whose fold raises is parked: marked, skipped by the batch, and rebuilt from the journal when next looked
at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from foreword.app.change_waiting import ChangeWaiting
from foreword.app.ports import Changes, Clock, CustomerStates, FactReader, PeerValues, StoredState
from foreword.domain.core import Core
from foreword.domain.decisions import COUNTS_AS_SENT, Decision, messages_of
from foreword.domain.errors import NeedsJournal, NewerState, StoreConflict
from foreword.domain.facts import CUSTOMER_UPDATED, Fact
from foreword.domain.fold import Folded, fold, rebuild
from foreword.domain.holds import Holds
from foreword.domain.instants import HOUR, Instant
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.profiles import Profile
from foreword.domain.reasons import HELD
from foreword.domain.state import NAME, HeldMessage, State

_ATTEMPTS = 5
MOST_STATE_BYTES = 256 * 1024
"""An item holds 400 KB: beyond this the memory is not stored, and the customer is folded from the journal."""

PARKED_FOR = HOUR
"""A parked customer is looked at again after this long, or at the next fact."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What one customer's facts led to."""

    customer_id: str
    decisions: tuple[Decision, ...] = ()
    values_left_out: int = 0
    """Values that were too large to be compared with those of others."""


class Report(Protocol):
    """Told of a fold that raised, so that whoever operates it can see why."""

    def __call__(self, customer_id: str, error: Exception) -> None: ...


class Admit(Protocol):
    """What becomes of messages as they are decided."""

    def __call__(
        self, messages: Sequence[Message], profile: Profile, holds: Holds, now: Instant
    ) -> Changes: ...


class EvaluateTriggers:
    def __init__(
        self,
        core: Core,
        clock: Clock,
        states: CustomerStates,
        journal: FactReader,
        waiting: ChangeWaiting,
        admit: Admit,
        peers: PeerValues,
        report: Report,
    ) -> None:
        self._core = core
        self._clock = clock
        self._states = states
        self._journal = journal
        self._waiting = waiting
        self._admit = admit
        self._peers = peers
        self._report = report

    def __call__(self, customer_id: str, facts: Sequence[Fact], *, in_doubt: bool = False) -> Evaluated:
        """Raises StoreConflict or the store's own error: then the facts have to be delivered again.

        `in_doubt` where a further fact came that could not be read: the journal is asked.
        """
        for _ in range(_ATTEMPTS):
            # A profile that is being written is read anew: what is kept of it here would be old.
            described = any(fact.type == CUSTOMER_UPDATED for fact in facts)
            stored = self._states.load(customer_id, fresh=described)
            if stored.profile.erased:
                return Evaluated(customer_id)  # what was on its way: it is swept out of the journal again
            # The tick's clock may be ahead of ours: a deadline it saw come due is due.
            now = max([self._clock.now(), *(fact.received_at for fact in facts)])
            folded = self._folded(stored, customer_id, facts, now, in_doubt=in_doubt)
            if isinstance(folded, Folded) and folded.retracted:
                # What certainly does not leave holds no clock, and another rise may take its place.
                cancelled = self._waiting.retract(customer_id, folded.retracted)
                folded = self._rebuilt(stored, customer_id, facts, now, cancelled)
            if isinstance(folded, Exception):
                self._report(customer_id, folded)
                if self._states.park(stored, customer_id, now + PARKED_FOR):
                    return Evaluated(customer_id)
                continue
            if not folded.changed and not stored.parked:
                return Evaluated(customer_id)
            # A fact that was taken back may have given a value: then, as for a customer put right, all count anew.
            put_right = stored.parked or any(fact.retracts is not None for fact in facts)
            left_out = self._peers.put(
                customer_id,
                folded.peer_values,
                stored.version + 1,
                complete=folded.complete and put_right,
            )
            self._waiting.call_off(customer_id, folded.called_off)
            self._waiting.release(customer_id, folded.released)
            self._waiting.hold_on(customer_id, folded.moved)
            try:
                changes = self._admit(self._messages(folded, now), stored.profile, folded.holds, now)
            except StoreConflict:
                continue
            _note(folded.state, changes.messages)
            state = folded.state.to_json()
            if len(state.encode()) > MOST_STATE_BYTES:
                state = folded.state.without_memory().to_json()
            generation = self._core.rulebook.generation
            if self._states.save(stored, customer_id, state, generation, folded.due_at, changes):
                return Evaluated(customer_id, tuple(folded.decisions), left_out)
        raise StoreConflict(f"the customer's state was written {_ATTEMPTS} times meanwhile")

    def _messages(self, folded: Folded, now: Instant) -> list[Message]:
        rulebook = self._core.rulebook
        return [
            message
            for decision in folded.decisions
            for message in messages_of(
                decision, self._core.rules[decision.rule].rule, now, rulebook.generation, rulebook.policy
            )
        ]

    def _folded(
        self, stored: StoredState, customer_id: str, facts: Sequence[Fact], now: Instant, *, in_doubt: bool
    ) -> Folded | Exception:
        """The fold, or what it raised. A store that fails is not this customer's fault, and raises."""
        try:
            state = None if stored.state is None else State.from_json(stored.state, customer_id)
            if state is not None and not stored.parked and not in_doubt:
                return fold(self._core, state, stored.profile, facts, now)
        except NeedsJournal:
            pass
        except NewerState:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a fold raises is this customer's trouble alone
            return error
        return self._rebuilt(stored, customer_id, facts, now)

    def _rebuilt(
        self,
        stored: StoredState,
        customer_id: str,
        facts: Sequence[Fact],
        now: Instant,
        cancelled: frozenset[str] = frozenset(),
    ) -> Folded | Exception:
        """As for the fold, from the customer's whole journal."""
        state = None if stored.state is None else State.from_json(stored.state, customer_id)
        try:
            history = self._journal.read(customer_id)
        except (KeyError, ValueError) as error:  # a fact that this code cannot read
            return error
        try:
            return rebuild(self._core, state, stored.profile, history, facts, now, cancelled)
        except Exception as error:  # noqa: BLE001 - as above
            return error


def _note(state: State, messages: Sequence[Message]) -> None:
    """What the gates made of the messages: held ones will be looked at again, and what ends here holds no clock."""
    for message in messages:
        short_id = message.message_id[:NAME]
        if message.reason in HELD and message.status is MessageStatus.DEFERRED:
            state.held.append(HeldMessage(short_id, message.purpose, message.rule, message.deliver_by))
        if message.status is MessageStatus.NOT_SENT and message.reason not in COUNTS_AS_SENT:
            state.gone(message.rule, short_id)
