from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreword.app.record_feedback import Recorded, RecordFeedback
from foreword.domain.errors import EventsNotAccepted, StoreConflict
from foreword.domain.feedback import Feedback, FeedbackKind
from foreword.domain.instants import HOUR, MINUTE, format_instant
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.outgoing import OutgoingEvent
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Channel
from foreword.domain.suppression import suppression
from tests.fakes.customers import FakeClock
from tests.fakes.delivery import FakeBus, FakeOutbox, FakeSuppressions, nothing
from tests.fakes.samples import CUSTOMER, NOON, a_message

CALLING = a_message(case="order-7", channels=(Channel.EMAIL,)).claimed("attempt-1", Channel.EMAIL, NOON)
UNKNOWN = CALLING.unknown(NOON + HOUR)
SENT = CALLING.sent("ses-1", NOON)
ADDRESS = "ada@customer.example"
ENTRY = suppression(CUSTOMER, Channel.EMAIL, ADDRESS)
NON_DELIVERY = (FeedbackKind.REJECTED, FeedbackKind.BOUNCED)
ACCEPTANCE = [kind for kind in FeedbackKind if kind not in NON_DELIVERY]


class Desk:
    def __init__(self, *messages: Message) -> None:
        self.outbox, self.bus, self.clock = FakeOutbox(), FakeBus(), FakeClock(NOON + MINUTE)
        for message in messages:
            self.outbox.add(message)
        self.suppressions = FakeSuppressions()
        self.record = RecordFeedback(self.outbox, self.suppressions, self.bus, self.clock)

    @property
    def message(self) -> Message:
        return self.outbox.messages[CUSTOMER, a_message().message_id]


def feedback(
    kind: FeedbackKind, provider_message_id: str = "ses-1", at: int = NOON, bounce: str = "Permanent"
) -> Feedback:
    details = {"bounce_type": bounce} if kind is FeedbackKind.BOUNCED else {}
    message_id, told = a_message().message_id, format_instant(at)
    return Feedback(
        kind, CUSTOMER, message_id, provider_message_id, at, told, Channel.EMAIL, details, ADDRESS
    )


@pytest.mark.parametrize("kind", ACCEPTANCE)
@pytest.mark.parametrize("before", [CALLING, UNKNOWN], ids=["CALLING", "UNKNOWN"])
def test_whatever_proves_acceptance_settles_an_open_message_as_sent(
    before: Message, kind: FeedbackKind
) -> None:
    desk = Desk(before)
    assert desk.record(feedback(kind)) is Recorded.RECORDED
    message = desk.message
    assert (message.status, message.reason, message.provider_message_id) == (
        MessageStatus.SENT,
        Reason.SENT,
        "ses-1",
    )
    assert (message.closed_at, message.due_at) == (NOON + MINUTE, None)


@pytest.mark.parametrize("before", [CALLING, UNKNOWN, SENT], ids=["CALLING", "UNKNOWN", "SENT"])
def test_a_rejection_says_that_nothing_left(before: Message) -> None:
    desk = Desk(before)
    desk.record(feedback(FeedbackKind.REJECTED))
    assert (desk.message.status, desk.message.reason) == (MessageStatus.NOT_SENT, Reason.REJECTED_BY_PROVIDER)
    assert desk.bus.events == []


def test_sent_and_rejected_end_the_same_in_either_order() -> None:
    ends = []
    for order in ([FeedbackKind.SENT, FeedbackKind.REJECTED], [FeedbackKind.REJECTED, FeedbackKind.SENT]):
        desk = Desk(CALLING)
        for kind in order:
            desk.record(feedback(kind))
        ends.append((desk.message.status, desk.message.reason))
    assert ends == [(MessageStatus.NOT_SENT, Reason.REJECTED_BY_PROVIDER)] * 2


def test_what_is_settled_is_not_written_again() -> None:
    desk = Desk(SENT)
    for kind in ACCEPTANCE:
        desk.record(feedback(kind))
    assert desk.outbox.written == []


