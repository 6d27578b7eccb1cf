from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import pytest

from foreword.app.deliver_message import TRIES, DeliverMessage
from foreword.app.ports import OutcomeUnknown, Refused
from foreword.domain.errors import StoreConflict, StoreUnavailable
from foreword.domain.gates import SPREAD
from foreword.domain.instants import DAY, HOUR, MINUTE, SECOND, parse_instant
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import CLAIM_TO_CALL, Channel, Policy, Purpose, QuietHours
from tests.fakes.customers import FakeClock
from tests.fakes.delivery import FakeLinks, FakeOutbox, FakeProvider, FakeRenderer, delivery_gates
from tests.fakes.samples import CUSTOMER, NOON, a_message, a_profile, some_consents

POLICY = Policy(default_timezone="Europe/Berlin", quiet_hours=QuietHours(start=20 * 60, end=9 * 60))
REFUSED_FOR_NOW = Refused("TooManyRequestsException", retryable=True)


@dataclass
class Desk:
    """A use case over fakes, and the one message it is asked to deliver."""

    outbox: FakeOutbox = field(default_factory=FakeOutbox)
    renderer: FakeRenderer = field(default_factory=FakeRenderer)
    mailer: FakeProvider = field(default_factory=FakeProvider)
    texter: FakeProvider = field(default_factory=FakeProvider)
    tasks: FakeProvider = field(default_factory=FakeProvider)
    links: FakeLinks = field(default_factory=FakeLinks)
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOON))
    attempts: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.outbox.add(a_message())
        self.outbox.profiles[CUSTOMER] = a_profile()
        self.deliver = DeliverMessage(
            outbox=self.outbox,
            renderer=self.renderer,
            mailer=self.mailer,
            texter=self.texter,
            tasks=self.tasks,
            links=self.links,
            gates=delivery_gates(POLICY),
            counters=self.outbox,
            clock=self.clock,
            new_attempt_id=lambda: f"attempt-{next(self.attempts)}",
        )

    def run(self) -> Message:
        self.deliver(CUSTOMER, a_message().message_id)
        return self.message

    @property
    def message(self) -> Message:
        return self.outbox.messages[CUSTOMER, a_message().message_id]

    @property
    def calls(self) -> int:
        return self.mailer.calls + self.texter.calls + self.tasks.calls


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_ready_message_is_claimed_then_called_once_then_recorded(desk: Desk) -> None:
    message = desk.run()
    assert [written.status for written in desk.outbox.written] == [MessageStatus.CALLING, MessageStatus.SENT]
    assert (message.status, message.reason, message.channel) == (
        MessageStatus.SENT,
        Reason.SENT,
        Channel.EMAIL,
    )
    assert (message.provider_message_id, message.closed_at, message.due_at) == ("provider-1", NOON, None)
    assert [(to, content) for _, to, content in desk.mailer.accepted] == [
        ("ada@customer.example", desk.renderer.render(message, Channel.EMAIL, a_profile(), None))
    ]
    assert desk.texter.calls == 0


def test_an_sms_goes_to_the_phone(desk: Desk) -> None:
    desk.outbox.profiles[CUSTOMER] = a_profile(email=None)
    assert desk.run().channel is Channel.SMS
    assert [to for _, to, _ in desk.texter.accepted] == ["+4915112345678"]
    assert desk.mailer.calls == 0


@pytest.mark.parametrize("purpose", list(Purpose))
def test_every_message_but_a_critical_one_has_its_links(desk: Desk, purpose: Purpose) -> None:
    message = a_message(purpose=purpose)
    desk.outbox.add(message)
    desk.outbox.consents[CUSTOMER] = some_consents(("care", "any", True))
    assert desk.run().status is MessageStatus.SENT
    assert desk.links.asked_for == ([] if purpose is Purpose.CRITICAL else [message.message_id])


def test_without_a_key_for_its_links_a_message_is_not_claimed(desk: Desk) -> None:
    desk.links.fails = True
    with pytest.raises(StoreUnavailable):
        desk.run()
    assert (desk.message.status, desk.calls) == (MessageStatus.READY, 0)


def test_a_task_needs_neither_address_nor_template(desk: Desk) -> None:
    desk.outbox.add(a_message(channels=(Channel.TASK,)))
    desk.outbox.profiles.clear()
    desk.renderer.fails = True
    message = desk.run()
    assert [written.status for written in desk.outbox.written] == [MessageStatus.CALLING, MessageStatus.SENT]
    assert (message.channel, message.provider_message_id) == (Channel.TASK, "provider-1")
    assert [(id, to) for id, to, _ in desk.tasks.accepted] == [(message.message_id, None)]
    assert desk.calls == 1


