from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from foreword.app.record_activity import RecordActivity, Recorded
from foreword.domain.errors import CustomerErased, InvalidEvent
from foreword.domain.facts import Fact
from foreword.domain.instants import Instant
from foreword.domain.outgoing import OutgoingEvent
from tests.fakes.customers import FakeClock, FakeJournal


@dataclass
class FakeQuarantine:
    kept: list[tuple[str, str]] = field(default_factory=list)

    def put(self, body: str, error: InvalidEvent) -> None:
        self.kept.append((body, error.reason))


@dataclass
class FakeBus:
    events: list[OutgoingEvent] = field(default_factory=list)

    def put(self, events: Sequence[OutgoingEvent]) -> None:
        self.events += events


@dataclass
class FakeErased:
    customers: set[str] = field(default_factory=set)

    def is_erased(self, customer_id: str) -> bool:
        return customer_id in self.customers


@dataclass
class Intake:
    clock: FakeClock = field(default_factory=lambda: FakeClock(1_000_000))
    journal: FakeJournal = field(default_factory=FakeJournal)
    quarantine: FakeQuarantine = field(default_factory=FakeQuarantine)
    bus: FakeBus = field(default_factory=FakeBus)
    erased: FakeErased = field(default_factory=FakeErased)

    def use_case(self) -> RecordActivity:
        return RecordActivity(
            self.clock, parse, customer_of, self.journal, self.quarantine, self.bus, self.erased
        )


def parse(body: str, received_at: Instant) -> Fact:
    if body.startswith("bad"):
        raise InvalidEvent("MISSING_FIELD", "detail.id is missing")
    return Fact("test", body, "A", "c-1", 0, received_at)


def customer_of(body: str) -> str | None:
    return "c-1" if body == "bad but named" else None


def test_an_event_is_accepted_once_and_known_from_then_on() -> None:
    intake = Intake()
    record = intake.use_case()
    assert [record("a").outcome, record("a").outcome] == [Recorded.ACCEPTED, Recorded.DUPLICATE]
    assert len(intake.journal.facts) == 1


def test_events_of_one_instant_keep_the_order_they_came_in() -> None:
    intake = Intake()
    record = intake.use_case()
    for body in "cab":
        record(body)
    received = sorted(intake.journal.facts.values(), key=lambda fact: fact.received_at)
    assert [fact.id for fact in received] == ["c", "a", "b"]
    assert len({fact.received_at for fact in received}) == 3


def test_receipts_follow_the_clock_when_it_is_set_back() -> None:
    intake = Intake()
    record = intake.use_case()
    intake.clock.instant = 100_000_000
    record("a")
    intake.clock.instant = 1_000_000
    record("b")
    assert intake.journal.facts["c-1", "test#b"].received_at == 1_000_000


def test_a_bad_event_is_kept_as_it_came_and_its_customer_is_told_of() -> None:
    intake = Intake()
    receipt = intake.use_case()("bad but named")
    assert (receipt.outcome, receipt.reason) == (Recorded.QUARANTINED, "MISSING_FIELD")
    assert intake.quarantine.kept == [("bad but named", "MISSING_FIELD")]
    (event,) = intake.bus.events
    assert (event.type, event.customer_id) == ("EventRejected", "c-1")
    assert event.data == {"reason": "MISSING_FIELD"}, "the sentence may quote an address"


def test_the_same_bad_event_is_told_under_the_same_id() -> None:
    intake = Intake()
    record = intake.use_case()
    record("bad but named")
    record("bad but named")
    assert len({event.id for event in intake.bus.events}) == 1


def test_a_bad_event_that_names_nobody_is_quarantined_all_the_same() -> None:
    intake = Intake()
    intake.use_case()("bad")
    assert (len(intake.quarantine.kept), intake.bus.events) == (1, [])


def test_a_store_that_fails_is_not_the_events_fault() -> None:
    @dataclass
    class Broken(FakeJournal):
        def add(self, fact: Fact) -> bool:
            raise ConnectionError

    intake = Intake(journal=Broken())
    with pytest.raises(ConnectionError):
        intake.use_case()("a")
    assert intake.quarantine.kept == []


@pytest.mark.parametrize("body", ["good", "bad but named"])
def test_what_comes_of_an_erased_customer_is_refused_and_kept_nowhere(body: str) -> None:
    intake = Intake()
    intake.erased.customers.add("c-1")
    assert intake.use_case()(body).outcome is Recorded.ERASED
    assert (intake.journal.facts, intake.quarantine.kept, intake.bus.events) == ({}, [], [])


def test_a_profile_that_was_erased_a_moment_ago_is_not_written_again() -> None:
    intake = Intake()

    def refuse(fact: Fact) -> bool:
        raise CustomerErased

    intake.journal.add = refuse  # type: ignore[method-assign]  # as the tables do
    assert intake.use_case()("good").outcome is Recorded.ERASED