def test_feedback_goes_on_as_an_event_about_the_message() -> None:
    desk = Desk(SENT)
    desk.record(feedback(FeedbackKind.BOUNCED))
    assert desk.bus.events == [
        OutgoingEvent(
            "MessageBounced",
            f"{SENT.message_id}/bounced",
            CUSTOMER,
            NOON,
            {
                "message_id": SENT.message_id,
                "rule": "repeated-contacts",
                "message": "we-are-sorry",
                "channel": "email",
                "case": "order-7",
                "bounce_type": "Permanent",
            },
        )
    ]


def test_the_same_feedback_is_the_same_event_and_another_click_another() -> None:
    desk = Desk(SENT)
    for at in (NOON, NOON, NOON + 1):
        desk.record(feedback(FeedbackKind.CLICKED, at=at))
        desk.record(feedback(FeedbackKind.DELIVERED, at=at))
    ids = [event.id for event in desk.bus.events]
    assert len([one for one in set(ids) if "/clicked/" in one]) == 2
    assert len([one for one in set(ids) if one.endswith("/delivered")]) == 1


def test_being_sent_is_told_by_the_messages_own_outcome_alone() -> None:
    desk = Desk(CALLING)
    desk.record(feedback(FeedbackKind.SENT))
    assert desk.bus.events == []


@pytest.mark.parametrize("kind", list(FeedbackKind))
def test_feedback_on_a_message_never_called_is_not_believed(kind: FeedbackKind) -> None:
    desk = Desk(a_message())
    assert desk.record(feedback(kind)) is Recorded.NEVER_CALLED
    assert (desk.message, desk.bus.events) == (a_message(), [])


@pytest.mark.parametrize("kind", list(FeedbackKind))
def test_feedback_under_another_provider_id_is_not_believed(kind: FeedbackKind) -> None:
    desk = Desk(SENT)
    assert desk.record(feedback(kind, "ses-forged")) is Recorded.OTHER_PROVIDER_ID
    assert (desk.message, desk.bus.events) == (SENT, [])


def test_feedback_on_no_message_of_ours_is_ignored() -> None:
    desk = Desk()
    assert desk.record(feedback(FeedbackKind.BOUNCED)) is Recorded.UNKNOWN_MESSAGE
    assert desk.bus.events == []


@pytest.mark.parametrize("kind", list(FeedbackKind))
def test_feedback_never_opens_what_was_not_sent(kind: FeedbackKind) -> None:
    message = CALLING.not_sent(Reason.REJECTED_BY_PROVIDER, NOON)
    desk = Desk(message)
    desk.record(feedback(kind))
    assert desk.message == message


@pytest.mark.parametrize("kind", [FeedbackKind.REJECTED, *ACCEPTANCE])
@pytest.mark.parametrize("waiting", [CALLING.backed_off(NOON), CALLING.ready_again(NOON)])
def test_what_was_accepted_after_all_is_not_called_again(kind: FeedbackKind, waiting: Message) -> None:
    desk = Desk(waiting)
    desk.record(feedback(kind))
    if kind is FeedbackKind.REJECTED:
        assert desk.message == waiting
    else:
        assert (desk.message.status, desk.message.due_at) == (MessageStatus.SENT, None)


def test_a_message_that_keeps_moving_is_asked_for_again() -> None:
    desk = Desk(CALLING)

    def moving() -> None:
        message = desk.message
        desk.outbox.add(replace(message, version=message.version + 1))

    desk.outbox.before_write = moving
    with pytest.raises(StoreConflict):
        desk.record(feedback(FeedbackKind.DELIVERED))


def test_a_bus_that_refuses_has_the_feedback_come_again() -> None:
    desk = Desk(CALLING)
    desk.bus.refuses = frozenset({f"{CALLING.message_id}/delivered"})
    with pytest.raises(EventsNotAccepted):
        desk.record(feedback(FeedbackKind.DELIVERED))
    desk.bus.refuses = frozenset()
    assert desk.record(feedback(FeedbackKind.DELIVERED)) is Recorded.RECORDED
    assert [event.type for event in desk.bus.events] == ["MessageDelivered"]