def test_a_task_whose_outcome_is_unknown_is_not_put_again(desk: Desk) -> None:
    desk.outbox.add(a_message(channels=(Channel.TASK,)))
    desk.tasks.answers = [OutcomeUnknown("ReadTimeoutError")]
    assert desk.run().status is MessageStatus.CALLING
    assert desk.run().status is MessageStatus.CALLING
    assert desk.calls == 1


@pytest.mark.parametrize("status", [status for status in MessageStatus if status is not MessageStatus.READY])
def test_a_redelivery_in_any_other_state_does_nothing(desk: Desk, status: MessageStatus) -> None:
    desk.outbox.add(a_message(status=status))
    assert desk.deliver(CUSTOMER, a_message().message_id) is None
    assert (desk.calls, desk.outbox.written) == (0, [])


def test_a_message_that_is_gone_is_nothing_to_do(desk: Desk) -> None:
    desk.outbox.messages.clear()
    assert desk.deliver(CUSTOMER, a_message().message_id) is None


def test_a_closed_gate_ends_the_message_with_its_reason(desk: Desk) -> None:
    desk.outbox.consents[CUSTOMER] = some_consents(("care", "any", False))
    message = desk.run()
    assert (message.status, message.reason, message.closed_at) == (
        MessageStatus.NOT_SENT,
        Reason.NO_CONSENT,
        NOON,
    )
    assert desk.calls == 0


def test_quiet_hours_defer_it_until_they_are_over(desk: Desk) -> None:
    desk.clock.instant = parse_instant("2026-03-04T22:00:00Z")
    message = desk.run()
    assert (message.status, message.reason) == (MessageStatus.DEFERRED, Reason.DEFERRED_QUIET_HOURS)
    nine = parse_instant("2026-03-05T08:00:00Z")
    assert message.due_at is not None
    assert nine <= message.due_at < nine + SPREAD
    assert desk.calls == 0


def test_a_message_that_cannot_be_rendered_ends_before_any_claim(desk: Desk) -> None:
    desk.renderer.fails = True
    message = desk.run()
    assert (message.status, message.reason) == (MessageStatus.NOT_SENT, Reason.NOT_RENDERED)
    assert (message.attempt_id, desk.calls) == (None, 0)


@pytest.mark.parametrize("change", ["opt-out", "erasure", "new address"])
def test_a_claim_that_lost_is_judged_anew_from_what_is_true_now(desk: Desk, change: str) -> None:
    def committed_in_between() -> None:
        desk.outbox.before_write = lambda: None
        if change == "opt-out":
            desk.outbox.consents[CUSTOMER] = some_consents(("care", "any", False))
        else:
            changed = a_profile(version=2, email="new@customer.example")
            desk.outbox.profiles[CUSTOMER] = replace(changed, erased=change == "erasure")

    desk.outbox.before_write = committed_in_between
    message = desk.run()
    if change == "new address":
        assert [to for _, to, _ in desk.mailer.accepted] == ["new@customer.example"]
    else:
        reason = Reason.NO_CONSENT if change == "opt-out" else Reason.ERASED
        assert (message.status, message.reason, desk.calls) == (MessageStatus.NOT_SENT, reason, 0)


def test_a_customer_who_keeps_changing_goes_back_to_the_stream(desk: Desk) -> None:
    versions = count(2)

    def always_changing() -> None:
        desk.outbox.profiles[CUSTOMER] = a_profile(version=next(versions))

    desk.outbox.before_write = always_changing
    with pytest.raises(StoreConflict):
        desk.run()
    assert next(versions) == 2 + TRIES
    assert (desk.message.status, desk.calls) == (MessageStatus.READY, 0)


def test_a_call_that_would_start_too_late_is_not_made_and_the_message_is_ready_again(desk: Desk) -> None:
    def the_claim_took_long() -> None:
        desk.clock.instant += CLAIM_TO_CALL + 1

    desk.outbox.after_write = the_claim_took_long
    message = desk.run()
    assert (message.status, desk.calls) == (MessageStatus.READY, 0)
    assert message.due_at is not None, "the tick looks at it, should the stream not"


def test_rendering_that_took_long_is_judged_anew(desk: Desk) -> None:
    """Quiet hours, expiry and the ten seconds count from when everything is ready."""
    desk.outbox.add(a_message(deliver_by=NOON + MINUTE))
    render = desk.renderer.render

    def slowly(*of: Any) -> Any:
        desk.clock.instant += 2 * MINUTE
        return render(*of)

    desk.renderer.render = slowly  # type: ignore[assignment]
    message = desk.run()
    assert (message.status, message.reason, desk.calls) == (MessageStatus.NOT_SENT, Reason.EXPIRED, 0)


