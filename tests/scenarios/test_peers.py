"""Customers beside their peers, from the bus to the message, in the local cloud."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from foreword.domain import peers_closing
from foreword.domain.peers_closing import shard_of
from foreword.local.cloud import LocalCloud
from foreword.local.faults import When, service_error
from foreword.local.records import Invocation, Record
from tests.scenarios.peers_story import RULE, compared, values, written

START = "2026-03-02T09:00:00Z"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    with LocalCloud(at=START, **written(tmp_path)) as cloud:
        yield cloud


def reachable(cloud: LocalCloud, *customers: str, **attributes: str) -> None:
    for customer in customers:
        profile = {"email": f"{customer}@example.com", **attributes}
        cloud.emit("CustomerUpdated", customer, profile, source="crm")


def to_close(cloud: LocalCloud) -> None:
    """Midnight, and the time to settle."""
    midnight = (cloud.now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    cloud.advance(to=midnight + timedelta(minutes=6))


def closed(cloud: LocalCloud) -> float:
    return cloud.metrics(service="compare_peers")["PeriodsClosed"]


def test_only_who_changed_is_handed_to_the_road_day_by_day(cloud: LocalCloud) -> None:
    """Two cohorts of a dozen, one of two that is too small; five days."""
    random = Random(11)
    growth, bond = [f"g-{number}" for number in range(12)], [f"b-{number}" for number in range(11)]
    reachable(cloud, *growth)
    expected, true = [], dict.fromkeys((*growth, *bond), False)
    for _ in range(5):
        today = cloud.now.date().isoformat()
        for name, members in (("growth", growth), ("bond", bond)):
            own = {member: random.randrange(20) for member in random.sample(members, 9)}
            values(cloud, name, own)
            median = statistics.median(own.values())
            for member, value in sorted(own.items()):
                if true[member] != (value - median <= -5):
                    true[member] = not true[member]
                    expected.append((member, today, true[member]))
        values(cloud, "tiny", {"x": 1, "y": 100})
        to_close(cloud)
        cloud.advance(by=timedelta(hours=9))
    assert compared(cloud) == sorted(expected, key=lambda it: (it[1], it[0]))
    assert closed(cloud) == 5
    rises = [who for who, _, is_true in expected if is_true]
    assert len(rises) > 10
    assert sorted(message.to for message in cloud.sent) == sorted(
        f"{who}@example.com" for who in rises if who in growth
    )
    assert cloud.dead_letters == {}
    assert cloud.waiting() == 0


def test_the_message_says_how_far_behind_and_expires_from_the_close(cloud: LocalCloud) -> None:
    reachable(cloud, "a")
    values(cloud, "growth", {"a": 10, "b": 20.5, "c": 21})
    to_close(cloud)
    [message] = cloud.sent
    assert message.text == "You are at 10, -10.5 beside the others.\n"
    [item] = [item for item in cloud.messages if item["customer_id"] == "a"]
    assert item["decided_for"].startswith("2026-03-02T09:00:00")
    assert item["deliver_by"].startswith("2026-03-04T00:00:00")


def test_who_is_not_eligible_gets_nothing(cloud: LocalCloud) -> None:
    reachable(cloud, "a", segment="staff")
    values(cloud, "growth", {"a": 10, "b": 20, "c": 21})
    to_close(cloud)
    [item] = cloud.messages
    assert (item["customer_id"], item["reason"]) == ("a", "NOT_ELIGIBLE")
    assert cloud.sent == []


def test_a_second_tick_and_a_late_one_close_nothing_again(tmp_path: Path) -> None:
    with LocalCloud(at="2026-03-02T23:55:00Z", every_tick=True, **written(tmp_path)) as cloud:
        reachable(cloud, "a")
        values(cloud, "growth", {"a": 10, "b": 20, "c": 21})
        cloud.advance(to="2026-03-03T00:04:00Z")
        assert closed(cloud) == 0
        cloud.advance(to="2026-03-03T00:20:00Z")
        assert (closed(cloud), len(cloud.sent)) == (1, 1)
        assert cloud.metrics(service="release_due")["ClosesBegun"] == 1


def test_an_event_that_comes_after_the_close_changes_nothing_of_it(cloud: LocalCloud) -> None:
    reachable(cloud, "a", "d")
    values(cloud, "growth", {"a": 10, "b": 20, "c": 21})
    to_close(cloud)
    values(cloud, "growth", {"d": 1}, occurred_at="2026-03-02T23:00:00Z")
    cloud.advance(by=timedelta(hours=2))
    assert compared(cloud) == [("a", "2026-03-02", True)]
    assert [message.to for message in cloud.sent] == ["a@example.com"]


def test_an_event_that_comes_late_but_before_the_close_counts(cloud: LocalCloud) -> None:
    reachable(cloud, "a")
    values(cloud, "growth", {"a": 20, "b": 20, "c": 21})
    cloud.advance(to="2026-03-03T00:03:00Z")
    values(cloud, "growth", {"a": 10}, occurred_at="2026-03-02T23:59:00Z")
    values(cloud, "growth", {"b": 0}, occurred_at="2026-03-02T08:00:00Z")  # b's last one stays 20
    cloud.advance(to="2026-03-03T00:06:00Z")
    assert compared(cloud) == [("a", "2026-03-02", True)]


def test_a_value_whose_event_was_taken_back_is_compared_with_nothing(cloud: LocalCloud) -> None:
    values(cloud, "growth", {"a": 10, "b": 20, "c": 21, "e": 12})
    own = {"class": "growth"}
    cloud.emit("FundValued", "d", {"value": 1, **own}, source="portfolio", id="d/1")
    cloud.emit("FundValued", "e", {"value": 2, **own}, source="portfolio", id="e/2")
    for customer, taken_back in (("d", "d/1"), ("e", "e/2")):
        cloud.emit("FundValueWithdrawn", customer, source="portfolio", retracts=taken_back)
    to_close(cloud)
    assert compared(cloud) == [("a", "2026-03-02", True)], "d has no value, and e again the one before"


def test_periods_that_nobody_closed_are_closed_one_after_the_other(tmp_path: Path) -> None:
    hourly = written(tmp_path, RULE.replace("period: 1d", "period: 1h"))
    with LocalCloud(at=START, **hourly) as cloud:
        cloud.faults.fail(
            "sqs",
            "SendMessageBatch",
            error=service_error("ServiceUnavailable", 503),
            times=10_000,
            function="release_due",
        )
        for own in (10, 20, 10):
            values(cloud, "growth", {"a": own, "b": 20, "c": 21})
            cloud.advance(by=timedelta(hours=1))
        assert (closed(cloud), compared(cloud)) == (0, [])
        cloud.faults.clear()
        cloud.advance(by=timedelta(hours=1))
        assert closed(cloud) == 3
        assert [is_true for _, _, is_true in compared(cloud)] == [True, False, True]


def test_a_store_that_is_down_for_an_hour_delays_a_close_and_loses_nothing(cloud: LocalCloud) -> None:
    reachable(cloud, "a")
    values(cloud, "growth", {"a": 10, "b": 20, "c": 21})
    throttled = service_error("ProvisionedThroughputExceededException")
    cloud.faults.fail("dynamodb", "Query", error=throttled, times=100_000, function="compare_peers")
    cloud.advance(to="2026-03-03T01:00:00Z")
    assert compared(cloud) == []
    cloud.faults.clear()
    cloud.advance(to="2026-03-03T03:00:00Z")
    assert compared(cloud) == [("a", "2026-03-02", True)]
    assert [message.to for message in cloud.sent] == ["a@example.com"]


# Killed at every call.


def named(prefix: str, shard: str) -> str:
    """A customer of that shard."""
    return next(name for name in (f"{prefix}-{number}" for number in range(1000)) if shard_of(name) == shard)


@pytest.fixture(scope="module")
def small_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """With two shards, so that a close makes few calls; its first ticks, which reach all customers, are over."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(peers_closing, "SHARDS", 2)
        folder = tmp_path_factory.mktemp("peers")
        with LocalCloud(at="2026-01-05T10:00:00Z", **written(folder)) as cloud:
            for _ in range(2):
                values(cloud, "first", {"first": 1})
                cloud.advance(by=timedelta(days=1))
            yield cloud