SUPPRESSING = [FeedbackKind.BOUNCED, FeedbackKind.COMPLAINED, FeedbackKind.UNSUBSCRIBED]


@pytest.mark.parametrize("kind", list(FeedbackKind))
def test_only_what_says_never_again_suppresses_the_address(kind: FeedbackKind) -> None:
    desk = Desk(SENT)
    desk.record(feedback(kind))
    assert desk.suppressions.entries.get(CUSTOMER, set()) == ({ENTRY} if kind in SUPPRESSING else set())


@pytest.mark.parametrize("bounce", ["Transient", "Undetermined"])
def test_a_soft_bounce_suppresses_nothing_and_proves_nothing(bounce: str) -> None:
    desk = Desk(SENT)
    soft = feedback(FeedbackKind.BOUNCED, bounce=bounce)
    desk.record(soft)
    assert not desk.suppressions.entries
    assert desk.message == SENT
    assert [event.data["bounce_type"] for event in desk.bus.events] == [bounce]


@pytest.mark.parametrize("kind", SUPPRESSING)
def test_the_fact_that_is_written_with_a_suppression_is_the_very_event_on_the_bus(kind: FeedbackKind) -> None:
    desk = Desk(SENT)
    desk.record(feedback(kind))
    ((_, key),) = desk.suppressions.facts
    (event,) = desk.bus.events
    (fact,) = desk.suppressions.facts.values()
    assert key == f"foreword#{event.id}"
    assert (fact.type, fact.data, fact.occurred_at) == (event.type, event.data, event.occurred_at)
    assert fact.received_at == desk.clock.now()
    assert ADDRESS not in str(event)


BY_TWO = a_message(channels=(Channel.EMAIL, Channel.SMS)).claimed("attempt-1", Channel.EMAIL, NOON)


@pytest.mark.parametrize("before", [BY_TWO, BY_TWO.unknown(NOON + HOUR), BY_TWO.sent("ses-1", NOON)])
@pytest.mark.parametrize("kind", NON_DELIVERY)
def test_a_certain_non_delivery_makes_way_for_the_next_channel(before: Message, kind: FeedbackKind) -> None:
    desk = Desk(before)
    desk.record(feedback(kind))
    message = desk.message
    assert (message.status, message.channel, message.attempt_id) == (MessageStatus.READY, None, None)
    assert message.tried == (Channel.EMAIL,)
    assert message.went_out is (kind is FeedbackKind.BOUNCED)
    assert message.provider_message_id is None


def test_after_the_last_channel_it_ends_as_bounced() -> None:
    desk = Desk(replace(SENT, channels=(Channel.EMAIL,), has_place=True))
    desk.record(feedback(FeedbackKind.BOUNCED))
    message = desk.message
    assert (message.status, message.reason) == (MessageStatus.NOT_SENT, Reason.BOUNCED)
    assert message.has_place, "it went out, and counts"


def test_a_message_that_expired_meanwhile_tries_no_other_channel() -> None:
    desk = Desk(replace(BY_TWO.sent("ses-1", NOON), deliver_by=NOON))
    desk.record(feedback(FeedbackKind.BOUNCED))
    assert (desk.message.status, desk.message.reason) == (MessageStatus.NOT_SENT, Reason.BOUNCED)


def test_what_comes_of_a_channel_that_was_left_settles_nothing() -> None:
    """A late delivery, say, of an e-mail that bounced: the text message's own outcome is open."""
    desk = Desk(BY_TWO.sent("ses-1", NOON))
    desk.record(feedback(FeedbackKind.BOUNCED))
    by_text = desk.message.claimed("attempt-2", Channel.SMS, NOON + MINUTE)
    desk.outbox.add(by_text)
    for kind in FeedbackKind:
        assert desk.record(feedback(kind)) is Recorded.RECORDED
    assert desk.message == by_text


def test_feedback_of_a_provider_that_was_not_called_is_ignored() -> None:
    desk = Desk(replace(SENT, channel=Channel.SMS))
    assert desk.record(feedback(FeedbackKind.BOUNCED)) is Recorded.NEVER_CALLED


