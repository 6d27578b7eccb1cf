"""A handler is killed at each of its AWS calls in turn, before and after the call, and everything is redelivered.

Whatever is killed where: never two acceptances for one reason, nothing lost, every message in a terminal state.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import timedelta

import pytest

from foreword.local.cloud import LocalCloud
from foreword.local.faults import When
from foreword.local.records import Invocation, Record, SentMessage, TableChange

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
        if "FOREWORD_EVERY_CALL" not in os.environ:
            cases = cases[:: metafunc.cls.tried]
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
    """`calls`: how many AWS calls the story makes undisturbed; `facts`: how many other services put in.

    `tried`: one case in so many is, unless FOREWORD_EVERY_CALL is set.
    """

    calls: int
    facts: int
    tried = 1
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

        self.check(cloud, customer, happened)
        journal = [item for item in cloud.table("activity") if item["customer_id"] == customer]
        assert sum(item["source"] != "foreword" for item in journal) == self.facts
        assert not cloud.dead_letters
        assert not cloud.quarantined
        assert cloud.waiting() == 0

    def check(self, cloud: LocalCloud, customer: str, happened: list[Record]) -> None:
        """What must be true of the customer's messages in the end."""
        (message,) = [item for item in cloud.messages if item["customer_id"] == customer]
        assert message["status"] in self.ends
        accepted = sum(isinstance(record, SentMessage) for record in happened)
        assert accepted <= 1
        if message["status"] != "UNKNOWN":
            assert accepted == (message["status"] == "SENT")


class TestAnEmail(KilledAtEveryCall):
    calls, facts = 29, 4

    def story(self, cloud: LocalCloud, customer: str) -> None:
        contacts(cloud, customer, hour=12)


class TestAnEmailThatWaitsForTheMorning(KilledAtEveryCall):
    calls, facts = 62, 4

    def story(self, cloud: LocalCloud, customer: str) -> None:
        contacts(cloud, customer, hour=22)


class TestATextMessageAtADeadline(KilledAtEveryCall):
    calls, facts = 55, 2

    def story(self, cloud: LocalCloud, customer: str) -> None:
        cloud.emit("CustomerUpdated", customer, PHONE, source="crm", id=f"{customer}/profile")
        cloud.emit(
            "DiagnosisRecorded", customer, {"code": "E11"}, source="clinic", id=f"{customer}/diagnosis"
        )
        cloud.advance(by=timedelta(days=14))


class TestARefusal(KilledAtEveryCall):
    calls, facts = 23, 5
    ends = frozenset({"NOT_SENT"})

    def story(self, cloud: LocalCloud, customer: str) -> None:
        choice = {"topic": "care", "channel": "any", "choice": "out"}
        cloud.emit("PreferenceChanged", customer, choice, source="crm", id=f"{customer}/choice")
        contacts(cloud, customer, hour=12)


POLICY = """
quiet_hours: {from: "20:00", to: "09:00"}
frequency_caps:
  - {purpose: any, channel: email, at_most: 2, within: 2d}
open_cases:
  - {opened: ComplaintOpened, closed: ComplaintResolved, by: event.data.complaint_id, hold: [marketing]}
consent: {marketing: opt-out, service: opt-out}
"""
RULE = """
rule: {name}
why: For the story below.
owner: tests
mode: live
signals:
  asked: {{each: {event}}}
when: 'asked'
re_eligible_after: none
exceptions: [Settled]
send:
  message: {name}
  purpose: {purpose}
  topic: care
  channels: [email]
  expires_after: 24h
"""
TEXTS = {"subject.txt": "A word", "email.txt": "A word.", "email.html": "<p>A word.</p>"}


class TestAHoldACapADeferralAndAnException(KilledAtEveryCall):
    """Held and released, sent; deferred and displaced; deferred and called off; capped; deferred and sent."""

    calls, facts, tried = 112, 10, 9
    reasons = ("SENT", "LOST_ARBITRATION", "CANCELLED_BY_EXCEPTION", "CAPPED", "SENT")

    @pytest.fixture(scope="class")
    @classmethod
    def cloud(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
        folder = tmp_path_factory.mktemp("rulebook")
        (folder / "rulebook" / "rules").mkdir(parents=True)
        (folder / "rulebook" / "policy.yaml").write_text(POLICY, encoding="utf-8")
        for name, event, purpose in (("nudge", "Nudged", "marketing"), ("care", "Asked", "service")):
            rule = RULE.format(name=name, event=event, purpose=purpose)
            (folder / "rulebook" / "rules" / f"{name}.yaml").write_text(rule, encoding="utf-8")
            (folder / "messages" / name).mkdir(parents=True)
            for file, text in TEXTS.items():
                (folder / "messages" / name / file).write_text(text, encoding="utf-8")
        with LocalCloud(
            at="2026-01-05T10:00:00Z", rulebook=folder / "rulebook", messages=folder / "messages"
        ) as cloud:
            for earlier in ("earlier", "later"):
                cls().tell(cloud, earlier)
            cloud.advance(to="2026-01-15T10:00:00Z")
            yield cloud

    def story(self, cloud: LocalCloud, customer: str) -> None:
        def at(time: str, type: str, **data: str) -> None:
            hour, minute = (int(part) for part in time.split(":"))
            wait = timedelta(hours=hour - cloud.now.hour, minutes=minute - cloud.now.minute)
            cloud.advance(by=wait % timedelta(days=1))
            cloud.emit(type, customer, data, source="story", id=f"{customer}/{type}/{time}")

        at("11:00", "CustomerUpdated", **{**EMAIL, "timezone": "UTC"})
        at("11:30", "ComplaintOpened", complaint_id="1")
        at("12:30", "Nudged")
        at("13:30", "ComplaintResolved", complaint_id="1")
        at("21:00", "Nudged")
        at("21:30", "Asked")
        at("22:15", "Asked")
        at("23:00", "Settled")
        at("23:30", "Nudged")
        at("23:55", "ComplaintResolved", complaint_id="unknown")

    def check(self, cloud: LocalCloud, customer: str, happened: list[Record]) -> None:
        messages = sorted(
            (item for item in cloud.messages if item["customer_id"] == customer),
            key=lambda item: item["decided_for"],
        )
        assert len(messages) == 5
        assert {message["status"] for message in messages} <= {"SENT", "NOT_SENT", "UNKNOWN"}
        for message, reason in zip(messages, self.reasons, strict=True):
            assert message["reason"] in (reason, "UNKNOWN_OUTCOME")
        waited_for = {(it.new or {}).get("reason") for it in happened if isinstance(it, TableChange)}
        assert waited_for >= {"ON_HOLD", "DEFERRED_QUIET_HOURS"}
        by_message = [record.tags["message_id"] for record in happened if isinstance(record, SentMessage)]
        assert len(by_message) == len(set(by_message)) <= 2
        known = {message["message_id"] for message in messages if message["status"] == "SENT"}
        assert known <= set(by_message)
        may_have_gone_out = {it["message_id"] for it in messages if it["status"] != "NOT_SENT"}
        assert len(may_have_gone_out) <= 2
        assert places(cloud, customer) == may_have_gone_out


def places(cloud: LocalCloud, customer: str) -> set[str]:
    """The messages that hold a place in the customer's cap ledger."""
    ledgers = [it for it in cloud.table("messages") if it["message_id"].startswith(" ")]
    (ledger,) = [item for item in ledgers if item["customer_id"] == customer]
    return {name.removeprefix("place#") for name in ledger if name.startswith("place#")}
