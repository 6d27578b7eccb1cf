"""The send protocol under crashes, lost answers, redeliveries, ticks, feedback, opt-outs and changing addresses.

The rules may do anything in any order. The model is the history itself: what the provider accepted, when, and what
was committed before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from foreword.app.deliver_message import DeliverMessage
from foreword.app.ports import (
    NO_CHANGES,
    Accepted,
    Changes,
    Claim,
    Dossier,
    OutcomeUnknown,
    ProviderCall,
    ProviderOutcome,
    Refused,
)
from foreword.app.record_feedback import RecordFeedback
from foreword.app.release_due import ReleaseDue
from foreword.domain.consent import Choice, Consents, allows
from foreword.domain.content import EmailContent, MessageLinks, SmsContent
from foreword.domain.errors import StoreConflict
from foreword.domain.feedback import Feedback, FeedbackKind
from foreword.domain.instants import DAY, HOUR, MINUTE, SECOND, Instant, format_instant, parse_instant
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.quiet_hours import is_quiet, zone_of
from foreword.domain.rulebook import CLAIM_TO_CALL, Channel, Policy, QuietHours
from foreword.domain.volume import Counter as VolumeCounter
from tests.fakes.customers import FakeClock, FakeJournal
from tests.fakes.delivery import (
    FakeBus,
    FakeDueCustomers,
    FakeLinks,
    FakeOutbox,
    FakeRenderer,
    FakeRequests,
    FakeSuppressions,
    delivery_gates,
    nothing,
)
from tests.fakes.samples import a_message, a_profile

START = parse_instant("2026-03-04T08:30:00Z")
NIGHT = QuietHours(start=20 * 60, end=9 * 60)
POLICY = Policy(default_timezone="Europe/Berlin", quiet_hours=NIGHT)
CUSTOMERS = ("c-1", "c-2")
TWISTS = ("none", "accept, lose the answer", "refuse for now", "refuse", "never arrives")


class Killed(BaseException):
    """The process is gone: nothing of it runs on, and no `except Exception` holds it up."""


@dataclass
class Watched(FakeOutbox):
    """Remembers the address that was the customer's own when a claim was committed, and whether it was allowed."""

    own_address: dict[str | None, str] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    def claim(
        self,
        dossier: Dossier,
        claimed: Message,
        changes: Changes = NO_CHANGES,
        counters: Sequence[VolumeCounter] = (),
    ) -> Claim:
        won = super().claim(dossier, claimed, changes, counters)
        if won is Claim.CLAIMED:
            now = self.dossier(claimed.customer_id, claimed.message_id)
            self.own_address[claimed.attempt_id] = now.profile.value("email")
            if not allows(now.consents, POLICY, claimed.purpose, claimed.topic, Channel.EMAIL):
                self.violations.append("claimed after an opt-out")
        return won