def test_a_bounce_of_another_call_moves_nothing() -> None:
    desk = Desk(SENT)
    assert desk.record(feedback(FeedbackKind.BOUNCED, "ses-forged")) is Recorded.OTHER_PROVIDER_ID
    assert desk.message == SENT


class Killed(Exception):
    """The function died here."""


@pytest.mark.parametrize("kind", list(FeedbackKind))
@pytest.mark.parametrize("before", [CALLING, UNKNOWN, SENT], ids=["CALLING", "UNKNOWN", "SENT"])
def test_killed_at_any_write_the_same_feedback_ends_the_same(before: Message, kind: FeedbackKind) -> None:
    undisturbed = Desk(before)
    undisturbed.record(feedback(kind))
    for place in ("before", "after", "suppress", "bus"):
        desk = Desk(before)

        def die() -> None:
            raise Killed

        if place == "before":
            desk.outbox.before_write = die
        elif place == "after":
            desk.outbox.after_write = die
        elif place == "suppress":
            desk.suppressions.before_write = die
        else:
            desk.bus.refuses = frozenset(event.id for event in undisturbed.bus.events)
        with suppress(Killed, EventsNotAccepted):
            desk.record(feedback(kind))
        desk.outbox.before_write = desk.outbox.after_write = desk.suppressions.before_write = nothing
        desk.bus.refuses = frozenset()
        assert desk.record(feedback(kind)) is Recorded.RECORDED
        assert desk.message == undisturbed.message
        assert desk.outbox.steps == undisturbed.outbox.steps
        assert desk.suppressions.entries == undisturbed.suppressions.entries
        assert {event.id for event in desk.bus.events} == {event.id for event in undisturbed.bus.events}


REPORTS = st.tuples(
    st.sampled_from(list(FeedbackKind)),
    st.integers(0, 5),
    st.sampled_from(["Permanent", "Transient"]),
    st.sampled_from(["ses-1", "ses-1", "ses-forged"]),
)


@given(st.lists(REPORTS, max_size=12), st.data(), st.sampled_from([CALLING, UNKNOWN, SENT]))
def test_feedback_in_any_order_and_told_again_makes_one_history(
    reports: list[tuple[FeedbackKind, int, str, str]], data: st.DataObject, before: Message
) -> None:
    """Against a plain model: the set of what was truly reported, once the provider's own id is known."""
    told = [("ses-1", SENT_REPORT), *[(report[3], report) for report in reports]]
    true = [report for provider_id, report in told if provider_id == "ses-1"]
    steps = {
        f"{format_instant(NOON + at)} {kind} {bounce if kind is FeedbackKind.BOUNCED else ''}".strip()
        for kind, at, bounce, _ in true
        if kind not in (FeedbackKind.SENT, FeedbackKind.REJECTED)
    }
    rejected = any(kind is FeedbackKind.REJECTED for kind, *_ in true)
    suppressed = any(
        kind in (FeedbackKind.COMPLAINED, FeedbackKind.UNSUBSCRIBED)
        or (kind is FeedbackKind.BOUNCED and bounce == "Permanent")
        for kind, _, bounce, _ in true
    )
    again = data.draw(st.lists(st.sampled_from(reports), max_size=4)) if reports else []
    # The first is true: until an id is known, whose it is rests on the tags alone, which only SES can set.
    order = [SENT_REPORT, *data.draw(st.permutations([*reports, *again]))]
    desk = Desk(before)
    for kind, at, bounce, provider_id in order:
        desk.record(feedback(kind, provider_id, NOON + at, bounce))
    kept = desk.outbox.steps.get((CUSTOMER, SENT.message_id), set())
    assert {f"{format_instant(it.at)} {it.kind} {it.detail}".strip() for it in kept} == steps
    bounced = any(kind is FeedbackKind.BOUNCED and bounce == "Permanent" for kind, _, bounce, _ in true)
    assert (desk.message.status is MessageStatus.NOT_SENT) is (rejected or bounced)
    assert (ENTRY in desk.suppressions.entries.get(CUSTOMER, set())) is suppressed


SENT_REPORT = (FeedbackKind.SENT, 0, "Permanent", "ses-1")
