"""One customer's messages as time goes by: decided, held, deferred, displaced, called off and sent, by a clock
alone.

What the road does by streams, ticks and claims is done here at once, by the same functions: for a backtest and
for a rule's tests. Every provider accepts, and everything that is due at an instant is done at it: first its
facts, then what they call off, then what is decided or due, which competes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from foreword.domain.arbitration import admit
from foreword.domain.consent import Consents
from foreword.domain.core import Core
from foreword.domain.decisions import COUNTS_AS_SENT, Decision, message_ids, messages_of
from foreword.domain.follow_ups import FollowUps
from foreword.domain.gates import Contact, all_caps
from foreword.domain.holds import NO_HOLDS, Holds
from foreword.domain.instants import NEVER, Instant
from foreword.domain.ledger import Ledger
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.profiles import Profile
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Policy
from foreword.domain.state import NAME, State
from foreword.domain.verdicts import Verdicts
from foreword.domain.walk import Rise, Walk

_HELD = (Reason.UNWILLING, Reason.ON_HOLD)


@dataclass(frozen=True, slots=True)
class Reached:
    """How the customer may be reached, as of a time."""

    profile: Callable[[Instant], Profile]
    consents: Callable[[Instant], Consents]


class Contacting:
    """`decisions` are in the order of their times; `ended` holds each message, by its id, as it is at last."""

    def __init__(self, core: Core, policy: Policy, customer_id: str, reached: Reached) -> None:
        self.decisions: list[Decision] = []
        self.ended: dict[str, Message] = {}
        self.due: Instant = NEVER
        self._core = core
        self._policy = policy
        self._customer_id = customer_id
        self._reached = reached
        self._ledger = Ledger(customer_id)
        self._waiting: dict[str, Message] = {}
        self._follow_ups = FollowUps(core.rulebook)

    def at(self, walk: Walk, t: Instant) -> None:
        """All facts and deadlines up to `t` are in the walk: what they lead to, and what is due."""
        if walk.exceptions:
            self._call_off(walk, t)
        if not walk.rises and self.due > t and not self._waits_for_holds():
            return
        decided = [message for rise in walk.rises for message in self._decide(walk, rise, t)]
        walk.rises.clear()
        holds = self._core.holds.of(self._core.trackers, walk.memories, walk.state, t)
        self._through_the_gates(decided, holds, walk, t)

    def decided_apart(self, decision: Decision, t: Instant) -> None:
        """A decision that no walk of this customer made: the close of a comparison with peers."""
        rule = self._core.rules[decision.rule].rule
        self.decisions.append(decision)
        messages = messages_of(decision, rule, t, "replay", self._policy) if decision.reason is None else []
        self._through_the_gates(self._kept(messages), NO_HOLDS, None, t)

    def later(self, through: Instant) -> None:
        """Time goes on with nothing but what waits."""
        while self.due <= through:
            self._through_the_gates([], NO_HOLDS, None, self.due)

    def _waits_for_holds(self) -> bool:
        return any(message.reason in _HELD for message in self._waiting.values())

    def _decide(self, walk: Walk, rise: Rise, t: Instant) -> list[Message]:
        verdicts = Verdicts(walk.state)
        decision = verdicts.decision(rise, self._customer_id, rise.at)
        fired = decision.reason is None
        verdicts.note(rise, [message[:NAME] for message in message_ids(decision)] if fired else [])
        self.decisions.append(decision)
        if not fired:
            return []
        rule = rise.rule.rule
        return self._kept(messages_of(decision, rule, t, "replay", self._policy), walk.state)

    def _kept(self, messages: list[Message], state: State | None = None) -> list[Message]:
        """Those that go through the gates now; all others wait or have ended."""
        ready = []
        for message in messages:
            match message.status:
                case MessageStatus.READY:
                    ready.append(message)
                case MessageStatus.DEFERRED:
                    self._wait(message)
                case _:
                    self._end(message, state)
        return ready

    def _call_off(self, walk: Walk, t: Instant) -> None:
        for (rule, send, case), came in walk.exceptions.items():
            only = None if send is None else self._core.rules[rule].rule.sends[send].message
            for message in list(self._waiting.values()):
                before = message.rule == rule and message.case == case and message.decided_for < came
                if before and only in (None, message.message):
                    self._end(message.not_sent(Reason.CANCELLED_BY_EXCEPTION, t), walk.state)
        walk.exceptions.clear()

    def _through_the_gates(self, decided: list[Message], holds: Holds, walk: Walk | None, t: Instant) -> None:
        state = None if walk is None else walk.state
        profile = self._reached.profile(t)
        ready = [*decided, *self._ready(profile, holds, state, t)]
        contact = Contact(profile, self._reached.consents(t), self._ledger, holds)
        admitted = admit(ready, contact, self._policy, t, spread=0)
        self._ledger = admitted.ledger
        for message_id, winner in admitted.displaced.items():
            lesser = self._waiting[message_id].not_sent(Reason.LOST_ARBITRATION, t)
            self._end(replace(lesser, winner=winner), state)
        for message in admitted.messages:
            if message.status is MessageStatus.READY:
                self._ledger = self._ledger.dated(message.message_id, t)
                self._end(message.sent("replay", t), state)
            elif message.status is MessageStatus.DEFERRED:
                self._wait(message)
            else:
                self._end(message, state)
        longest = max((cap.within for cap in all_caps(self._policy, contact.consents)), default=0)
        self._ledger = self._ledger.pruned(longest, t)
        self.due = min((it.due_at for it in self._waiting.values() if it.due_at is not None), default=NEVER)

    def _ready(self, profile: Profile, holds: Holds, state: State | None, t: Instant) -> list[Message]:
        """What waited and is due, or is held no longer."""
        ready = []
        for message in list(self._waiting.values()):
            held = message.reason in _HELD and holds.held(message, t) is None
            if (message.due_at is None or message.due_at > t) and not held:
                self._hold_on(message, holds, t)
                continue
            del self._waiting[message.message_id]
            first_look = message.reason is Reason.WAITING_TO_FOLLOW_UP
            stopped = self._follow_ups.stopped(message, profile) if first_look else None
            if stopped is None:
                ready.append(message.ready_again(t))
            else:
                self._end(message.not_sent(stopped, t), state)
        return ready

    def _hold_on(self, message: Message, holds: Holds, t: Instant) -> None:
        """What is held is judged anew when that is over, as far as is known by now."""
        held = holds.held(message, t) if message.reason in _HELD else None
        if held is not None:
            self._wait(message.deferred(min(held[1], message.deliver_by), held[0]))

    def _wait(self, message: Message) -> None:
        self._waiting[message.message_id] = message
        self.ended[message.message_id] = message
        if message.due_at is not None:
            self.due = min(self.due, message.due_at)

    def _end(self, message: Message, state: State | None) -> None:
        self._waiting.pop(message.message_id, None)
        self.ended[message.message_id] = message
        if message.status is MessageStatus.SENT:
            return
        self._ledger = self._ledger.without(message.message_id)
        if state is None or message.reason in COUNTS_AS_SENT:
            return
        for entry in state.decided.get(message.rule, []):
            if message.message_id[:NAME] in entry.left:
                entry.left.remove(message.message_id[:NAME])
