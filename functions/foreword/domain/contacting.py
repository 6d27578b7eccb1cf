"""One customer's messages as time goes by: decided, held, deferred, displaced, called off and sent, by a clock
alone.

What the road does by streams, ticks and claims is done here at once, by the same functions: for a backtest and
for a rule's tests. Every provider accepts, and everything that is due at an instant is done at it: first its
facts, then what they call off, then what is decided and what they hold, and then all that is due competes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from foreword.domain.arbitration import admit
from foreword.domain.core import Core
from foreword.domain.decisions import COUNTS_AS_SENT, Decision, id_of, message_ids, messages_of
from foreword.domain.follow_ups import FollowUps
from foreword.domain.gates import AT_ONCE, Contact, place_of
from foreword.domain.holds import NO_HOLDS, Holds
from foreword.domain.instants import NEVER, Instant
from foreword.domain.ledger import Ledger
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.profiles import Profile
from foreword.domain.reached import Reached
from foreword.domain.reasons import HELD, Reason
from foreword.domain.rulebook import Policy, Purpose
from foreword.domain.state import NAME
from foreword.domain.verdicts import Verdicts
from foreword.domain.walk import Rise, Walk

_HELD_OR_ASLEEP = HELD | {Reason.DEFERRED_QUIET_HOURS}


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that every gate of its customer let through at that time, whatever the volume of the day said."""

    at: Instant
    message_id: str
    topic: str