@dataclass
class Twisted:
    """A provider that does what it is told for its next call, and remembers what it accepted, when and where."""

    clock: FakeClock
    outbox: Watched
    twist: str = "none"
    calls: list[tuple[str, Instant]] = field(default_factory=list)
    accepted: list[tuple[str, str]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def prepare(
        self,
        message: Message,
        address: str,
        content: EmailContent | SmsContent,
        links: MessageLinks | None = None,
    ) -> ProviderCall:
        return lambda: self._call(message, address)

    def _call(self, ready: Message, address: str) -> ProviderOutcome:
        customer_id, now = ready.customer_id, self.clock.now()
        message = self.outbox.messages[customer_id, ready.message_id]
        self.calls.append((message.message_id, now))
        self._inspect(message, address, now)
        twist, self.twist = self.twist, "none"
        match twist:
            case "refuse for now" | "never arrives":
                return Refused(twist, retryable=True)
            case "refuse":
                return Refused(twist, retryable=False)
        self.accepted.append((message.message_id, address))
        lost = twist == "accept, lose the answer"
        return OutcomeUnknown("ReadTimeoutError") if lost else Accepted(f"ses-{message.message_id}")

    def _inspect(self, message: Message, address: str, now: Instant) -> None:
        if address != self.outbox.own_address.get(message.attempt_id):
            self.violations.append("called an address that was not the customer's own at the claim")
        if message.claimed_at is None or now - message.claimed_at > CLAIM_TO_CALL:
            self.violations.append("called too long after its claim")
        if now > message.deliver_by:
            self.violations.append("called after expiry")
        profile = self.outbox.profiles[message.customer_id]
        if is_quiet(NIGHT, zone_of(profile.value("timezone"), "Europe/Berlin"), now):
            self.violations.append("called in quiet hours")


class SendProtocol(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock, self.outbox, self.attempts = FakeClock(START), Watched(), count()
        self.provider = Twisted(self.clock, self.outbox)
        for customer_id in CUSTOMERS:
            self.outbox.profiles[customer_id] = a_profile(customer_id)
            self.outbox.add(self.decided(customer_id))
        self.deliver_message = DeliverMessage(
            outbox=self.outbox,
            renderer=FakeRenderer(),
            mailer=self.provider,
            texter=self.provider,
            requests=FakeRequests(),
            gates=delivery_gates(POLICY),
            counters=self.outbox,
            links=FakeLinks(),
            clock=self.clock,
            new_attempt_id=self.next_attempt,
        )
        self.before_claim = nothing
        self.tick = ReleaseDue(FakeJournal(), FakeDueCustomers(), self.outbox, self.clock)
        self.record_feedback = RecordFeedback(self.outbox, FakeSuppressions(), FakeBus(), self.clock)

    def next_attempt(self) -> str:
        self.before_claim()
        return f"attempt-{next(self.attempts)}"

    def decided(self, customer_id: str) -> Message:
        return a_message(
            customer_id,
            channels=(Channel.EMAIL,),
            decided_for=START,
            decided_at=START,
            deliver_by=START + 2 * DAY,
        )

    def key(self, customer_id: str) -> tuple[str, str]:
        return customer_id, self.decided(customer_id).message_id

    @rule(
        customer_id=st.sampled_from(CUSTOMERS),
        twist=st.sampled_from(TWISTS),
        dies_at=st.none() | st.integers(0, 3),
        slow=st.sampled_from([0, 0, 6 * SECOND, 11 * SECOND]),
        race=st.sampled_from(["", "", "another delivery", "opt-out", "new address"]),
    )
    def deliver(self, customer_id: str, twist: str, dies_at: int | None, slow: int, race: str) -> None:
        """A delivery, or the redelivery of any earlier one; it may be killed around any of its writes."""
        self.provider.twist = twist
        steps = count()

        def step() -> None:
            if next(steps) == dies_at:
                raise Killed

        def after() -> None:
            self.clock.instant += slow
            step()

        def happens_before_claim() -> None:
            self.undisturbed()
            if race == "another delivery":
                self.attempt(customer_id)
            elif race == "opt-out":
                self.opt(customer_id, chosen=False)
            elif race == "new address":
                self.move(customer_id)
            self.outbox.before_write, self.outbox.after_write = step, after

        self.outbox.before_write, self.outbox.after_write = step, after
        self.before_claim = happens_before_claim
        self.attempt(customer_id)
        self.undisturbed()

    def undisturbed(self) -> None:
        self.outbox.before_write = self.outbox.after_write = self.before_claim = nothing

    def attempt(self, customer_id: str) -> None:
        with suppress(Killed, StoreConflict):
            self.deliver_message(*self.key(customer_id))

    @rule(customer_id=st.sampled_from(CUSTOMERS), chosen=st.booleans())
    def opt(self, customer_id: str, chosen: bool) -> None:
        present = self.outbox.consents.get(customer_id, Consents(customer_id))
        choice = Choice(chosen, (self.clock.instant, self.clock.instant, "k"))
        self.outbox.consents[customer_id] = replace(
            present, choices={("care", "any"): choice}, version=present.version + 1
        )

    @rule(customer_id=st.sampled_from(CUSTOMERS))
    def move(self, customer_id: str) -> None:
        version = self.outbox.profiles[customer_id].version + 1
        zone = ("Asia/Tokyo", "America/New_York", "Mars/Olympus")[version % 3]
        self.outbox.profiles[customer_id] = a_profile(
            customer_id, version, email=f"v{version}@customer.example", timezone=zone
        )

    @rule(wait=st.sampled_from([SECOND, MINUTE, 20 * MINUTE, 61 * MINUTE, 5 * HOUR]))
    def time_passes(self, wait: int) -> None:
        self.clock.instant += wait

    @rule()
    def the_tick(self) -> None:
        self.tick()

    @rule(customer_id=st.sampled_from(CUSTOMERS), kind=st.sampled_from(FeedbackKind), forged=st.booleans())
    def feedback(self, customer_id: str, kind: FeedbackKind, forged: bool) -> None:
        """True feedback speaks of what was accepted alone; forged feedback is under another id, of anything."""
        _, message_id = self.key(customer_id)
        accepted = message_id in {accepted for accepted, _ in self.provider.accepted}
        message = self.outbox.messages[self.key(customer_id)]
        if forged and message.provider_message_id is None and message.attempt_id is not None:
            return  # nothing tells it from true feedback, which is why AWS alone may call the function
        if not forged and not accepted:
            return
        provider_id = "ses-forged" if forged else f"ses-{message_id}"
        now = self.clock.instant
        told = Feedback(kind, customer_id, message_id, provider_id, now, format_instant(now), Channel.EMAIL)
        self.record_feedback(told)
        if forged:
            assert self.outbox.messages[self.key(customer_id)] == message

    @invariant()
    def nothing_was_accepted_twice(self) -> None:
        assert max(Counter(message_id for message_id, _ in self.provider.accepted).values(), default=0) <= 1

    @invariant()
    def every_claim_and_call_was_allowed(self) -> None:
        assert self.provider.violations + self.outbox.violations == []

    @invariant()
    def there_is_at_most_one_call_per_claim(self) -> None:
        claims = [it.attempt_id for it in self.outbox.written if it.status is MessageStatus.CALLING]
        assert len(self.provider.calls) <= len(claims)
        assert len(claims) == len(set(claims))

    @invariant()
    def what_waits_is_due_and_nothing_else_is(self) -> None:
        for message in self.outbox.messages.values():
            assert message.status.terminal == (message.due_at is None)

    def teardown(self) -> None:
        """Time passes, the stream redelivers: then everything has ended, with a reason, and truly."""
        for wait in [30 * MINUTE] * 12 + [DAY] * 4:
            self.clock.instant += wait
            self.tick()
            for customer_id in CUSTOMERS:
                self.attempt(customer_id)
        accepted = {message_id for message_id, _ in self.provider.accepted}
        for message in self.outbox.messages.values():
            assert message.status.terminal
            assert message.reason is not None
            assert message.closed_at is not None
            if message.status is MessageStatus.SENT:
                assert message.message_id in accepted
        self.nothing_was_accepted_twice()
        self.every_claim_and_call_was_allowed()


SendProtocol.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
test_the_send_protocol_survives = SendProtocol.TestCase
