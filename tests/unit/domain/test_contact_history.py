from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreword.domain.contact_history import Step, StepKind, first_steps, in_order, step_of, step_to
from foreword.domain.feedback import Feedback, FeedbackKind
from foreword.domain.instants import HOUR, MINUTE, format_instant
from foreword.domain.messages import MessageStatus
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Channel
from tests.fakes.samples import CUSTOMER, NOON, a_message

CLAIMED = a_message().claimed("attempt-1", Channel.EMAIL, NOON)


def test_each_write_of_a_message_is_a_step_of_its_own() -> None:
    deferred = a_message().deferred(NOON + HOUR, Reason.DEFERRED_QUIET_HOURS)
    steps = first_steps(a_message())
    for after in (deferred, CLAIMED, CLAIMED.sent("ses-1", NOON), CLAIMED.unknown(NOON)):
        step = step_to(after, NOON + MINUTE)
        assert step is not None
        steps.append(step)
    assert [str(step) for step in steps] == [
        "2026-03-04T12:00:00.000000Z DECIDED",
        "2026-03-04T12:01:00.000000Z DEFERRED DEFERRED_QUIET_HOURS until 2026-03-04T13:00:00Z",
        "2026-03-04T12:01:00.000000Z CLAIMED email",
        "2026-03-04T12:01:00.000000Z SENT email",
        "2026-03-04T12:01:00.000000Z UNKNOWN UNKNOWN_OUTCOME",
    ]


def test_to_be_ready_again_is_no_step() -> None:
    assert step_to(CLAIMED.ready_again(NOON), NOON) is None


@pytest.mark.parametrize("status", [it for it in MessageStatus if it is not MessageStatus.READY])
def test_every_other_status_has_a_step(status: MessageStatus) -> None:
    assert step_to(a_message(status=status), NOON) is not None


@pytest.mark.parametrize("kind", list(FeedbackKind))
def test_all_feedback_has_a_step_but_what_the_messages_own_tell(kind: FeedbackKind) -> None:
    told = Feedback(
        kind,
        CUSTOMER,
        "0" * 32,
        "ses-1",
        NOON,
        format_instant(NOON),
        Channel.EMAIL,
        {"bounce_type": "Permanent"},
    )
    step = step_of(told)
    if kind in (FeedbackKind.SENT, FeedbackKind.REJECTED):
        assert step is None
    else:
        assert step == Step(NOON, StepKind(kind.value), "Permanent")


@given(st.integers(0, 10**15), st.sampled_from(StepKind), st.sampled_from(["", "email", "Permanent General"]))
def test_a_step_is_its_line(at: int, kind: StepKind, detail: str) -> None:
    assert Step.from_text(str(Step(at, kind, detail))) == Step(at, kind, detail)


def test_a_customers_history_is_in_the_order_of_time_whatever_the_message() -> None:
    early, late = Step(NOON, StepKind.DECIDED), Step(NOON + 1, StepKind.SENT, "sms")
    assert in_order({"b": [late, early, late], "a": [late]}) == [(early, "b"), (late, "a"), (late, "b")]


def test_what_is_held_back_or_ends_as_it_is_decided_says_so_in_its_first_steps() -> None:
    held = a_message().deferred(NOON + HOUR, Reason.ON_HOLD)
    assert [str(step)[28:] for step in first_steps(held)] == [
        "DECIDED",
        "DEFERRED ON_HOLD until 2026-03-04T13:00:00Z",
    ]
    assert [step.kind for step in first_steps(a_message().not_sent(Reason.CAPPED, NOON))] == [
        StepKind.DECIDED,
        StepKind.NOT_SENT,
    ]
