from __future__ import annotations

from collections.abc import Iterator

from foreword.app.release_due import MOST_TIME, WAKE_AGAIN_AFTER, Released, ReleaseDue
from foreword.domain.due import DUE_SHARDS, all_due_shards
from foreword.domain.facts import DEADLINE_REACHED, Fact
from foreword.domain.instants import HOUR, MINUTE
from foreword.domain.messages import READY_FOR, Message, MessageStatus
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Channel
from tests.fakes.customers import FakeClock, FakeJournal
from tests.fakes.delivery import FakeDueCustomers, FakeOutbox
from tests.fakes.samples import NOON, a_message


class Tick:
    def __init__(self) -> None:
        self.outbox, self.journal = FakeOutbox(), FakeJournal()
        self.customers, self.clock = FakeDueCustomers(), FakeClock(NOON)
        self.run = ReleaseDue(self.journal, self.customers, self.outbox, self.clock)

    def message(self, customer_id: str) -> Message:
        return self.outbox.messages[customer_id, a_message(customer_id).message_id]


def deferred(customer_id: str, until: int = NOON) -> Message:
    return a_message(customer_id).deferred(until, Reason.DEFERRED_QUIET_HOURS)


def calling(customer_id: str, since: int) -> Message:
    return a_message(customer_id).claimed("attempt-1", Channel.EMAIL, since)


def test_a_due_deadline_becomes_a_fact_in_the_journal_once() -> None:
    tick = Tick()
    tick.customers.deadlines = {"c-1": NOON - MINUTE, "c-2": NOON + MINUTE}
    assert tick.run() == Released(woken=1)
    assert tick.run() == Released(woken=0)
    assert list(tick.journal.facts.values()) == [
        Fact(
            "foreword",
            f"deadline/2026-03-04T11:59:00.000000Z/{NOON // WAKE_AGAIN_AFTER}",
            DEADLINE_REACHED,
            "c-1",
            NOON,
            NOON,
        )
    ]


def test_a_customer_who_stays_due_is_woken_again() -> None:
    tick = Tick()
    tick.customers.deadlines = {"c-1": NOON - MINUTE}
    tick.run()
    tick.clock.instant = NOON + WAKE_AGAIN_AFTER
    assert tick.run() == Released(woken=1)


def test_a_deferred_message_is_ready_when_its_time_has_come_and_not_before() -> None:
    tick = Tick()
    tick.outbox.add(deferred("c-1", NOON))
    tick.outbox.add(deferred("c-2", NOON + 1))
    assert tick.run() == Released(released=1)
    one, two = tick.message("c-1"), tick.message("c-2")
    assert (one.status, one.due_at, one.reason) == (MessageStatus.READY, NOON + READY_FOR, None)
    assert two.status is MessageStatus.DEFERRED


def test_a_ready_message_that_nobody_looked_at_is_put_on_its_way_again() -> None:
    tick = Tick()
    tick.outbox.add(a_message("c-1", due_at=NOON))
    tick.outbox.add(a_message("c-2", due_at=NOON + 1))
    assert tick.run() == Released(nudged=1)
    one, two = tick.message("c-1"), tick.message("c-2")
    assert (one.status, one.due_at) == (MessageStatus.READY, NOON + READY_FOR)
    assert one.version == two.version + 1, "a write that the stream tells of"


def test_each_tick_begins_at_another_shard_and_ends_before_its_time() -> None:
    firsts = []
    for minute in range(DUE_SHARDS):
        tick = Tick()
        tick.clock.instant = NOON + minute * MINUTE
        asked: list[str] = []

        def slow(
            shard: str, now: int, tick: Tick = tick, asked: list[str] = asked
        ) -> Iterator[tuple[str, str]]:
            asked.append(shard)
            tick.clock.instant += MOST_TIME // 2 + 1
            return iter(())

        tick.outbox.due = slow  # type: ignore[method-assign]
        assert tick.run() == Released(shards_left=DUE_SHARDS - 2)
        firsts.append(asked[0])
    assert sorted(firsts) == sorted(all_due_shards())


def test_a_claim_without_evidence_for_an_hour_is_unknown() -> None:
    tick = Tick()
    tick.outbox.add(calling("c-1", NOON - HOUR))
    tick.outbox.add(calling("c-2", NOON - HOUR + 1))
    assert tick.run() == Released(unknown=1)
    one, two = tick.message("c-1"), tick.message("c-2")
    assert (one.status, one.reason, one.closed_at) == (MessageStatus.UNKNOWN, Reason.UNKNOWN_OUTCOME, NOON)
    assert two.status is MessageStatus.CALLING


def test_twice_is_as_good_as_once() -> None:
    tick = Tick()
    tick.outbox.add(deferred("c-1"))
    tick.run()
    assert tick.run() == Released()


def test_an_index_that_lags_behind_its_item_does_no_harm() -> None:
    tick = Tick()
    sent = calling("c-1", NOON - HOUR).sent("ses-1", NOON)
    later = deferred("c-2", NOON + MINUTE)
    tick.outbox.add(sent)
    tick.outbox.add(later)
    everything = [(it.customer_id, it.message_id) for it in (sent, later, a_message("c-3"))]

    def lagging(shard: str, now: int) -> Iterator[tuple[str, str]]:
        return iter(everything)

    tick.outbox.due = lagging  # type: ignore[method-assign]
    assert tick.run() == Released()
    assert (tick.message("c-1"), tick.message("c-2")) == (sent, later)


def test_a_message_that_moved_meanwhile_is_left_alone() -> None:
    tick = Tick()
    tick.outbox.add(calling("c-1", NOON - HOUR))

    def evidence() -> None:
        tick.outbox.before_write = lambda: None
        tick.outbox.add(tick.message("c-1").sent("ses-1", NOON))

    tick.outbox.before_write = evidence
    assert tick.run() == Released()
    assert tick.message("c-1").status is MessageStatus.SENT


def test_one_items_failure_does_not_stop_the_others() -> None:
    tick = Tick()
    tick.customers.deadlines = {f"c-{number}": NOON - number for number in range(20)}
    for number in range(20):
        tick.outbox.add(deferred(f"c-{number}"))
    failures = iter([True, False, True])

    def sometimes() -> None:
        if next(failures, False):
            raise TimeoutError

    tick.outbox.before_write = sometimes
    assert tick.run() == Released(woken=20, released=18, failed=["TimeoutError"] * 2)
    assert tick.run() == Released(woken=0, released=2)


def test_an_index_that_cannot_be_read_does_not_stop_the_other() -> None:
    tick = Tick()
    tick.outbox.add(deferred("c-1"))

    def broken(shard: str, now: int) -> None:
        raise TimeoutError

    tick.customers.due = broken  # type: ignore[assignment,method-assign]
    assert tick.run() == Released(released=1, failed=["TimeoutError"] * 8)
