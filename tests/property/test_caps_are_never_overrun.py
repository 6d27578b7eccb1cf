"""Frequency caps over whatever happens to a customer's messages: decided, held, deferred, claimed, refused, lost.

The model is the history itself: which messages were claimed when, and of which it is certain that nothing went out.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from foreword.app.change_waiting import ChangeWaiting
from foreword.app.ports import Accepted, OutcomeUnknown, Refused
from foreword.app.release_due import ReleaseDue
from foreword.domain.consent import Consents, Setting
from foreword.domain.errors import StoreConflict
from foreword.domain.fold import CalledOff
from foreword.domain.gates import all_caps
from foreword.domain.holds import Held, Holds
from foreword.domain.instants import DAY, HOUR, MINUTE, SECOND, Instant
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.preference_changes import AtMost
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Channel, FrequencyCap, Policy, Purpose
from foreword.domain.state import NAME
from tests.fakes.customers import FakeJournal
from tests.fakes.delivery import FakeDueCustomers, nothing
from tests.fakes.gated import Gated, a_named
from tests.fakes.samples import CUSTOMER, some_consents

ANSWERS = {
    "accepts": Accepted("provider-1"),
    "refuses for now": Refused("TooManyRequestsException", retryable=True),
    "refuses": Refused("MessageRejected", retryable=False),
    "is not heard of": OutcomeUnknown("ReadTimeoutError"),
}
MAY_HAVE_GONE_OUT = (MessageStatus.CALLING, MessageStatus.SENT, MessageStatus.UNKNOWN)
WAITS = (MessageStatus.READY, MessageStatus.DEFERRED)

channels = st.sampled_from(
    [(Channel.EMAIL,), (Channel.SMS,), (Channel.EMAIL, Channel.SMS), (Channel.SMS, Channel.TASK)]
)
purposes = st.sampled_from([Purpose.SERVICE, Purpose.SERVICE, Purpose.MARKETING, Purpose.CRITICAL])
caps = st.builds(
    FrequencyCap,
    purpose=st.sampled_from([None, None, Purpose.SERVICE, Purpose.MARKETING]),
    channel=st.sampled_from([None, None, Channel.EMAIL, Channel.SMS]),
    at_most=st.integers(0, 2),
    within=st.sampled_from([30 * MINUTE, 6 * HOUR, 2 * DAY]),
)


class Killed(BaseException):
    """The process is gone."""


class Caps(RuleBasedStateMachine):
    """All channels are open, so that nothing but caps, competition, holds and time closes a gate."""

    @initialize(policy_caps=st.lists(caps, min_size=1, max_size=3))
    def begin(self, policy_caps: list[FrequencyCap]) -> None:
        self.customer = Gated(Policy(frequency_caps=tuple(policy_caps)))
        self.outbox, self.clock = self.customer.outbox, self.customer.clock
        self.outbox.consents[CUSTOMER] = some_consents(("care", "any", True))
        self.numbers = count(1)
        self.seen = 0
        self.overruns: list[str] = []
        self.tick = ReleaseDue(FakeJournal(), FakeDueCustomers(), self.outbox, self.clock)
        self.waiting = ChangeWaiting(self.outbox, self.clock)

    def caps_now(self) -> tuple[FrequencyCap, ...]:
        return all_caps(self.customer.policy, self.outbox.consents[CUSTOMER])

    @rule(
        purpose=purposes,
        channels=channels,
        many=st.integers(1, 3),
        priority=st.integers(1, 3),
        lasts=st.sampled_from([MINUTE, 3 * HOUR, 3 * DAY]),
        same_rule=st.booleans(),
        meanwhile=st.sampled_from(["", "", "a delivery", "a cancellation", "another decision"]),
    )
    def decide(
        self,
        purpose: Purpose,
        channels: tuple[Channel, ...],
        many: int,
        priority: int,
        lasts: int,
        same_rule: bool,
        meanwhile: str,
    ) -> None:
        now = self.clock.instant
        messages = [
            a_named(
                number,
                now,
                purpose=purpose,
                channels=channels,
                score=Decimal(priority + number % 2),
                deliver_by=now + lasts,
                **({"rule": "one-rule"} if same_rule else {}),
            )
            for number in (next(self.numbers) for _ in range(many))
        ]

        def disturb() -> None:
            self.outbox.before_write = nothing
            if meanwhile == "another decision":
                number = next(self.numbers)
                self.customer.decide(
                    [a_named(number, now, purpose=purpose, channels=channels, score=Decimal(2))]
                )
            for message in self.ready()[:1]:
                if meanwhile == "a delivery":
                    self.attempt(message)
                elif meanwhile == "a cancellation":
                    self.cancel_one(message)

        self.outbox.before_write = disturb
        self.customer.decide(messages)
        self.outbox.before_write = nothing

    @rule(
        which=st.integers(0, 9),
        answer=st.sampled_from([*sorted(ANSWERS), "refuses for now"]),
        dies_at=st.none() | st.integers(0, 3),
        slow=st.sampled_from([0, 0, 11 * SECOND]),
    )
    def deliver(self, which: int, answer: str, dies_at: int | None, slow: int) -> None:
        ready = self.ready()
        if not ready:
            return
        steps = count()

        def step() -> None:
            if next(steps) == dies_at:
                raise Killed

        def after() -> None:
            self.clock.instant += slow
            step()

        for provider in (self.customer.mailer, self.customer.texter, self.customer.tasks):
            provider.answers = [ANSWERS[answer]]
        self.outbox.before_write, self.outbox.after_write = step, after
        self.attempt(ready[which % len(ready)])
        self.outbox.before_write = self.outbox.after_write = nothing

    def attempt(self, message: Message) -> None:
        with suppress(Killed, StoreConflict):
            self.customer.deliver(message.message_id)

    @rule(which=st.integers(0, 9))
    def cancel(self, which: int) -> None:
        waiting = [it for it in self.customer.messages if it.status in WAITS]
        if waiting:
            self.cancel_one(waiting[which % len(waiting)])

    def cancel_one(self, message: Message) -> None:
        self.waiting.call_off(CUSTOMER, [CalledOff(message.message_id[:NAME])])

    @rule(
        lasts=st.sampled_from([0, HOUR, DAY]), purpose=st.sampled_from([Purpose.SERVICE, Purpose.MARKETING])
    )
    def hold(self, lasts: int, purpose: Purpose) -> None:
        held = Held(Reason.ON_HOLD, frozenset({purpose}), self.clock.instant + lasts)
        self.customer.holds = Holds((held,))

    @rule(at_most=st.none() | st.integers(0, 2), within=st.sampled_from([HOUR, DAY]))
    def the_customer_wants_less(self, at_most: int | None, within: int) -> None:
        now = self.clock.instant
        present: Consents = self.outbox.consents[CUSTOMER]
        wish = None if at_most is None else AtMost(at_most, within)
        self.outbox.consents[CUSTOMER] = replace(
            present, settings={"at_most": Setting(wish, (now, now, "k"))}, version=present.version + 1
        )

    @rule(
        wait=st.sampled_from([SECOND, 10 * MINUTE, 30 * MINUTE, 30 * MINUTE - 1, 61 * MINUTE, 6 * HOUR, DAY])
    )
    def time_passes(self, wait: int) -> None:
        self.clock.instant += wait
        self.tick()

    def ready(self) -> list[Message]:
        return [it for it in self.customer.messages if it.status is MessageStatus.READY]

    @invariant()
    def no_cap_is_overrun(self) -> None:
        """At each claim so far as many as a cap allows count in the window that ends with it, itself included."""
        dated: dict[str, Message] = {}
        for message in self.outbox.written:
            claimed = message.status is MessageStatus.CALLING
            if message.status is MessageStatus.NOT_SENT:
                dated.pop(message.message_id, None)
            if not claimed or message.claimed_at is None:
                continue
            dated[message.message_id] = message
            if message is self.outbox.written[-1] or message.attempts > 0:
                self.check(message, list(dated.values()), message.claimed_at)

    def check(self, claimed: Message, dated: list[Message], t: Instant) -> None:
        for cap in self.customer.policy.frequency_caps:
            if not is_under(claimed, cap):
                continue
            inside = [it for it in dated if is_under(it, cap) and t - cap.within < (it.claimed_at or 0) <= t]
            assert len(inside) <= cap.at_most, f"{cap} at {t}: {[it.message for it in inside]}"

    @invariant()
    def what_waits_and_what_went_out_fit_under_every_cap_together(self) -> None:
        """So that all that was admitted may leave, unless something else closes."""
        now = self.clock.instant
        for cap in self.customer.policy.frequency_caps:
            taken = [it for it in self.customer.messages if self.takes(it, cap, now)]
            assert len(taken) <= cap.at_most, [it.message for it in taken]

    def takes(self, message: Message, cap: FrequencyCap, now: Instant) -> bool:
        if not is_under(message, cap) or message.status is MessageStatus.NOT_SENT or not message.has_place:
            return False
        if message.claimed_at is None:
            return now <= message.deliver_by
        return message.status in MAY_HAVE_GONE_OUT and now - cap.within < message.claimed_at

    @invariant()
    def the_customers_own_wish_is_kept_at_each_claim(self) -> None:
        own = self.outbox.consents[CUSTOMER].at_most
        new, self.seen = self.outbox.written[self.seen :], len(self.outbox.written)
        for message in new:
            if own is None or message.status is not MessageStatus.CALLING or message.claimed_at is None:
                continue
            if message.purpose is Purpose.CRITICAL:
                continue
            t = message.claimed_at
            inside = [
                it
                for it in self.customer.messages
                if it.status in MAY_HAVE_GONE_OUT
                and it.purpose is not Purpose.CRITICAL
                and it.claimed_at is not None
                and t - own.within < it.claimed_at <= t
            ]
            assert len(inside) <= own.count

    @invariant()
    def a_place_is_held_by_what_waits_or_may_have_gone_out_and_by_nothing_else(self) -> None:
        places, now = self.customer.ledger.places, self.clock.instant
        longest = max(cap.within for cap in self.customer.policy.frequency_caps)
        for message in self.customer.messages:
            place = places.get(message.message_id)
            if message.purpose is Purpose.CRITICAL or message.status is MessageStatus.NOT_SENT:
                assert place is None
                assert not message.has_place
            elif message.status in MAY_HAVE_GONE_OUT:
                assert message.claimed_at is not None
                if message.claimed_at > now - longest:
                    assert place is not None
                    assert (place.dated, place.channel) == (message.claimed_at, message.channel)
            else:
                held = message.reason is Reason.ON_HOLD
                if held:
                    assert place is None
                if place is not None:
                    assert message.has_place
                elif message.deliver_by > now:
                    assert not message.has_place
        assert places.keys() <= {message.message_id for message in self.customer.messages}

    @invariant()
    def there_is_at_most_one_call_per_claim(self) -> None:
        claims = Counter(it.attempt_id for it in self.outbox.written if it.status is MessageStatus.CALLING)
        assert self.customer.calls <= len(claims)
        assert max(claims.values(), default=1) == 1

    def teardown(self) -> None:
        """Everything ends; and when time has passed nothing is left under any cap."""
        if not hasattr(self, "customer"):
            return
        self.customer.holds = Holds()
        for _ in range(8):
            self.clock.instant += 12 * HOUR
            self.tick()
            for message in self.ready():
                self.attempt(message)
        self.no_cap_is_overrun()
        assert all(message.status.terminal for message in self.customer.messages)
        self.clock.instant += 2 * DAY
        ledger, now = self.customer.ledger, self.clock.instant
        assert not any(place.counts(cap, now) for place in ledger.places.values() for cap in self.caps_now())
        gone_out = [it.message_id for it in self.customer.messages if it.status in MAY_HAVE_GONE_OUT]
        assert ledger.places.keys() <= set(gone_out)


def is_under(message: Message, cap: FrequencyCap) -> bool:
    if message.purpose is Purpose.CRITICAL:
        return False
    return cap.purpose in (None, message.purpose) and cap.channel in (None, message.channel)


Caps.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
test_caps_are_never_overrun = Caps.TestCase
