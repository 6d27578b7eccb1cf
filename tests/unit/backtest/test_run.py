"""A whole backtest: the clock, customers without events, several processes, two rulebooks."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from foreword.backtest import processes
from foreword.backtest import run as run_module
from foreword.backtest import work as work_module
from foreword.backtest.errors import CannotBacktest
from foreword.backtest.run import Result
from foreword.backtest.span import Span, SpanGuess
from foreword.backtest.summary import by_day, by_rule, changes, in_all, reached, top_customers
from foreword.domain.instants import parse_instant
from foreword.domain.reasons import Reason
from foreword.domain.replay import replay
from tests.unit.backtest.support import COUNTED, EACH, event, rule, rulebook, run, write_lines

WAITED = rule("waited", "waited: {absence: Answer, after: Contact, within: 3d, timer: each}", "waited")


def at(day: int, hour: int = 9) -> str:
    return f"2026-03-{day:02}T{hour:02}:00:00Z"


# ---- what is decided


def test_each_rise_is_a_line_in_order_of_time_and_tells_whether_it_fired(tmp_path: Path) -> None:
    rules = rulebook(tmp_path / "rulebook", COUNTED)
    days = [1, 2, 12, 13]
    records = [event(at(day), customer) for customer in ("c-2", "c-1") for day in days]
    found = run(rules, write_lines(tmp_path / "history.jsonl", records))
    assert found.lines[:2] == [
        {
            "customer_id": customer,
            "rule": "counted",
            "case": None,
            "at": at(2),
            "outcome": "fired",
            "reason": "SENT",
            "channel": "email",
            "signals": {"contacts": 2},
        }
        for customer in ("c-1", "c-2")
    ]
    assert found.rises() == [
        ("c-1", at(2), "fired"),
        ("c-2", at(2), "fired"),
        ("c-1", at(13), "NOT_RE_ELIGIBLE"),
        ("c-2", at(13), "NOT_RE_ELIGIBLE"),
    ]


def test_skipped_rises_have_their_reason_and_no_channel(tmp_path: Path) -> None:
    rules = rulebook(tmp_path / "rulebook", COUNTED + "eligible: 'profile.segment != \"staff\"'\n")
    events = write_lines(tmp_path / "history.jsonl", [event(at(1)), event(at(2))])
    customers = write_lines(tmp_path / "customers.jsonl", [{"customer_id": "c-1", "segment": "staff"}])
    (line,) = run(rules, events, customers=customers).lines
    assert (line["outcome"], line["reason"], line["channel"]) == ("skipped", "NOT_ELIGIBLE", None)


def test_a_draft_counts_as_live_and_windows_may_look_back_for_ever(tmp_path: Path) -> None:
    decades = rule("decades", "contacts: {count: Contact, within: 9000d}", "contacts >= 2", "mode: draft")
    ever = rule("ever", "contacts: {count: Contact}", "contacts >= 3", "mode: shadow")
    rules = rulebook(
        tmp_path / "rulebook",
        decades,
        ever,
        policy="retention: 10d\nquiet_hours: {from: '00:00', to: '23:59'}\n",
    )
    records = [event("1917-06-22T00:00:00Z"), event("1940-01-01T00:00:00Z"), event("1990-01-01T00:00:00Z")]
    found = run(rules, write_lines(tmp_path / "history.jsonl", records))
    assert [line["rule"] for line in found.lines] == ["decades", "ever"]


def test_times_are_told_to_the_millisecond_or_microsecond_where_they_are_not_whole(tmp_path: Path) -> None:
    rules = rulebook(tmp_path / "rulebook", EACH)
    times = ["2026-03-02T09:00:00+01:00", "2026-03-02T09:00:00.5Z", "2026-03-02T09:00:00.000001Z"]
    found = run(rules, write_lines(tmp_path / "history.jsonl", [event(time) for time in times]))
    assert [line["at"] for line in found.lines] == [
        "2026-03-02T08:00:00Z",
        "2026-03-02T09:00:00.000001Z",
        "2026-03-02T09:00:00.500Z",
    ]


def test_signals_are_told_with_the_digits_they_have(tmp_path: Path) -> None:
    signals = "\n  ".join(
        [
            "contact: {each: Contact}",
            "sum: {sum: event.data.x, of: Contact}",
            "last: {last: event.data.text, of: Contact}",
            "since: {since: Earlier}",
            "none: {last: event.data.nothing, of: Contact}",
        ]
    )
    told = rule(
        "told", signals, 'contact && sum > 0 && since > duration("0s") && last != "" && !has(profile.x)'
    )
    records = [event(at(1), kind="Earlier"), event(at(2), data={"x": 1, "text": 'a "b"\n'})]
    lines = [json.dumps(one).replace('"x": 1', '"x": 1.10') for one in records]
    found = run(rulebook(tmp_path / "rulebook", told), write_lines(tmp_path / "history.jsonl", lines))
    assert found.text.endswith(
        '"signals":{"contact":true,"sum":1.10,"last":"a \\"b\\"\\n","since":"86400s"}}\n'
    )


def test_cases_are_told(tmp_path: Path) -> None:
    each = rule(
        "each", "contact: {each: Contact}", "contact", "for_each: event.data.order", "re_eligible_after: none"
    )
    records = [event(at(1), data={"order": "o-1"}), event(at(2), data={"order": "o-2"})]
    found = run(rulebook(tmp_path / "rulebook", each), write_lines(tmp_path / "history.jsonl", records))
    assert [line["case"] for line in found.lines] == ["o-1", "o-2"]


# ---- the clock


def test_a_deadline_at_the_histories_last_event_fires_and_a_later_one_does_not(tmp_path: Path) -> None:
    rules = rulebook(tmp_path / "rulebook", WAITED)
    records = [event(at(1)), event(at(2), "c-2"), event(at(4), "c-3", kind="Other")]
    found = run(rules, write_lines(tmp_path / "history.jsonl", records))
    assert found.rises() == [("c-1", at(4), "fired")]
    assert found.result.clock == Span(parse_instant(at(1)), parse_instant(at(4)))


def test_the_clock_goes_on_until_the_time_that_is_asked_for(tmp_path: Path) -> None:
    rules = rulebook(tmp_path / "rulebook", WAITED)
    events = write_lines(tmp_path / "history.jsonl", [event(at(1)), event(at(2), "c-2")])
    assert run(rules, events).rises() == []
    assert run(rules, events, until=at(4)).rises() == [("c-1", at(4), "fired")]
    assert len(run(rules, events, until=at(5)).rises()) == 2


def test_the_clock_stops_at_the_time_that_is_asked_for(tmp_path: Path) -> None:
    rules = rulebook(tmp_path / "rulebook", EACH)
    events = write_lines(tmp_path / "history.jsonl", [event(at(day)) for day in (1, 2, 3)])
    found = run(rules, events, until=at(2))
    assert [time for _, time, _ in found.rises()] == [at(1), at(2)]
    assert found.result.events == 2
    assert run(rules, events, until="2020-01-01T00:00:00Z").rises() == []


@pytest.mark.parametrize(
    "at_the_end",
    [
        event(at(9), customer=""),
        event(at(9), id="known"),
        event(at(9), id="taken-back"),
        '{"occurred_at":"2026-03-09T09:00:00Z"',
    ],
)
def test_what_is_no_event_does_not_move_the_clock(tmp_path: Path, at_the_end: object) -> None:
    """The guess takes it for one: then all is replayed once more."""
    rules = rulebook(tmp_path / "rulebook", WAITED)
    records = [event(at(1), id="known"), event(at(1), kind="Other", retracts="taken-back"), at_the_end]
    found = run(rules, write_lines(tmp_path / "history.jsonl", records))  # type: ignore[arg-type]
    assert found.rises() == []
    assert found.result.clock == Span(parse_instant(at(1)), parse_instant(at(1)))
    assert found.result.tallies[0].rises.total() == 0


def test_a_guess_that_is_wrong_at_either_end_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = rulebook(tmp_path / "rulebook", WAITED, EACH)
    records = [
        event(at(1)),
        event(at(2), "c-2"),
        event(at(4), "c-3", kind="Other"),
        event(at(3), customer=""),
    ]
    events = write_lines(tmp_path / "history.jsonl", records)
    expected = run(rules, events)
    monkeypatch.setattr(SpanGuess, "see", lambda *_: None)
    found = run(rules, events)
    assert (found.text, found.result, found.seen.broken_records) == (
        expected.text,
        expected.result,
        expected.seen.broken_records,
    )


def test_a_history_without_an_event_decides_nothing(tmp_path: Path) -> None:
    rules = rulebook(tmp_path / "rulebook", EACH)
    found = run(rules, write_lines(tmp_path / "history.jsonl", []))
    assert (found.lines, found.result.clock, found.result.customers) == ([], Span(), 0)


# ---- customers without events


DATED = rule("birthday", 'day: {date: profile.birthday, before: 2d, at: "09:00", yearly: true}', "day")


def test_a_customer_without_events_is_a_customer(tmp_path: Path) -> None:
    rules = rulebook(tmp_path / "rulebook", DATED)
    events = write_lines(tmp_path / "history.jsonl", [event(at(1)), event(at(20))])
    customers = write_lines(
        tmp_path / "customers.jsonl",
        [
            {"customer_id": "c-1", "birthday": "1980-03-12", "timezone": "Europe/Berlin"},
            {"customer_id": "c-9", "birthday": "1990-03-22", "timezone": "UTC"},
            {"customer_id": "c-8", "birthday": "1990-03-02", "timezone": "UTC"},
        ],
    )
    found = run(rules, events, customers=customers)
    assert found.rises() == [("c-1", at(10, 8), "fired"), ("c-9", at(20), "fired")]
    assert found.result.customers == 3


def test_the_history_changes_a_profile_unless_it_is_given(tmp_path: Path) -> None:
    retail = EACH.replace("when: 'contact'", "when: 'contact && profile.segment == \"retail\"'")
    rules = rulebook(tmp_path / "rulebook", retail)
    changes_at = {1: "staff", 3: "retail", 5: "staff"}
    updates = [
        event(at(day, 8), kind="CustomerUpdated", data={"segment": it}) for day, it in changes_at.items()
    ]
    events = write_lines(tmp_path / "history.jsonl", [*updates, *(event(at(day)) for day in (2, 4, 6))])
    customers = write_lines(tmp_path / "customers.jsonl", [{"customer_id": "c-1", "segment": "retail"}])
    others = write_lines(tmp_path / "others.jsonl", [{"customer_id": "c-2"}])
    assert [time for _, time, _ in run(rules, events).rises()] == [at(4)]
    assert [time for _, time, _ in run(rules, events, customers=others).rises()] == [at(4)]
    assert [time for _, time, _ in run(rules, events, customers=customers).rises()] == [at(2), at(4), at(6)]


# ---- rules that compare with peers


PEERS = rule(
    "behind",
    "value: {last: event.data.value, of: Contact}\n"
    "  gap: {peers: value, cohort: event.data.group, statistic: median, at_least: 3, period: 1d}",
    "gap < -5",
    "re_eligible_after: 2d",
    "eligible: '!has(profile.staff)'",
    send="{message: m, purpose: marketing, topic: care, channels: [email, sms]}",
)


def peers_history(tmp_path: Path) -> Path:
    values = {
        1: {"a": 10, "b": 10, "c": 1, "x": 0},
        2: {"a": 10, "b": 10, "c": 9, "x": 0},
        3: {"a": 1, "b": 10, "c": 10},
    }
    records = [
        event(at(day, hour), customer, data={"value": value, "group": "other" if customer == "x" else "one"})
        for day, found in values.items()
        for hour, (customer, value) in enumerate(found.items(), 9)
    ]
    random.Random(3).shuffle(records)
    return write_lines(tmp_path / "history.jsonl", records)


def test_peers_are_compared_when_all_have_been_replayed_and_in_the_last_period_too(tmp_path: Path) -> None:
    rules = rulebook(tmp_path / "rulebook", PEERS, EACH)
    found = run(rules, peers_history(tmp_path))
    behind = [line for line in found.lines if line["rule"] == "behind"]
    assert [(line["customer_id"], line["at"], line["outcome"]) for line in behind] == [
        ("c", at(1, 11), "fired"),
        ("a", at(3, 9), "fired"),
    ]
    assert behind[0]["signals"] == {"value": 1, "gap": -9}
    assert [line["at"] for line in found.lines] == sorted(line["at"] for line in found.lines)
    assert found.result.tallies[0].reached["behind"] == Counter(a=1, c=1)


def test_a_message_about_peers_goes_through_the_gates_at_the_close(tmp_path: Path) -> None:
    """That is at midnight, in quiet hours that the message does not outlast; the last one at the clock's end."""
    rules = rulebook(
        tmp_path / "rulebook", PEERS.replace("[email, sms]}", "[email, sms], expires_after: 1h}")
    )
    (tmp_path / "policy.yaml").write_text('quiet_hours: {from: "20:00", to: "09:00"}\n')
    choices = [{"topic": "care", "channel": "sms", "choice": "in"}]
    given = [{"customer_id": customer, "preferences": choices} for customer in ("a", "c")]
    customers = write_lines(tmp_path / "customers.jsonl", given)
    found = run(rules, peers_history(tmp_path), policy=tmp_path / "policy.yaml", customers=customers)
    assert found.fired() == [("c", at(1, 11), "EXPIRED", None), ("a", at(3, 9), "SENT", "sms")]
    alone = run(rules, peers_history(tmp_path), policy=tmp_path / "policy.yaml")
    assert [reason for _, _, reason, _ in alone.fired()] == ["NO_CONSENT", "NO_CONSENT"]


