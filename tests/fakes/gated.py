"""One customer whose messages are decided and delivered through all gates, over the outbox in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from foreword.app.admit_messages import AdmitMessages
from foreword.app.deliver_message import DeliverMessage
from foreword.app.ports import Changes
from foreword.domain.errors import StoreConflict
from foreword.domain.holds import NO_HOLDS, Holds
from foreword.domain.ledger import Ledger
from foreword.domain.messages import Message, look_again
from foreword.domain.rulebook import Channel, Policy
from tests.fakes.customers import FakeClock
from tests.fakes.delivery import (
    FakeLinks,
    FakeOutbox,
    FakePauseSwitch,
    FakeProvider,
    FakeReach,
    FakeRenderer,
    FakeRequests,
    delivery_gates,
)
from tests.fakes.samples import CUSTOMER, NOON, a_message, a_profile

TRIES = 5


def a_named(number: int, now: int = NOON, **changes: Any) -> Message:
    """The `number`-th message, of a rule of its own unless said otherwise, decided at `now`."""
    named = {"rule": f"rule-{number}", "message": f"message-{number}", "episode": f"e-{number}"}
    given = {"decided_for": now, "decided_at": now, "due_at": look_again(now)}
    return a_message(message_id=f"{number:08x}" * 4, **(named | given | changes))


@dataclass
class Gated:
    """`store` is what the use cases are given in place of the outbox, for tests that watch or disturb its calls."""

    policy: Policy
    outbox: FakeOutbox = field(default_factory=FakeOutbox)
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOON))
    mailer: Any = field(default_factory=FakeProvider)
    texter: Any = field(default_factory=FakeProvider)
    tasks: Any = field(default_factory=FakeRequests)
    switch: FakePauseSwitch = field(default_factory=FakePauseSwitch)
    holds: Holds = NO_HOLDS
    attempts: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.outbox.profiles[CUSTOMER] = a_profile()
        self.outbox.states[CUSTOMER] = "a state, of which `holds` is what it tells"

    def decide(self, messages: Sequence[Message], store: Any = None) -> None:
        """As evaluate_triggers does: read anew where the write lost."""
        for _ in range(TRIES):
            try:
                changes = self.admitted(messages, store)
            except StoreConflict:
                continue
            if (store or self.outbox).decide(CUSTOMER, changes):
                return
        raise StoreConflict("the decision was never saved")

    def admitted(self, messages: Sequence[Message], store: Any = None) -> Changes:
        given = store or self.outbox
        admit = AdmitMessages(FakeReach(given), given, self.policy)
        return admit(messages, a_profile(), self.holds, self.clock.instant)

    def deliver(self, message_id: str, store: Any = None) -> None:
        given = store or self.outbox
        DeliverMessage(
            outbox=given,
            renderer=FakeRenderer(),
            mailer=self.mailer,
            texter=self.texter,
            requests=self.tasks,
            gates=delivery_gates(self.policy, self.switch, lambda *_: self.holds),
            counters=given,
            links=FakeLinks(),
            clock=self.clock,
            new_attempt_id=lambda: f"attempt-{next(self.attempts)}",
        )(CUSTOMER, message_id)

    def message(self, message_id: str) -> Message:
        return self.outbox.messages[CUSTOMER, message_id]

    @property
    def messages(self) -> list[Message]:
        return list(self.outbox.messages.values())

    @property
    def ledger(self) -> Ledger:
        return self.outbox.ledgers.get(CUSTOMER, Ledger(CUSTOMER))

    @property
    def calls(self) -> int:
        return sum(provider.calls for provider in (self.mailer, self.texter, self.tasks))


ON_EMAIL = (Channel.EMAIL,)
ON_SMS = (Channel.SMS,)
