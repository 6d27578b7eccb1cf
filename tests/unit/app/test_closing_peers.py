"""The close of a period from its first value to the facts, over stores in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from itertools import count, cycle, islice
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreword.app import count_peers
from foreword.app.close_periods import ClosePeriods, Closing
from foreword.app.compare_peers import ComparePeers, Worked
from foreword.app.keep_peer_values import MOST_BYTES, KeepPeerValues
from foreword.app.ports import Frozen
from foreword.domain.core import Core
from foreword.domain.facts import PEERS_COMPARED, Fact
from foreword.domain.instants import DAY, HOUR, MINUTE
from foreword.domain.peer_values import PeerValue
from foreword.domain.peers import comparisons, peers_decisions
from foreword.domain.peers_closing import (
    LOOK_AGAIN_AFTER,
    Close,
    Stage,
    Step,
    Truth,
    Work,
    all_shards,
    shard_of,
)
from foreword.domain.peers_lines import value_line, value_of
from foreword.domain.peers_selection import tell
from foreword.domain.rulebook import Rule, Rulebook
from tests.fakes.customers import FakeClock
from tests.fakes.peers import FakeFacts, FakePeerCloses, FakePeerStore, FakeWorkQueue, nothing
from tests.unit.domain.test_peers import a_rule, value

SETTLE = 5 * MINUTE


class Crash(Exception):
    """The process ends here."""


def crash(*_: object) -> None:
    raise Crash


@dataclass
class World:
    """Values are kept by `keep`, ticks come by `tick`, and the queue is worked off by `work`."""

    rule: Rule = field(default_factory=a_rule)
    clock: FakeClock = field(default_factory=lambda: FakeClock(0))
    closes: FakePeerCloses = field(default_factory=FakePeerCloses)
    store: FakePeerStore = field(default_factory=FakePeerStore)
    queue: FakeWorkQueue = field(default_factory=FakeWorkQueue)
    journal: FakeFacts = field(default_factory=FakeFacts)

    def __post_init__(self) -> None:
        self.rulebook = Rulebook(generation="g1", rules=(self.rule,))
        self.core = Core(self.rulebook)
        self.keeper = self.new_keeper()
        self.versions = count(1)

    def new_keeper(self) -> KeepPeerValues:
        found = comparisons(self.rulebook.rules)
        return KeepPeerValues(found, SETTLE, self.clock, self.closes, self.store)

    def close_of(self, day: int) -> Close:
        return comparisons(self.rulebook.rules)[self.rule.rule].close_of(day * DAY)

    def keep(self, values: Iterable[PeerValue]) -> None:
        """Each at its own time, as evaluate_triggers does."""
        for one in values:
            self.clock.instant = max(self.clock.instant, one.at)
            self.keeper.put(one.customer_id, [one], next(self.versions))

    def tick(self) -> Closing:
        found = comparisons(self.rulebook.rules)
        return ClosePeriods(found, self.closes, self.queue, self.clock)()

    def worker(self) -> ComparePeers:
        found = comparisons(self.rulebook.rules)
        stores = (self.closes, self.store, self.journal, self.queue, self.clock)
        return ComparePeers(self.core, found, *stores)

    def work(self, pick: Callable[[int], int] = lambda _: 0) -> Worked:
        """Until nothing waits; what a crash interrupts comes again."""
        done = Worked()
        while self.queue.waiting:
            work = self.queue.waiting.pop(pick(len(self.queue.waiting)))
            try:
                worked = self.worker()(work)
            except Crash:
                self.queue.waiting.append(work)
                continue
            done.compared += worked.compared
            done.changed += worked.changed
            done.closed |= worked.closed
        return done

    def over(self, day: int) -> None:
        """The day is over, and settled."""
        self.clock.instant = max(self.clock.instant, (day + 1) * DAY + SETTLE)

    def close(self, day: int) -> Worked:
        self.over(day)
        self.tick()
        return self.work()

    @property
    def facts(self) -> list[tuple[str, str, bool]]:
        """(customer, period, true) in the order they were added."""
        return [
            (fact.customer_id, str(fact.data["period"])[:10], fact.data["true"])
            for fact in self.journal.added.values()
        ]

    def crash_at(self, number: int) -> None:
        """At the `number`-th of the points before and after writes, from now on."""
        left = count(number, -1)

        def around() -> None:
            if next(left) == 1:
                raise Crash

        for part in (self.closes, self.store, self.queue, self.journal):
            part.around = around


def changed(world: World) -> World:
    """The same stores, by another definition of the rule."""
    rule = a_rule().model_copy(update={"digest": "another"})
    return World(rule, world.clock, world.closes, world.store, world.queue)


def day(number: int, **own: int) -> list[PeerValue]:
    return [value(customer_id, number * DAY + 8 * HOUR, one) for customer_id, one in own.items()]


BEHIND = {"a": 10, "b": 20, "c": 21}
EVEN = {"a": 20, "b": 20, "c": 21}


def test_who_changed_is_handed_to_the_road_with_all_that_was_compared() -> None:
    world = World()
    world.keep(day(0, **BEHIND))
    assert world.close(0) == Worked(compared=3, changed=1, closed=True)
    [fact] = world.journal.added.values()
    assert fact == Fact(
        source="foreword",
        id="peers/behind/behind/1970-01-01T00:00:00.000000Z",
        type=PEERS_COMPARED,
        customer_id="a",
        occurred_at=DAY,
        received_at=DAY + SETTLE,
        data={
            "rule": "behind",
            "period": "1970-01-01T00:00:00.000000Z",
            "at": "1970-01-01T08:00:00.000000Z",
            "true": True,
            "value": 10,
            "statistic": Decimal(20),
            "cohort": '"a',
            "members": 3,
            "signals": {"value": 10, "behind": Decimal(-10)},
            "profile": {},
        },
    )


def test_only_who_changed_since_the_period_before_is_handed_on() -> None:
    world = World()
    for number, own in enumerate((BEHIND, BEHIND, EVEN, BEHIND)):
        world.keep(day(number, **own))
        world.close(number)
    assert world.facts == [("a", "1970-01-01", True), ("a", "1970-01-03", False), ("a", "1970-01-04", True)]


def test_what_comes_after_the_close_does_not_reopen_it() -> None:
    world = World()
    world.keep(day(0, **BEHIND))
    world.over(0)
    world.keeper.put("b", [value("b", 9 * HOUR, 1)], 100)
    world.keeper.put("d", [value("d", 9 * HOUR, 1)], 100)
    world.tick()
    world.work()
    world.keeper.put("d", [value("d", 9 * HOUR, 1)], 101)
    world.new_keeper().put("d", [value("d", 9 * HOUR, 1)], 102)
    world.clock.instant += HOUR
    assert (world.tick(), world.work()) == (Closing(), Worked())
    assert world.facts == [("a", "1970-01-01", True)]
    assert len(world.closes.known) == 1


def test_what_comes_while_settling_counts() -> None:
    world = World()
    world.keep(day(0, **BEHIND))
    world.clock.instant = DAY + SETTLE - 1
    world.keeper.put("a", [value("a", DAY - 1, 20)], 100)
    world.close(0)
    assert world.facts == []


def test_a_shard_stays_as_it_was_frozen_though_its_part_is_worked_on_again() -> None:
    world = World()
    world.keep(day(0, **BEHIND))
    world.over(0)
    world.tick()
    first = next(work for work in world.queue.waiting if work.part == shard_of("a"))
    world.closes.around = crash
    with pytest.raises(Crash):
        world.worker()(first)
    world.closes.around = nothing
    beside = (name for number in count() for name in (f"Z{number}", f"z{number}"))
    for late in islice((name for name in beside if shard_of(name) == shard_of("a")), 4):
        line = value_line(value(late, 8 * HOUR, 0))
        world.store.put_value(world.close_of(0), late, line, 1000)
    world.work()
    assert [(fact.customer_id, fact.data["members"]) for fact in world.journal.added.values()] == [("a", 3)]


def test_a_shard_without_values_stays_without() -> None:
    world = World()
    world.keep(day(0, **BEHIND))
    world.over(0)
    world.tick()
    empty = next(work for work in world.queue.waiting if work.part not in map(shard_of, "abc"))
    world.worker()(empty)
    late = next(name for name in map(str, count()) if shard_of(name) == empty.part)
    world.store.put_value(world.close_of(0), late, value_line(value(late, 8 * HOUR, 0)), 1000)
    before = world.closes.known[world.close_of(0)]
    world.closes.known[world.close_of(0)] = replace(before, left=before.left | {empty.part})
    world.worker()(empty)
    assert world.closes.known[world.close_of(0)].shards == frozenset()


def test_a_second_tick_begins_nothing_again() -> None:
    world = World()
    world.keep(day(0, **BEHIND))
    world.over(0)
    assert world.tick() == Closing(begun=1)
    assert world.tick() == Closing()
    assert len(world.queue.waiting) == len(all_shards())


def test_nothing_begins_before_the_period_has_settled() -> None:
    world = World()
    world.keep(day(0, **BEHIND))
    world.clock.instant = DAY + SETTLE - 1
    assert world.tick() == Closing()
    world.clock.instant += 1
    assert world.tick() == Closing(begun=1)


def test_parts_that_are_left_are_handed_out_again_after_a_while() -> None:
    world = World()
    world.keep(day(0, **BEHIND))
    world.over(0)
    world.tick()
    for work in world.queue.waiting[:5]:
        world.worker()(work)
    world.queue.waiting.clear()
    world.clock.instant += LOOK_AGAIN_AFTER - 1
    assert world.tick() == Closing()
    world.clock.instant += 1
    assert world.tick() == Closing(handed_out_again=1)
    assert len(world.queue.waiting) == len(all_shards()) - 5
    assert world.tick() == Closing()
    world.work()
    assert world.facts == [("a", "1970-01-01", True)]


def test_a_stage_whose_last_worker_died_goes_on_by_the_tick() -> None:
    world = World()
    world.keep(day(0, **BEHIND))
    world.over(0)
    world.tick()
    close = world.close_of(0)
    *others, last = world.queue.waiting
    for work in others:
        world.worker()(work)
    world.closes.finish(last)
    world.queue.waiting.clear()
    world.clock.instant += LOOK_AGAIN_AFTER
    assert world.closes.known[close].left == frozenset()
    assert world.tick() == Closing(handed_out_again=1)
    world.work()
    assert world.closes.known[close].is_closed


def test_a_later_period_waits_for_the_one_before() -> None:
    world = World()
    for number in range(3):
        world.keep(day(number, **(EVEN if number == 1 else BEHIND)))
    world.over(2)
    assert world.tick() == Closing(begun=1)
    assert {work.close.period for work in world.queue.waiting} == {0}
    assert world.tick() == Closing()
    for number in range(3):
        world.work()
        assert world.tick().begun == (number < 2)
    assert world.facts == [("a", "1970-01-01", True), ("a", "1970-01-02", False), ("a", "1970-01-03", True)]


def test_an_earlier_period_that_turns_up_too_late_is_not_compared_any_more() -> None:
    world = World()
    world.keep(day(1, **EVEN))
    world.close(1)
    world.closes.register(world.close_of(0), DAY + SETTLE)
    for one in day(0, **BEHIND):
        world.store.put_value(world.close_of(0), one.customer_id, value_line(one), 1)
    assert (world.tick(), world.work()) == (Closing(withdrawn=1), Worked())
    assert world.closes.known[world.close_of(0)].is_closed
    assert world.tick() == Closing()


def test_a_close_by_another_definition_of_the_rule_is_left_alone() -> None:
    world = World()
    world.keep(day(0, **BEHIND))
    world.over(0)
    world.tick()
    waiting = list(world.queue.waiting)
    other = changed(world)
    world.clock.instant += DAY
    assert other.tick() == Closing()
    before = dict(world.closes.known)
    other.work()
    assert (world.closes.known, world.queue.waiting) == (before, [])
    world.queue.send(waiting)
    world.work()
    assert world.facts == [("a", "1970-01-01", True)]


def test_a_period_in_whose_midst_the_rule_was_changed_is_not_evaluated() -> None:
    """Each definition has the values of some customers only."""
    world = World()
    world.keep(day(0, a=10, b=20, c=21, d=22))
    other = changed(world)
    other.keep(day(0, b=30, c=31, d=20))
    other.over(0)
    assert (other.tick(), other.work()) == (Closing(withdrawn=1), Worked())
    assert (world.tick(), world.work()) == (Closing(withdrawn=1), Worked())
    other.keep(day(1, b=30, c=31, d=20))
    other.close(1)
    assert [fact.customer_id for fact in other.journal.added.values()] == ["d"]


def test_who_is_true_stays_true_when_the_rule_is_changed() -> None:
    world = World()
    world.keep(day(0, **BEHIND))
    world.close(0)
    other = changed(world)
    other.keep(day(1, **BEHIND))
    assert other.close(1) == Worked(compared=3, changed=0, closed=True)


def test_work_of_a_stage_that_is_over_is_dropped() -> None:
    world = World()
    world.keep(day(0, **BEHIND))
    world.over(0)
    world.tick()
    old = list(world.queue.waiting)
    world.work()
    before = dict(world.store.runs), dict(world.closes.known)
    for work in (
        *old,
        old[0]._replace(stage=Stage(Step.COMPARE)),
        old[0]._replace(stage=Stage(Step.MERGE, 3)),
    ):
        assert world.worker()(work) == Worked()
    assert (world.store.runs, world.closes.known, world.queue.waiting) == (*before, [])


def test_work_of_an_earlier_stage_is_dropped_before_it_costs_anything() -> None:
    world = World()
    world.keep(day(0, **BEHIND))
    world.over(0)
    world.tick()
    first = list(world.queue.waiting)
    _until(world, Step.COMPARE)
    world.store.frozen = crash  # type: ignore[method-assign, assignment]
    for work in first:
        assert world.worker()(work) == Worked()


class BesideAnother(FakePeerStore):
    """Before each run is written, another worker writes one of that number, cut elsewhere and once only."""

    def freeze(self, close: Close, shard: str, frozen: Frozen) -> bool:
        if frozen.number == 0:
            other = count_peers.runs(self.values(close, shard, ""), 0, "")
            super().freeze(close, shard, next(islice(other, 1)))
        return super().freeze(close, shard, frozen)


def test_two_workers_at_one_shard_freeze_every_value_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(store=BesideAnother())
    own = {f"c-{number:02}": number for number in range(100)}
    world.keep(day(0, **own))
    world.over(0)
    world.tick()
    cuts = cycle((3, 2))  # the worker's own cut, and that of the other one
    monkeypatch.setattr(count_peers, "MOST_LINES", 3)
    original = count_peers.runs

    def cut(values: Iterable[tuple[str, str]], number: int, through: str) -> Any:
        monkeypatch.setattr(count_peers, "MOST_LINES", next(cuts) if number == 0 else 3)
        return iter(list(original(values, number, through)))

    monkeypatch.setattr(count_peers, "runs", cut)
    world.work()
    frozen = Counter(
        value_of(world.rule, 0, line).customer_id for run in world.store.runs.values() for line in run.lines
    )
    assert frozen == dict.fromkeys(own, 1)


def test_a_close_nobody_knows_is_dropped() -> None:
    world = World()
    close = world.close_of(7)
    assert world.worker()(Work(close, Stage(Step.COUNT), "0")) == Worked()
    unknown = Work(close._replace(rule="gone"), Stage(Step.COUNT), "0")
    assert world.worker()(unknown) == Worked()


def test_late_work_of_an_earlier_close_changes_nothing() -> None:
    """As a worker that stood still while the period after it was closed."""
    world = World()
    world.keep(day(0, **BEHIND))
    world.over(0)
    world.tick()
    compares = [work for work in _until(world, Step.COMPARE) if work.part == shard_of("a")]
    stale = replace(world.closes.known[world.close_of(0)])
    world.work()
    world.keep(day(1, **EVEN))
    world.close(1)
    world.closes.known[world.close_of(0)] = stale
    assert world.worker()(compares[0]).changed == 0
    assert world.store.true["behind", "a"] == Truth(is_true=False, period=DAY)


def _until(world: World, step: Step) -> list[Work]:
    """Work until a stage of that step waits; gives its work, which still waits."""
    while any(work.stage.step is not step for work in world.queue.waiting):
        world.worker()(world.queue.waiting.pop(0))
    return list(world.queue.waiting)


def test_one_rules_trouble_holds_no_other_up() -> None:
    world = World()
    world.keep(day(0, **BEHIND))
    world.over(0)
    world.closes.around = crash
    assert world.tick() == Closing(failed=["Crash"])
    world.closes.around = nothing
    world.closes.due = crash  # type: ignore[method-assign, assignment]
    assert world.tick() == Closing(failed=["Crash"])


def test_a_worker_whose_time_is_up_hands_the_rest_of_its_shard_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count_peers, "MOST_LINES", 3)
    world = World()
    customers = {f"c-{number:03}": number for number in range(200)}
    world.keep(day(0, **customers))
    world.over(0)
    world.tick()
    monkeypatch.setattr(world.clock, "now", partial(_hurrying, world.clock, count_peers.MOST_TIME))
    seen: list[tuple[Step, str, int]] = []
    while world.queue.waiting:
        work = world.queue.waiting.pop(0)
        seen.append((work.stage.step, work.part, work.begin))
        world.worker()(work)
    runs = max(number for *_, number in world.store.runs)
    assert runs > 2
    assert max(begin for step, _, begin in seen if step is Step.COMPARE) == runs
    assert max(Counter((step, part) for step, part, _ in seen if step is Step.COUNT).values()) > 2
    assert len(world.facts) == len([own for own in customers.values() if own - 99.5 <= -5])


def _hurrying(clock: FakeClock, by: int) -> int:
    clock.instant += by // 2 + 1
    return clock.instant


def test_runs_are_cut_by_lines_and_by_bytes() -> None:
    lines = [(f"c{number}", "x" * 1000) for number in range(5000)]
    found = list(count_peers.runs(iter(lines), 7, ""))
    assert [run.number for run in found] == list(range(7, 7 + len(found)))
    assert [run.is_last for run in found] == [False] * (len(found) - 1) + [True]
    assert sum(len(run.lines) for run in found) == 5000
    assert max(sum(map(len, run.lines)) for run in found) <= count_peers.MOST_BYTES
    assert found[0].through == f"c{len(found[0].lines) - 1}"
    short = list(count_peers.runs([(str(number), "é") for number in range(2001)], 0, ""))
    assert [len(run.lines) for run in short] == [2000, 1]
    wide = list(count_peers.runs([("a", "é" * 100_000), ("b", "é" * 100_000)], 0, ""))
    assert [len(run.lines) for run in wide] == [1, 1]
    assert list(count_peers.runs([], 3, "q")) == [Frozen(3, (), "q", is_last=True)]


# Keeping values.


def test_the_close_is_registered_before_the_first_value_and_once() -> None:
    world = World()
    written: list[str] = []
    world.closes.around = lambda: written.append("close")
    world.store.around = lambda: written.append("value")
    world.keep(day(0, a=1, b=2))
    assert written == ["close", "close", "value", "value", "value", "value"]
    assert world.closes.known[world.close_of(0)].due_at == DAY + SETTLE
    world.keep(day(1, a=1))
    world.keep(day(0, a=1))
    assert list(world.closes.known) == [world.close_of(0), world.close_of(1)]


def test_a_value_of_an_earlier_state_does_not_take_a_laters_place() -> None:
    world = World()
    world.keeper.put("a", [value("a", HOUR, 1)], 5)
    world.keeper.put("a", [value("a", HOUR, 2)], 4)
    [(_, line)] = world.store.values(world.close_of(0), shard_of("a"), "")
    assert '"a",3600000000,1,' in line
    world.keeper.put("a", [value("a", HOUR, 3)], 5)
    [(_, line)] = world.store.values(world.close_of(0), shard_of("a"), "")
    assert '"a",3600000000,3,' in line


def test_a_value_that_was_taken_back_is_compared_with_nothing() -> None:
    world = World(rule=a_rule(at_least=3))
    world.keep(day(0, **BEHIND))
    world.clock.instant = 20 * HOUR
    world.keeper.put("c", [], 100, complete=True)
    assert world.close(0) == Worked(closed=True)


def test_what_is_complete_takes_back_only_what_is_still_open_and_not_given() -> None:
    world = World()
    world.clock.instant = DAY + MINUTE
    both = [value("a", HOUR, 1), value("a", DAY + 1, 2)]
    world.keeper.put("a", both, 1)
    world.keeper.put("a", both[1:], 2, complete=True)
    assert list(world.store.values(world.close_of(0), shard_of("a"), "")) == []
    assert len(list(world.store.values(world.close_of(1), shard_of("a"), ""))) == 1
    world.keeper.put("a", both, 3)
    world.clock.instant = DAY + SETTLE
    world.keeper.put("a", [], 4, complete=True)
    assert len(list(world.store.values(world.close_of(0), shard_of("a"), ""))) == 1
    assert list(world.store.values(world.close_of(1), shard_of("a"), "")) == []


def test_a_value_too_large_to_be_kept_is_told_of() -> None:
    world = World()
    large = value("a", HOUR, 1, profile={"note": "é" * (MOST_BYTES // 2)})
    assert world.keeper.put("a", [large], 1) == 1
    assert world.keeper.put("b", [value("b", HOUR, 1)], 1) == 0
    assert [customer_id for _, customer_id in world.store.kept] == ["b"]


@pytest.mark.parametrize("own", ["text", True, None, [1]])
def test_what_is_no_number_is_not_kept(own: Any) -> None:
    world = World()
    world.keeper.put("a", [value("a", HOUR, 1)._replace(value=own)], 1)
    assert (world.store.kept, world.closes.known) == ({}, {})


# Whatever happens.

customers = [f"c-{number}" for number in range(9)]
values = st.lists(
    st.tuples(
        st.sampled_from(customers), st.integers(0, 71), st.integers(0, 15), st.sampled_from(['"x', '"y'])
    ),
    max_size=60,
)


def rises(world: World) -> list[tuple[str, str]]:
    return sorted((who, period) for who, period, true in world.facts if true)


def expected(world: World, given: list[PeerValue]) -> list[tuple[str, str]]:
    decisions = peers_decisions(world.core.as_live(), "behind", given, 10 * DAY)
    return sorted((one.customer_id, one.episode[:10]) for one in decisions)


def given_values(history: list[tuple[str, int, int, str]]) -> list[PeerValue]:
    return [
        value(who, at * HOUR, own, cohort) for who, at, own, cohort in sorted(history, key=lambda one: one[1])
    ]


@given(
    values,
    st.sampled_from(["median", "mean", "min", "p95"]),
    st.booleans(),
    st.integers(1, 3),
    st.integers(0, 2**32),
    st.integers(1, 200),
)
def test_the_facts_are_the_decisions_whatever_the_order_the_duplicates_and_the_crashes(
    history: list[tuple[str, int, int, str]],
    statistic: str,
    excluding_self: bool,
    at_least: int,
    seed: int,
    crash_after: int,
) -> None:
    random = Random(seed)
    rule = a_rule(statistic=statistic, excluding_self=excluding_self, at_least=at_least)
    world = World(rule)
    given = given_values(history)
    for today in range(3):
        world.keep([one for one in given if one.period == today * DAY])
        world.over(today)
        world.crash_at(random.randint(1, crash_after))
        for _ in range(40):  # ticks of half a day, as long as there is something to look after
            world.tick()
            world.queue.waiting += random.sample(world.queue.waiting, len(world.queue.waiting) // 3)
            world.work(random.randrange)
            if all(progress.is_closed for progress in world.closes.known.values()):
                break
            world.clock.instant += LOOK_AGAIN_AFTER
        assert all(progress.is_closed for progress in world.closes.known.values())
        world.crash_at(10**9)
    assert rises(world) == expected(world, given)
    handed = [(who, period) for who, period, _ in world.facts]
    assert len(handed) == len(set(handed))


def test_many_values_take_more_rounds_to_the_same_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count_peers, "tell", partial(tell, most_points=8))
    random = Random(5)
    world = World(a_rule(statistic="p25", at_least=20))
    crowd = [
        value(f"c-{number}", 8 * HOUR, random.randrange(10**4), cohort)
        for cohort, size in (('"large', 1500), ('"small', 30), ('"tiny', 19))
        for number in range(size)
    ]
    crowd = [one._replace(customer_id=f"{one.customer_id}-{one.cohort[1]}") for one in crowd]
    world.keep(crowd)
    world.over(0)
    world.tick()
    rounds = set()
    while world.queue.waiting:
        work = world.queue.waiting.pop(0)
        rounds.add(work.stage.round)
        world.worker()(work)
    assert max(rounds) >= 2
    assert rises(world) == expected(world, crowd)
    assert {fact.data["cohort"] for fact in world.journal.added.values()} == {'"large', '"small'}


def _points_of_a_close() -> int:
    world = World()
    world.keep(day(0, **BEHIND))
    points = 0

    def around() -> None:
        nonlocal points
        points += 1

    for part in (world.closes, world.store, world.queue, world.journal):
        part.around = around
    world.close(0)
    return points


@pytest.mark.parametrize("number", range(1, _points_of_a_close() + 1))
def test_killed_before_or_after_any_write_it_ends_the_same(number: int) -> None:
    world = World()
    world.keep(day(0, **BEHIND))
    world.over(0)
    world.crash_at(number)
    world.tick()
    world.work()
    world.clock.instant += LOOK_AGAIN_AFTER
    world.tick()
    world.work()
    assert world.facts == [("a", "1970-01-01", True)]
    assert world.store.true == {("behind", "a"): Truth(is_true=True, period=0)}
    assert world.closes.known[world.close_of(0)].is_closed