def test_peers_of_two_rulebooks_are_compared_with_their_own(tmp_path: Path) -> None:
    rules = rulebook(tmp_path / "rulebook", PEERS)
    other = rulebook(tmp_path / "other", PEERS.replace("gap < -5", "gap < -50"))
    result = run(rules, peers_history(tmp_path), compare=other).result
    assert [reached(tally) for tally in result.tallies] == [{"a", "c"}, set()]


# ---- several processes, and memory


def large_history(tmp_path: Path, events: int = 20_000, customers: int = 500) -> Path:
    generator = random.Random(5)
    lines = []
    for nth in range(events):
        day, rest = divmod(nth * 28 * 86_400 // events, 86_400)
        time = f"2026-02-{day + 1:02}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z"
        kind = generator.choice(["Contact", "Answer", "Other"])
        value = {"value": generator.randrange(1000), "group": "one"}
        lines.append(event(time, f"c-{generator.randrange(customers)}", kind, id=str(nth), data=value))
    return write_lines(tmp_path / "large.jsonl", [*lines, "broken", *lines[:10]])


def of(result: Result) -> tuple[object, ...]:
    return (result.clock, result.events, result.duplicates, result.broken, result.customers, result.tallies)


def test_several_processes_decide_what_one_does_and_in_the_same_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = rulebook(tmp_path / "rulebook", COUNTED, WAITED, PEERS)
    events = large_history(tmp_path)
    alone = run(rules, events)
    monkeypatch.setattr(processes, "_WORTH_PROCESSES", 0)
    together = run(rules, events, jobs=2)
    assert alone.lines
    assert (together.text, of(together.result)) == (alone.text, of(alone.result))
    assert together.seen.broken_records == [("large.jsonl", 20_001, "not JSON: Expecting value at column 1")]
    assert together.seen.steps[-1] == ("replaying", 16, 16)


def test_buckets_of_any_size_decide_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = rulebook(tmp_path / "rulebook", COUNTED, WAITED, PEERS)
    events = large_history(tmp_path, events=3000, customers=20)
    expected = run(rules, events)
    monkeypatch.setattr(run_module, "_BUCKET", 1000)
    small = run(rules, events)
    monkeypatch.setattr(work_module, "IN_MEMORY", 2000)
    monkeypatch.setattr(run_module, "_MOST_BUCKETS", 1)
    on_disk = run(rules, events)
    assert expected.lines
    assert (small.text, of(small.result)) == (expected.text, of(expected.result))
    assert (on_disk.text, of(on_disk.result)) == (expected.text, of(expected.result))


MEMORY = """
import re, sys
from tests.unit.backtest.support import run
from pathlib import Path
found = run(Path(sys.argv[1]), Path(sys.argv[2]))
print(found.result.events, re.search(r"VmHWM:\\s+([0-9]+)", Path("/proc/self/status").read_text())[1])
"""


def test_memory_is_bounded_by_the_customers_not_by_their_events(tmp_path: Path) -> None:
    rules = rulebook(tmp_path / "rulebook", COUNTED.replace(">= 2", ">= 99999"))
    kilobytes = []
    for name, events in (("few", 20_000), ("many", 200_000)):
        folder = tmp_path / name
        folder.mkdir()
        path = large_history(folder, events, customers=10)
        command = [sys.executable, "-c", MEMORY, str(rules), str(path)]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()  # noqa: S603
        assert int(told[0]) == events
        kilobytes.append(int(told[1]))
    assert kilobytes[1] - kilobytes[0] < 60_000  # the events alone would take two hundred thousand


def end_at_once(_: object) -> None:
    os._exit(1)


def test_a_process_that_is_ended_from_outside_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = rulebook(tmp_path / "rulebook", COUNTED)
    monkeypatch.setattr(processes, "_WORTH_PROCESSES", 0)
    monkeypatch.setattr(processes, "_perform", end_at_once)
    with pytest.raises(CannotBacktest, match="a process of the backtest was ended from outside"):
        run(rules, large_history(tmp_path, events=2000), jobs=2)


# ---- one customer's trouble


def test_a_customer_who_cannot_be_evaluated_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = rulebook(tmp_path / "rulebook", EACH)
    events = write_lines(
        tmp_path / "history.jsonl", [event(at(1), customer) for customer in ("c-1", "c-2", "c-3")]
    )

    def breaks(core: object, customer_id: str, *rest: object, **named: object) -> object:
        if customer_id == "c-2":
            raise OverflowError("too large")
        return replay(core, customer_id, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(work_module, "replay", breaks)
    found = run(rules, events)
    assert [customer for customer, *_ in found.fired()] == ["c-1", "c-3"]
    assert found.result.failed == [("c-2", "OverflowError: too large")]


# ---- two rulebooks


def test_two_rulebooks_over_one_history_tell_who_is_newly_reached_and_who_no_longer(tmp_path: Path) -> None:
    before = rulebook(tmp_path / "before", COUNTED, EACH.replace("Contact", "Other"))
    after = rulebook(tmp_path / "after", COUNTED.replace(">= 2", ">= 3"), WAITED)
    records = [
        event(at(day), customer)
        for customer, days in (("c-1", 1), ("c-2", 2), ("c-3", 3))
        for day in range(1, days + 1)
    ]
    records += [
        event(at(1), "c-3", kind="Answer"),
        event(at(4), "c-4", kind="Other"),
        event(at(5), "c-9", kind="End"),
    ]
    found = run(before, write_lines(tmp_path / "history.jsonl", records), compare=after)
    told = {
        change.rule: (change.before, change.after, change.newly_examples, change.no_longer_examples)
        for change in changes(found.result.tallies, ["counted", "each", "waited"])
    }
    assert told == {
        None: (3, 3, ("c-1",), ("c-4",)),
        "counted": (2, 1, (), ("c-2",)),
        "each": (1, 0, (), ("c-4",)),
        "waited": (0, 3, ("c-1", "c-2", "c-3"), ()),
    }
    assert {line["rule"] for line in found.lines} == {"counted", "each"}


# ---- what is counted


def test_rises_are_counted_by_rule_day_and_reason_and_firings_by_customer(tmp_path: Path) -> None:
    rules = rulebook(tmp_path / "rulebook", COUNTED, EACH)
    records = [event(at(day), "c-1") for day in (1, 2, 12, 13)] + [event(at(2), "c-2")]
    tally = run(rules, write_lines(tmp_path / "history.jsonl", records)).result.tallies[0]
    funnels = by_rule(tally, ["counted", "each", "never"])
    assert {name: (funnel.rises, funnel.fired, funnel.sent) for name, funnel in funnels.items()} == {
        "counted": (2, 1, 1),
        "each": (5, 5, 5),
        "never": (0, 0, 0),
    }
    assert in_all(funnels.values()).skipped == {Reason.NOT_RE_ELIGIBLE: 1}
    days = {day - parse_instant(at(1)) // 86_400_000_000 + 1: found for day, found in by_day(tally).items()}
    assert {day: {name: funnel.fired for name, funnel in found.items()} for day, found in days.items()} == {
        1: {"each": 1},
        2: {"counted": 1, "each": 2},
        12: {"each": 1},
        13: {"counted": 0, "each": 1},
    }
    assert top_customers(tally) == [("c-1", Counter(each=4, counted=1)), ("c-2", Counter(each=1))]
    assert top_customers(tally, 1) == [("c-1", Counter(each=4, counted=1))]


def test_a_strict_backtest_stops_at_the_first_broken_record(tmp_path: Path) -> None:
    rules = rulebook(tmp_path / "rulebook", EACH)
    events = write_lines(tmp_path / "history.jsonl", [event(at(1)), "", "broken", event(at(1), customer="")])
    with pytest.raises(CannotBacktest, match=r"history\.jsonl:3: not JSON"):
        run(rules, events, strict=True)
    table = tmp_path / "history.csv"
    table.write_text("customer_id,occurred_at,type\nc-1,2026-03-02T09:00:00Z,T\nc-1,2026-03-02T09:00:00Z\n")
    with pytest.raises(CannotBacktest, match=r"history\.csv:3: 2 cells, where the header has 3"):
        run(rules, table, strict=True)


def test_a_strict_backtest_refuses_a_customer_that_stands_twice(tmp_path: Path) -> None:
    rules = rulebook(tmp_path / "rulebook", EACH)
    events = write_lines(tmp_path / "history.jsonl", [event(at(1))])
    customers = write_lines(tmp_path / "customers.jsonl", [{"customer_id": "c-1"}, {"customer_id": "c-1"}])
    with pytest.raises(
        CannotBacktest, match=r"customers\.jsonl:2: customer 'c-1' stands in an earlier line already"
    ):
        run(rules, events, customers=customers, strict=True)
    assert run(rules, events, strict=True).fired()


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr("tempfile.tempdir", None)
    rules = rulebook(tmp_path / "rulebook", EACH)
    run(rules, write_lines(tmp_path / "history.jsonl", [event(at(1))]))
    with pytest.raises(CannotBacktest):
        run(rules, write_lines(tmp_path / "history.jsonl", ["broken"]), strict=True)
    assert not list(scratch.iterdir())
