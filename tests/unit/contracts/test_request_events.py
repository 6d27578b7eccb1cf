from __future__ import annotations

import json
from typing import Any

import pytest

from foreword.adapters.event_bus import entry_of
from foreword.contracts.request_events import read_request_event
from foreword.domain.feedback import Feedback, FeedbackKind
from foreword.domain.outgoing import request_event
from foreword.domain.rulebook import Channel
from tests.fakes.samples import CUSTOMER, NOON, a_message


def brought(**changes: Any) -> dict[str, Any]:
    """As the bus brings what `RequestBus` put there."""
    entry = entry_of(request_event(a_message(), Channel.TASK, NOON), "foreword-dev")
    event = {
        "id": "7f3c",
        "source": entry["Source"],
        "detail-type": entry["DetailType"],
        "detail": json.loads(entry["Detail"]),
    }
    return event | changes


def test_the_bus_brings_back_that_it_took_the_task() -> None:
    assert read_request_event(brought()) == Feedback(
        FeedbackKind.SENT,
        CUSTOMER,
        a_message().message_id,
        "7f3c",
        NOON,
        "2026-03-04T12:00:00Z",
        Channel.TASK,
    )


@pytest.mark.parametrize(
    "event",
    [
        None,
        {},
        brought(source="shop"),
        brought(**{"detail-type": "MessageSent"}),
        brought(id=None),
        brought(detail={}),
        brought(detail={**brought()["detail"], "occurred_at": "soon"}),
        brought(detail={**brought()["detail"], "data": {"message_id": "m-1"}}),
    ],
)
def test_anything_else_is_no_evidence(event: Any) -> None:
    assert read_request_event(event) is None
