"""The benchmarks measure what they say: every engine does the same work, and what goes wrong shows in the table."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from rich.console import Console

from foreword.authoring.rulebook import load_rulebook
from foreword.domain.core import Core
from foreword.domain.replay import replay
from foreword.local import project
from tests.benchmarks import __main__ as command
from tests.benchmarks import backtests, calls, deciding, prices, results
from tests.benchmarks.conditions import questions
from tests.benchmarks.deciding import Engine
from tests.benchmarks.life import VALUED, life
from tests.benchmarks.model import Expected, expect
from tests.benchmarks.ours.conditions import compiled, question
from tests.benchmarks.ours.core import Customers
from tests.benchmarks.ours.facts import fact_of
from tests.benchmarks.ours.pipeline import batches, time_pipeline
from tests.benchmarks.ours.rulebooks import read_published, write_published
from tests.benchmarks.prices import Use
from tests.benchmarks.processes import Failed, NotInstalled, Timing, output, timing
from tests.benchmarks.results import Row, Section, Verdict
from tests.benchmarks.rivals.siddhi_app import application
from tests.benchmarks.settings import QUICK
from tests.benchmarks.state_size import Pace, measure
from tests.benchmarks.workload import Event, Rule, Workload, make

TINY = make(10, events=3_000, customers=100)


def core_of(folder: Path, workload: Workload, *, every_evaluation: bool = False) -> Core:
    return Core(read_published(write_published(folder, workload.rules, every_evaluation=every_evaluation)))


# ---- the workload


def test_the_same_seed_gives_the_same_stream_and_each_event_touches_two_rules() -> None:
    again = make(10, events=3_000, customers=100)
    assert again == TINY
    for event in TINY.events:
        assert sum(event.type in rule.types for rule in TINY.rules) == 2


def test_more_rules_are_touched_by_the_same_events_in_the_same_way() -> None:
    many = make(1000, events=3_000, customers=100)
    assert len(many.rules) == 1000
    assert len({event.type for event in many.events}) > 400
    assert [event._replace(type="") for event in many.events] == [
        event._replace(type="") for event in TINY.events
    ]
    assert expect(many) == expect(TINY)


def test_the_times_of_the_stream_are_distinct_and_in_order() -> None:
    times = [event.at for event in TINY.events]
    assert times == sorted(set(times))


def test_every_rule_fires_somewhere() -> None:
    busy = make(10, events=20_000, customers=200)
    for rule in busy.rules:
        events = [event for event in busy.events if event.type in rule.types]
        assert expect(Workload([rule], events)).firings > 0, rule.name


def test_a_workload_comes_back_from_its_file(tmp_path: Path) -> None:
    TINY.write(tmp_path / "workload.json")
    assert Workload.read(tmp_path / "workload.json") == TINY


def test_the_model_counts_by_hand() -> None:
    rule = Rule("contacts", "count", "Contacted", 2, 1, but_channel="survey")
    day = 24 * 60 * 60 * 1000

    def at(time: int, channel: str = "phone") -> Event:
        return Event(time, "Contacted", "c", channel, "p", 1.0)

    events = [
        at(0),
        at(1, "survey"),
        at(day - 1),  # the second: a rise, and fires
        at(day),  # the first is out by now, and was in just before: no new rise
        at(3 * day),
        at(3 * day + 5),  # a rise within the pause
        at(20 * day),
        at(20 * day + 5),  # and one after it
    ]
    assert expect(Workload([rule], events)) == Expected(seen=7, true=4, rises=3, firings=2)


# ---- engines agree


@pytest.mark.parametrize("rules", [10, 30])
def test_our_core_fires_as_often_as_the_model_says(tmp_path: Path, rules: int) -> None:
    workload = make(rules, events=3_000, customers=100)
    customers = Customers(core_of(tmp_path, workload))
    assert sum(customers.take(fact_of(event)) for event in workload.events) == expect(workload).firings > 100


def test_our_core_finds_every_true_evaluation_where_it_is_asked_for_them(tmp_path: Path) -> None:
    customers = Customers(core_of(tmp_path, TINY, every_evaluation=True))
    assert sum(customers.take(fact_of(event)) for event in TINY.events) == expect(TINY).true


def test_a_replay_customer_by_customer_fires_as_often(tmp_path: Path) -> None:
    core = core_of(tmp_path, TINY).as_live()
    histories: dict[str, list[Event]] = {}
    for event in TINY.events:
        histories.setdefault(event.customer_id, []).append(event)
    decisions = [
        decision
        for customer, events in histories.items()
        for decision in replay(core, customer, {}, list(map(fact_of, events))).decisions
    ]
    assert sum(decision.reason is None for decision in decisions) == expect(TINY).firings
    assert len(decisions) == expect(TINY).rises


PACKAGES = {
    "durable_rules": "durable",
    "clipspy": "clips",
    "cel-expr-python": "cel_expr_python",
    "zen-engine": "zen",
}


def test_rivals_that_are_installed_beside_us_match_what_the_model_says(tmp_path: Path) -> None:
    path = tmp_path / "workload.json"
    TINY.write(path)
    for requirement, module in deciding.LINEAR.values():
        if find_spec(PACKAGES[requirement.partition("==")[0]]) is not None:
            command = [sys.executable, "-m", f"tests.benchmarks.rivals.{module}", str(path), "1", "9"]
            assert timing(command, timeout=60).matches == expect(TINY).seen, module


def test_a_siddhi_application_has_a_query_for_each_rule() -> None:
    for layout in deciding.SIDDHI.values():
        text = application(TINY.rules, layout)
        for number in range(len(TINY.rules)):
            assert text.count(f"insert into Fired{number};") == 1
    assert "define stream Events " in application(TINY.rules, "one stream")
    assert "define stream ContactOpened0 " in application(TINY.rules, "a stream for each type")


def test_the_ten_conditions_have_the_answers_they_are_read_with(tmp_path: Path) -> None:
    rules = compiled(tmp_path)
    for asked in questions(200):
        one = question(asked, rules[0])
        data, segment = asked.event["data"], asked.profile["segment"]
        assert [rule.eligible(one.fact, 0, one.profile, one.values) for rule in rules] == [
            data["channel"] != "survey",
            data["amount"] > 100 and data["channel"] == "phone",
            asked.contacts >= 3,
            asked.contacts >= 3 and segment != "staff",
            asked.share >= 0.5,
            data["channel"] in ("phone", "chat"),
            data["product"].startswith("product-1"),
            segment == "retail",
            (asked.contacts > 1 or asked.share > 0.25) and data["amount"] >= 20,
            segment != "staff" or data["amount"] * 2 >= 150,
        ]


# ---- the other benchmarks


def test_batches_hold_one_customers_events_in_order() -> None:
    found = list(batches(map(fact_of, TINY.events), 10))
    assert sum(len(batch.facts) for batch in found) == len(TINY.events)
    assert max(len(batch.facts) for batch in found) == 10
    for batch in found:
        assert len({fact.customer_id for fact in batch.facts}) == 1
        assert list(batch.facts) == sorted(batch.facts, key=lambda fact: fact.occurred_at)
        assert len(json.loads(batch.body)["Records"]) == len(batch.facts)


def test_the_pipeline_takes_every_batch(tmp_path: Path) -> None:
    found = list(batches(map(fact_of, TINY.events), 10))
    half = len(found) // 2
    assert time_pipeline(core_of(tmp_path, TINY), found[:half], found[half:]) > 0


def test_the_size_of_a_state_is_measured_when_its_windows_are_full() -> None:
    core = Core(load_rulebook(project.find().rulebook).published())
    sizes = measure(core, Pace(a_day=2, together=1, customers=2, most=1024), days=30, budget=60)
    assert 0 < len(sizes.stored) < sizes.batches / 2
    assert 100 < sizes.at(0.5) <= sizes.at(0.99) <= max(sizes.stored)
    assert not sizes.cut


def test_a_portfolio_is_valued_once_a_day_unless_it_is_fed_as_the_market_moves() -> None:
    for intraday, most in ((False, 40), (True, 300)):
        found = list(life(1, a_day=50, days=20, intraday=intraday))
        assert 900 < len(found) < 1100
        assert most / 4 < sum(one.type == VALUED for one in found) < most


def test_a_state_that_takes_too_long_is_cut() -> None:
    core = Core(load_rulebook(project.find().rulebook).published())
    assert measure(core, Pace(a_day=2, together=1, customers=1, most=1024), days=30, budget=0).cut


def test_what_an_event_uses_of_aws_is_counted() -> None:
    use = calls.count(10, 20)
    assert (use.events, use.bus_events, use.invocations) == (20, 20, 4)
    assert use.queue_requests == 20 + 2 * 2
    assert use.write_units >= 20 + 2  # every fact, and each batch's state
    assert use.calls >= 20 + 2
    assert use.log_bytes > 0


def test_a_history_is_what_backtest_reads(tmp_path: Path) -> None:
    backtests.write_history(TINY, tmp_path / "history.jsonl")
    lines = (tmp_path / "history.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(TINY.events)
    first = json.loads(lines[0])
    assert first.keys() == {"source", "type", "id", "customer_id", "occurred_at", "data"}
    assert first["occurred_at"].startswith("2026-01-01T")


# ---- units and prices


@pytest.mark.parametrize(("old", "new", "units"), [(0, 1, 1), (0, 1024, 1), (0, 1025, 2), (3000, 10, 3)])
def test_a_write_costs_the_larger_item_in_whole_kilobytes(old: int, new: int, units: int) -> None:
    assert prices.write_units(old, new) == units


@pytest.mark.parametrize(
    ("size", "consistent", "units"), [(0, True, 1), (4096, True, 1), (4097, True, 2), (4097, False, 1)]
)
def test_a_read_costs_steps_of_four_kilobytes(size: int, consistent: bool, units: float) -> None:
    assert prices.read_units(size, consistent=consistent) == units


def test_an_items_bytes_are_names_and_values() -> None:
    assert calls.item_bytes({"id": "käse"}) == 2 + 5
    assert calls.item_bytes({"n": -12345}) == 1 + 4
    assert calls.item_bytes({"b": True, "l": ["ab"], "m": {"k": None}}) == (1 + 1) + (1 + 3 + 3) + (1 + 3 + 3)


def test_the_price_of_a_million_is_the_sum_of_its_parts() -> None:
    use = Use(events=10, bus_events=10, queue_requests=12, write_units=11, read_units=4, invocations=2)
    assert use.dollars_a_million() == pytest.approx(1.00 + 0.48 + 0.6875 + 0.05 + 0.04)


# ---- what goes wrong shows


def an_engine(result: Timing | Exception) -> Engine:
    def run() -> Timing:
        if isinstance(result, Exception):
            raise result
        return result

    return Engine("rival", run, lambda expected: expected.seen, rounds=2)


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        (NotInstalled("no wheel for this machine"), "no wheel for this machine"),
        (Failed("hangs: cut after 30 s"), "hangs: cut after 30 s"),
        (Timing(1.0, 3_000, 1), f"WRONG: 1 matches, not {expect(TINY).seen}"),
    ],
)
def test_an_engine_without_a_right_result_stands_in_the_table_with_the_reason(
    result: Timing | Exception, shown: str
) -> None:
    outcome = deciding.in_turns([an_engine(result)], TINY, lambda _: None)["rival"]
    assert outcome == shown
    row = deciding.compared("rival", "ours", {10: outcome}, {10: Timing(1.0, 3_000, 5)}, QUICK)
    assert row.values == {"10 rules": shown}
    assert row.verdict is (Verdict.WRONG if shown.startswith("WRONG") else Verdict.NOT_RUN)


def test_an_engine_cut_short_is_held_against_the_part_it_took() -> None:
    part = Timing(1.0, 1_000, expect(TINY._replace(events=TINY.events[:1_000])).seen)
    outcome = deciding.in_turns([an_engine(part)], TINY, lambda _: None)["rival"]
    assert outcome == part
    row = deciding.compared("rival", "ours", {10: part}, {10: Timing(1.0, QUICK.events, 5)}, QUICK)
    assert row.values == {"10 rules": "10"}
    assert row.note == f"1,000 of {QUICK.events:,} events at 10"


def test_a_goal_is_met_up_to_its_very_value() -> None:
    ours, rival = {10: Timing(0.7, 1_000, 5)}, {10: Timing(1.0, 1_000, 5)}
    assert deciding.compared("a", "b", ours, rival, QUICK, goal=(10, 0.7)).verdict is Verdict.MET
    assert deciding.compared("a", "b", ours, rival, QUICK, goal=(10, 0.69)).verdict is Verdict.MISSED


def test_a_process_that_hangs_is_cut() -> None:
    with pytest.raises(Failed, match="hangs: cut after 1 s"):
        output([sys.executable, "-c", "import time; time.sleep(60)"], timeout=1)


def test_a_process_that_fails_says_its_last_line() -> None:
    with pytest.raises(Failed, match="ValueError: no such rule"):
        output([sys.executable, "-c", "raise ValueError('no such rule')"], timeout=60)


def test_the_table_is_one_markdown_table() -> None:
    rows = [
        Row("core", "itself", {"10 rules": "1.00", "1000 rules": "1.10"}, "≤ 1.15 at 1000", Verdict.MET),
        Row("rival", "core", {"": "14"}, note="fewer events"),
    ]
    assert results.markdown([Section("deciding", "Deciding", rows)], heading="Measured today.") == (
        "Measured today.\n"
        "\n"
        "| measured | against | figures | goal | |\n"
        "|---|---|---|---|---|\n"
        "| **Deciding** | | | | |\n"
        "| core | itself | 10 rules: 1.00 · 1000 rules: 1.10 | ≤ 1.15 at 1000 | met |\n"
        "| rival | core | 14 (fewer events) |  |  |"
    )


def test_a_benchmark_that_raises_stands_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    def broken(say: Callable[[str], None]) -> Section:
        say("begins")
        raise RuntimeError("no disk")

    section = command._section("calls", broken, Console(stderr=True))
    assert section.rows == [Row("calls", "", {"": "RuntimeError: no disk"}, verdict=Verdict.FAILED)]
    assert "calls: begins" in capsys.readouterr().err


def test_the_heading_says_when_the_figures_are_not_for_showing() -> None:
    about = {"date": "2026-11-24", "machine": "a processor", "busy": 0.1, "quick": False}
    assert command._heading(about) == "Measured on 2026-11-24: a processor."
    assert command._heading({**about, "busy": 2.5}).endswith("; the machine was busy (load 2.5 a core).")
    assert "too short to show" in command._heading({**about, "quick": True})
