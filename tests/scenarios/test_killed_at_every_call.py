"""A handler is killed at each of its AWS calls in turn, before and after the call, and everything is redelivered.

Whatever is killed where: never two acceptances for one reason, nothing lost, every message in a terminal state.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import timedelta

import pytest

from foreword.local.cloud import LocalCloud
from foreword.local.faults import When
from foreword.local.records import Invocation, Record, SentMessage

EMAIL = {"email": "ada@example.com", "locale": "en", "timezone": "Europe/Berlin", "segment": "retail"}
PHONE = {"phone": "+4915112345678", "locale": "de", "timezone": "Europe/Berlin"}


def contacts(cloud: LocalCloud, customer: str, hour: int) -> None:
    """Three contacts on three days, the last at `hour` UTC."""
    cloud.emit("CustomerUpdated", customer, EMAIL, source="crm", id=f"{customer}/profile")
    for number in range(3):
        to_next = (24 + hour - cloud.now.hour) % 24 or 24
        cloud.advance(by=timedelta(hours=to_next))
        cloud.emit(
            "SupportContactOpened",
            customer,
            {"channel": "phone"},
            source="support",
            id=f"{customer}/{number}",
        )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "call" in metafunc.fixturenames:
        calls = range(1, metafunc.cls.calls + 1)
        cases = [(call, when) for call in calls for when in ("before", "after")]
        metafunc.parametrize(("call", "when"), cases, ids=[f"{when}-{call}" for call, when in cases])


@pytest.fixture(scope="class")
def cloud() -> Iterator[LocalCloud]:
    """One cloud for each story: every case is a customer of its own, and none meets functions that are cold."""
    with LocalCloud(at="2026-01-05T10:00:00Z") as cloud:
        # Two nights: at the second tick the rulebook has reached everybody.
        for earlier in ("earlier", "later"):
            contacts(cloud, earlier, hour=21)
            cloud.advance(by=timedelta(days=2))
        cloud.advance(to="2026-01-15T10:00:00Z")
        yield cloud


class KilledAtEveryCall(ABC):
    """`calls`: how many AWS calls the story makes undisturbed; `facts`: how many other services put in."""

    calls: int
    facts: int
    ends = frozenset({"SENT", "UNKNOWN"})

    @abstractmethod
    def story(self, cloud: LocalCloud, customer: str) -> None: ...

    def tell(self, cloud: LocalCloud, customer: str) -> list[Record]:
        """The story, and two days for whatever waits; returns what happened."""
        so_far = len(cloud.timeline)
        self.story(cloud, customer)
        cloud.advance(by=timedelta(days=2))
        return cloud.timeline[so_far:]

    def test_the_cases_cover_every_call(self, cloud: LocalCloud) -> None:
        happened = self.tell(cloud, "undisturbed")
        assert (
            sum(len(record.aws_calls) for record in happened if isinstance(record, Invocation)) == self.calls
        )

    def test_nothing_is_sent_twice_or_lost(self, cloud: LocalCloud, call: int, when: When) -> None:
        customer = f"{when}-{call}"
        cloud.faults.kill_any(call=call, when=when)
        happened = self.tell(cloud, customer)
        assert not cloud.faults.armed, "the call was never made"
        killed = [r for r in happened if isinstance(r, Invocation) and r.error is not None]
        assert len(killed) == 1

        (message,) = [item for item in cloud.messages if item["customer_id"] == customer]
        assert message["status"] in self.ends
        accepted = sum(isinstance(record, SentMessage) for record in happened)
        assert accepted <= 1
        if message["status"] != "UNKNOWN":
            assert accepted == (message["status"] == "SENT")
        journal = [item for item in cloud.table("activity") if item["customer_id"] == customer]
        assert sum(item["source"] != "foreword" for item in journal) == self.facts
        assert not cloud.dead_letters
        assert cloud.waiting() == 0


class TestAnEmail(KilledAtEveryCall):
    calls, facts = 22, 4

    def story(self, cloud: LocalCloud, customer: str) -> None:
        contacts(cloud, customer, hour=12)


class TestAnEmailThatWaitsForTheMorning(KilledAtEveryCall):
    calls, facts = 43, 4

    def story(self, cloud: LocalCloud, customer: str) -> None:
        contacts(cloud, customer, hour=22)


class TestATextMessageAtADeadline(KilledAtEveryCall):
    calls, facts = 33, 2

    def story(self, cloud: LocalCloud, customer: str) -> None:
        cloud.emit("CustomerUpdated", customer, PHONE, source="crm", id=f"{customer}/profile")
        cloud.emit(
            "DiagnosisRecorded", customer, {"code": "E11"}, source="clinic", id=f"{customer}/diagnosis"
        )
        cloud.advance(by=timedelta(days=14))


class TestARefusal(KilledAtEveryCall):
    calls, facts = 24, 5
    ends = frozenset({"NOT_SENT"})

    def story(self, cloud: LocalCloud, customer: str) -> None:
        choice = {"topic": "care", "channel": "any", "choice": "out"}
        cloud.emit("PreferenceChanged", customer, choice, source="crm", id=f"{customer}/choice")
        contacts(cloud, customer, hour=12)