class Contacting:
    """`decisions` are in the order of their times; `ended` holds each message, by its id, as it is at last.

    `refused` names (by their first digits) the messages that find the volume of their day reached.
    """

    def __init__(
        self,
        core: Core,
        policy: Policy,
        customer_id: str,
        reached: Reached,
        refused: Collection[str] = (),
    ) -> None:
        self.decisions: list[Decision] = []
        self.ended: dict[str, Message] = {}
        self.claims: list[Claim] = []
        self.due: Instant = NEVER
        self._core = core
        self._policy = policy
        self._customer_id = customer_id
        self._reached = reached
        self._refused = refused
        self._ledger = Ledger(customer_id)
        self._remembered_for = max([cap.within for cap in policy.frequency_caps] + [reached.limits_within])
        self._waiting: dict[str, Message] = {}
        self._turns: dict[str, tuple[str, Instant, int]] = {}
        self._hold_is_over = False
        self._follow_ups = FollowUps(core.rulebook)

    def at(self, walk: Walk, t: Instant) -> None:
        """All facts and deadlines up to `t` are in the walk: what they lead to, and what is due."""
        if walk.exceptions:
            self._call_off(walk, t)
        if not walk.rises and self.due > t and not self.asks_for_holds:
            return
        decided = [message for rise in walk.rises for message in self._decide(walk, rise, t)]
        walk.rises.clear()
        holding = True
        while holding:
            self._hold_is_over = False
            holds = self._core.holds.of(self._core.trackers, walk.memories, walk.state, t)
            if holds.held_by:
                self._hold_back(holds, t)
            self._through_the_gates(decided, holds, walk, t)
            decided, holding = [], self._hold_is_over  # which perhaps opens more, at this very instant

    @property
    def asks_for_holds(self) -> bool:
        """Whether every event may begin or end a hold of something that waits."""
        return self._core.holds.exist and bool(self._waiting)

    def decided_apart(self, decision: Decision, t: Instant) -> None:
        """A decision that no walk of this customer made: the close of a comparison with peers."""
        self.decisions.append(decision)
        self._through_the_gates(self._messages(decision, t, None), NO_HOLDS, None, t)

    def later(self, through: Instant) -> None:
        """Time goes on with nothing but what waits."""
        while self.due <= through:
            self._through_the_gates([], NO_HOLDS, None, self.due)

    def message(self, decision: Decision, send: int) -> Message:
        """As it is at last: a message of one of the decisions."""
        return self.ended[id_of(decision, send)]

    def _decide(self, walk: Walk, rise: Rise, t: Instant) -> list[Message]:
        verdicts = Verdicts(walk.state)
        decision = verdicts.decision(rise, self._customer_id, rise.at)
        fired = decision.reason is None
        verdicts.note(rise, [message[:NAME] for message in message_ids(decision)] if fired else [])
        self.decisions.append(decision)
        return self._messages(decision, t, walk)

    def _messages(self, decision: Decision, t: Instant, walk: Walk | None) -> list[Message]:
        """Those that go through the gates now; all others wait or have ended."""
        if decision.reason is not None:
            return []
        rule = self._core.rules[decision.rule].rule
        messages = messages_of(decision, rule, t, "replay", self._policy)
        ready = []
        for message, send in zip(messages, decision.sends, strict=True):
            self._turns[message.message_id] = (decision.case or "", decision.at, send)
            match message.status:
                case MessageStatus.READY:
                    ready.append(message)
                case MessageStatus.DEFERRED:
                    self._wait(message)
                case _:
                    self._end(message, walk)
        return ready

    def _call_off(self, walk: Walk, t: Instant) -> None:
        for (rule, send, case), came in walk.exceptions.items():
            for message in list(self._waiting.values()):
                before = message.rule == rule and message.case == case and message.decided_for < came
                if before and send in (None, self._turns[message.message_id][-1]):
                    self._end(message.not_sent(Reason.CANCELLED_BY_EXCEPTION, t), walk)
        walk.exceptions.clear()

    def _hold_back(self, holds: Holds, t: Instant) -> None:
        """What waits for the morning is held from the hold's beginning on: it competes no more and has no place.

        What is held already learns when that is over now: another event may have moved it.
        """
        for message in list(self._waiting.values()):
            if message.reason not in _HELD_OR_ASLEEP or message.due_at == t:
                continue
            held = holds.held(message, t)
            if held is not None:
                reason, until = held
                self._wait(message.deferred(min(until, message.deliver_by), reason))
                self._ledger = self._ledger.without(message.message_id)

    def _through_the_gates(self, decided: list[Message], holds: Holds, walk: Walk | None, t: Instant) -> None:
        profile = self._reached.profile(t)
        ready = [*decided, *self._ready(profile, holds, walk, t)]
        contact = Contact(profile, self._reached.consents(t), self._ledger, holds, self._turns)
        admitted = admit(ready, contact, self._policy, t, AT_ONCE)
        self._ledger = admitted.ledger
        for message_id, winner in admitted.displaced.items():
            if message_id in self._waiting:  # one that is due itself was asked in its turn
                lesser = self._waiting[message_id].not_sent(Reason.LOST_ARBITRATION, t)
                self._end(replace(lesser, winner=winner), walk)
        for message in admitted.messages:
            if message.status is MessageStatus.NOT_SENT:
                self._end(message, walk)
            elif message.status is MessageStatus.DEFERRED:
                self._remember(message, None)
                self._wait(message)
        leaving = {message.message_id: message for message in admitted.messages}
        for message_id in admitted.sends:  # the best first
            self._claim(leaving[message_id], walk, t)
        self._ledger = self._ledger.pruned(self._remembered_for, t)
        self.due = min((it.due_at for it in self._waiting.values() if it.due_at is not None), default=NEVER)

    def _ready(self, profile: Profile, holds: Holds, walk: Walk | None, t: Instant) -> list[Message]:
        """What waited and is due, or is held no longer."""
        ready = []
        for message in list(self._waiting.values()):
            released = message.reason in HELD and holds.held(message, t) is None
            if (message.due_at is None or message.due_at > t) and not released:
                continue
            del self._waiting[message.message_id]
            first_look = message.reason is Reason.WAITING_TO_FOLLOW_UP
            stopped = self._follow_ups.stopped(message, profile) if first_look else None
            if stopped is None:
                ready.append(message.ready_again(t))
            else:
                self._end(message.not_sent(stopped, t), walk)
        return ready

    def _claim(self, message: Message, walk: Walk | None, t: Instant) -> None:
        self.claims.append(Claim(t, message.message_id, message.topic))
        if message.message_id[:NAME] in self._refused:
            self._end(message.not_sent(Reason.VOLUME_REACHED, t), walk)
        else:
            self._remember(message, t)
            self._end(message.sent("replay", t), walk)

    def _remember(self, message: Message, dated: Instant | None) -> None:
        """Under every cap that there is or will be, that of the customer's own included."""
        if message.has_place:
            self._ledger = self._ledger if dated is None else self._ledger.dated(message.message_id, dated)
        elif self._remembered_for and message.channel is not None and message.purpose is not Purpose.CRITICAL:
            self._ledger = self._ledger.with_place(replace(place_of(message, message.channel), dated=dated))

    def _wait(self, message: Message) -> None:
        self._waiting[message.message_id] = message
        self.ended[message.message_id] = message
        if message.due_at is not None:
            self.due = min(self.due, message.due_at)

    def _end(self, message: Message, walk: Walk | None) -> None:
        self._waiting.pop(message.message_id, None)
        self.ended[message.message_id] = message
        if message.status is MessageStatus.SENT:
            return
        self._ledger = self._ledger.without(message.message_id)
        if walk is None or message.reason in COUNTS_AS_SENT:
            return
        entry = walk.state.gone(message.rule, message.message_id[:NAME])
        if entry is not None and not entry.left and self._core.rules[message.rule].rule.hold is not None:
            self._hold_is_over = True