def test_a_call_at_the_last_moment_is_made(desk: Desk) -> None:
    def the_claim_took_long() -> None:
        desk.clock.instant += CLAIM_TO_CALL
        desk.outbox.after_write = lambda: None

    desk.outbox.after_write = the_claim_took_long
    assert desk.run().status is MessageStatus.SENT


def test_refused_for_now_is_tried_again_later_and_later_but_never_beyond_expiry(desk: Desk) -> None:
    waits = []
    desk.outbox.add(a_message(deliver_by=NOON + 4 * HOUR))
    for _ in range(9):
        desk.mailer.answers = [REFUSED_FOR_NOW]
        message = desk.run()
        assert (message.status, message.reason) == (MessageStatus.DEFERRED, Reason.DEFERRED_BY_PROVIDER)
        assert message.due_at is not None
        waits.append((message.due_at - desk.clock.instant) // MINUTE)
        desk.clock.instant = message.due_at
        desk.outbox.add(message.ready_again(NOON))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 57]
    assert desk.run().reason is Reason.EXPIRED
    assert desk.mailer.accepted == []


def test_refused_for_good_ends_as_rejected(desk: Desk) -> None:
    desk.mailer.answers = [Refused("MessageRejected", retryable=False)]
    message = desk.run()
    assert (message.status, message.reason) == (MessageStatus.NOT_SENT, Reason.REJECTED_BY_PROVIDER)
    assert desk.texter.calls == 0


def test_an_unknown_outcome_stays_calling_and_is_never_called_again(desk: Desk) -> None:
    desk.mailer.answers = [OutcomeUnknown("ReadTimeoutError")]
    delivered = desk.deliver(CUSTOMER, a_message().message_id)
    assert delivered is not None
    assert delivered.provider_code == "ReadTimeoutError"
    for _ in range(3):
        message = desk.run()
    assert (message.status, message.due_at, desk.calls) == (MessageStatus.CALLING, NOON + HOUR, 1)


def test_a_store_that_fails_after_acceptance_is_raised_and_never_called_again(desk: Desk) -> None:
    def fail_to_record() -> None:
        if desk.mailer.calls:
            raise TimeoutError

    desk.outbox.before_write = fail_to_record
    with pytest.raises(TimeoutError):
        desk.run()
    desk.outbox.before_write = lambda: None
    assert desk.run().status is MessageStatus.CALLING
    assert desk.calls == 1


def test_evidence_that_came_before_the_answer_is_left_as_it_is(desk: Desk) -> None:
    def evidence() -> None:
        if desk.mailer.calls:
            desk.outbox.before_write = lambda: None
            desk.outbox.add(desk.message.sent("ses-from-the-evidence", NOON + SECOND))

    desk.outbox.before_write = evidence
    assert desk.run().provider_message_id == "ses-from-the-evidence"


def test_a_message_ready_twice_is_sent_once_per_ready(desk: Desk) -> None:
    other = a_message("c-43", deliver_by=NOON + DAY)
    desk.outbox.add(other)
    desk.outbox.profiles["c-43"] = a_profile("c-43", email="bob@customer.example")
    desk.deliver("c-43", other.message_id)
    desk.run()
    desk.run()
    assert [to for _, to, _ in desk.mailer.accepted] == ["bob@customer.example", "ada@customer.example"]


def test_a_refusal_that_meets_another_write_of_the_customers_is_recorded_all_the_same(desk: Desk) -> None:
    """Where a place is given back, a decision made at the same moment may be in the way."""
    desk.mailer.answers = [Refused("MessageRejected", retryable=False)]
    replace_, conflicts = desk.outbox.replace, count()

    def in_conflict_once(before: Message, after: Message) -> bool:
        return next(conflicts) > 0 and replace_(before, after)

    desk.outbox.replace = in_conflict_once  # type: ignore[method-assign]
    message = desk.run()
    assert (message.status, message.reason) == (MessageStatus.NOT_SENT, Reason.REJECTED_BY_PROVIDER)
    assert desk.calls == 1


def test_a_record_that_keeps_failing_is_raised_and_nothing_is_called_again(desk: Desk) -> None:
    desk.outbox.replace = lambda *_: False  # type: ignore[method-assign]
    with pytest.raises(StoreConflict):
        desk.run()
    assert desk.run().status is MessageStatus.CALLING
    assert desk.calls == 1