class TestKilledAtEveryCallOfAClose:
    """Each case is a cohort of its own, on a day of its own: one behind, one in the same shard, one in another.

    Nobody can be reached: the killing of what sends is tested elsewhere.
    """

    calls = 76

    def prepared(self, small_cloud: LocalCloud, case: str) -> str:
        """The values of a day; gives who is behind."""
        behind, near, far = named(f"{case}-a", "0"), named(f"{case}-b", "0"), named(f"{case}-c", "1")
        values(small_cloud, named(f"{case}-class", "1"), {behind: 10, near: 20, far: 21})
        return behind

    def close(self, small_cloud: LocalCloud) -> list[Record]:
        so_far = len(small_cloud.timeline)
        to_close(small_cloud)
        small_cloud.advance(by=timedelta(hours=10))
        return small_cloud.timeline[so_far:]

    def test_the_cases_cover_every_call(self, small_cloud: LocalCloud) -> None:
        self.prepared(small_cloud, "undisturbed")
        happened = self.close(small_cloud)
        made = [record.aws_calls for record in happened if isinstance(record, Invocation)]
        assert sum(map(len, made)) == self.calls

    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize("call", range(1, calls + 1))
    def test_it_ends_as_if_nothing_had_been(self, small_cloud: LocalCloud, call: int, when: When) -> None:
        behind = self.prepared(small_cloud, f"{when}-{call}")
        day = small_cloud.now.date().isoformat()
        small_cloud.faults.kill_any(call=call, when=when)
        happened = self.close(small_cloud)
        assert not small_cloud.faults.armed, "the call was never made"
        assert len([r for r in happened if isinstance(r, Invocation) and r.error is not None]) == 1

        assert [one for one in compared(small_cloud) if one[1] == day] == [(behind, day, True)]
        [message] = [item for item in small_cloud.messages if item["customer_id"] == behind]
        assert message["reason"] == "NO_ADDRESS"
        true = [item for item in small_cloud.table("peers") if item["part"].startswith("true/")]
        assert [item["is_true"] for item in true if item["item"] == behind] == [True]
        closes = [item for item in small_cloud.table("peers") if item["part"] == "close/behind"]
        assert not [item for item in closes if "due_at" in item]
        assert not small_cloud.dead_letters
        assert small_cloud.waiting() == 0
