"""A handler is killed at each of its AWS calls in turn, before and after the call, and everything is redelivered.

Whatever is killed where: never two acceptances for one reason, nothing lost, every message in a terminal state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from foreword.local.cloud import LocalCloud
from foreword.local.faults import When
from foreword.local.records import Invocation, Record, SentMessage

EMAIL = {"email": "ada@example.com", "locale": "en", "timezone": "Europe/Berlin", "segment": "retail"}
PHONE = {"phone": "+4915112345678", "locale": "de", "timezone": "Europe/Berlin"}
Story = Callable[[LocalCloud, str], None]


def contacts(cloud: LocalCloud, customer: str, hour: int) -> None:
    """Three contacts on three days, the last at `hour` UTC."""
    cloud.emit("CustomerUpdated", customer, EMAIL, source="crm", id=f"{customer}/profile")
    for number in range(3):
        to_next = (24 + hour - cloud.now.hour) % 24 or 24
        cloud.advance(by=timedelta(hours=to_next))
        cloud.emit(
            "SupportContactOpened", customer, {"channel": "phone"}, source="support", id=f"{customer}/{number}"
        )


def sends_email(cloud: LocalCloud, customer: str) -> None:
    contacts(cloud, customer, hour=12)


def waits_for_the_morning(cloud: LocalCloud, customer: str) -> None:
    contacts(cloud, customer, hour=22)


def sends_sms_at_a_deadline(cloud: LocalCloud, customer: str) -> None:
    cloud.emit("CustomerUpdated", customer, PHONE, source="crm", id=f"{customer}/profile")
    cloud.emit("DiagnosisRecorded", customer, {"code": "E11"}, source="clinic", id=f"{customer}/diagnosis")
    cloud.advance(by=timedelta(days=14))


def is_refused(cloud: LocalCloud, customer: str) -> None:
    choice = {"topic": "care", "channel": "any", "choice": "out"}
    cloud.emit("PreferenceChanged", customer, choice, source="crm", id=f"{customer}/choice")
    contacts(cloud, customer, hour=12)


STORIES: dict[Story, tuple[int, set[str], int]] = {
    # story: how many AWS calls it makes undisturbed, how it may end, how many facts other services put in
    sends_email: (26, {"SENT", "UNKNOWN"}, 4),
    waits_for_the_morning: (46, {"SENT", "UNKNOWN"}, 4),
    sends_sms_at_a_deadline: (34, {"SENT", "UNKNOWN"}, 2),
    is_refused: (24, {"NOT_SENT"}, 5),
}
CASES = [
    pytest.param(story, call, when, id=f"{story.__name__}-{when}-{call}")
    for story, (calls, _, _) in STORIES.items()
    for call in range(1, calls + 1)
    for when in ("before", "after")
]


@pytest.fixture(scope="module")
def story(request: pytest.FixtureRequest) -> Story:
    told: Story = request.param
    return told


@pytest.fixture(scope="module")
def cloud(story: Story) -> Iterator[LocalCloud]:
    """One cloud for each story: every case is a customer of its own."""
    with LocalCloud(at="2026-01-05T10:00:00Z") as cloud:
        yield cloud


def tell(cloud: LocalCloud, story: Story, customer: str) -> list[Record]:
    """The story, and two days for whatever waits; returns what happened."""
    so_far = len(cloud.timeline)
    story(cloud, customer)
    cloud.advance(by=timedelta(days=2))
    return cloud.timeline[so_far:]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__, indirect=True)
def test_the_cases_cover_every_call_of_the_story(cloud: LocalCloud, story: Story) -> None:
    happened = tell(cloud, story, "undisturbed")
    calls = sum(len(record.aws_calls) for record in happened if isinstance(record, Invocation))
    assert calls == STORIES[story][0]


@pytest.mark.parametrize(("story", "call", "when"), CASES, indirect=["story"])
def test_nothing_is_sent_twice_or_lost(cloud: LocalCloud, story: Story, call: int, when: When) -> None:
    customer = f"{when}-{call}"
    cloud.faults.kill_any(call=call, when=when)
    happened = tell(cloud, story, customer)
    assert not cloud.faults.armed, "the call was never made"
    killed = [r for r in happened if isinstance(r, Invocation) and r.error is not None]
    assert len(killed) == 1

    _, ends, facts = STORIES[story]
    (message,) = [item for item in cloud.table("messages") if item["customer_id"] == customer]
    assert message["status"] in ends
    accepted = sum(isinstance(record, SentMessage) for record in happened)
    assert accepted <= 1
    if message["status"] != "UNKNOWN":
        assert accepted == (message["status"] == "SENT")
    journal = [item for item in cloud.table("activity") if item["customer_id"] == customer]
    assert sum(item["source"] != "foreword" for item in journal) == facts
    assert not cloud.dead_letters
    assert cloud.waiting() == 0
