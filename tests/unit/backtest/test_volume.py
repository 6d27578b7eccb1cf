"""The volume of a day, over all customers: counted in order of time, and what refusing gives back."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from foreword.backtest import processes
from tests.unit.backtest.support import event, rule, rulebook, run, write_lines

SEND = "{message: m, purpose: service, topic: care, channels: [email]}"
OFFER = "{message: o, purpose: service, topic: offers, channels: [email]}"
EACH = rule("each", "contact: {each: Contact}", "contact", "re_eligible_after: none", send=SEND)
PAUSING = rule("each", "contact: {each: Contact}", "contact", "re_eligible_after: 2d", send=SEND)
TWO_A_DAY = "volume_constraints: [{topic: care, at_most: 2, per: day}]\n"


def told(
    folder: Path, records: list[dict[str, Any]], rules: str = EACH, policy: str = TWO_A_DAY, jobs: int = 1
) -> list[tuple[str, str, str | None]]:
    folder.mkdir(exist_ok=True)
    (folder / "policy.yaml").write_text(policy, encoding="utf-8")
    events = write_lines(folder / "history.jsonl", records)
    found = run(rulebook(folder / "rulebook", rules), events, policy=folder / "policy.yaml", jobs=jobs)
    counted = sum(found.result.tallies[0].messages.values())
    assert counted == sum(line["outcome"] == "fired" for line in found.lines)
    return [(line["customer_id"], line["at"], line["reason"]) for line in found.lines]


def test_so_many_of_a_day_are_sent_in_the_order_of_their_times(tmp_path: Path) -> None:
    times = ["2026-03-02T11:00:00Z", "2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z", "2026-03-03T00:00:00Z"]
    records = [event(at, f"c-{nth}") for nth, at in enumerate(times)]
    assert told(tmp_path, records) == [
        ("c-1", "2026-03-02T09:00:00Z", "SENT"),
        ("c-2", "2026-03-02T10:00:00Z", "SENT"),
        ("c-0", "2026-03-02T11:00:00Z", "VOLUME_REACHED"),
        ("c-3", "2026-03-03T00:00:00Z", "SENT"),
    ]


def test_at_one_time_they_go_by_the_ids_of_the_customers(tmp_path: Path) -> None:
    records = [event(customer=name) for name in ("c-2", "c-10", "c-1")]
    assert [(name, reason) for name, _, reason in told(tmp_path, records)] == [
        ("c-1", "SENT"),
        ("c-10", "SENT"),
        ("c-2", "VOLUME_REACHED"),
    ]


def test_another_topic_is_not_counted_and_any_counts_all(tmp_path: Path) -> None:
    other = rule("each", "contact: {each: Contact}", "contact", "re_eligible_after: none", send=OFFER)
    records = [event(customer=f"c-{nth}") for nth in range(4)]
    assert {reason for _, _, reason in told(tmp_path / "care", records, other)} == {"SENT"}
    policy = TWO_A_DAY.replace("care", "any")
    assert [reason for _, _, reason in told(tmp_path / "any", records, other, policy)] == [
        *("SENT", "SENT"),
        *("VOLUME_REACHED", "VOLUME_REACHED"),
    ]


def test_who_is_refused_gets_the_clock_back(tmp_path: Path) -> None:
    records = [
        *(event("2026-03-02T09:00:00Z", name) for name in ("c-1", "c-2", "c-3")),
        *(event("2026-03-03T09:00:00Z", name) for name in ("c-1", "c-2", "c-3")),
    ]
    assert [(name, at[8:10], reason) for name, at, reason in told(tmp_path, records, PAUSING)] == [
        ("c-1", "02", "SENT"),
        ("c-2", "02", "SENT"),
        ("c-3", "02", "VOLUME_REACHED"),
        ("c-1", "03", "NOT_RE_ELIGIBLE"),
        ("c-2", "03", "NOT_RE_ELIGIBLE"),
        ("c-3", "03", "SENT"),
    ]


def test_who_is_refused_gets_the_place_under_a_cap_back(tmp_path: Path) -> None:
    policy = f"{TWO_A_DAY}frequency_caps: [{{purpose: service, channel: any, at_most: 1, within: 7d}}]\n"
    records = [
        *(event("2026-03-02T09:00:00Z", name) for name in ("c-1", "c-2", "c-3")),
        *(event("2026-03-03T09:00:00Z", name) for name in ("c-1", "c-3")),
    ]
    assert [(name, reason) for name, at, reason in told(tmp_path, records, EACH, policy)][3:] == [
        ("c-1", "CAPPED"),
        ("c-3", "SENT"),
    ]


def one_by_one(records: list[dict[str, Any]], at_most: int, pause: int) -> list[tuple[str, str, str | None]]:
    """The plainest way: all events in order of time, one after the other."""
    days: dict[str, int] = {}
    last: dict[str, int] = {}
    found: list[tuple[str, str, str | None]] = []
    for record in sorted(records, key=lambda one: (one["occurred_at"], one["customer_id"])):
        customer, at = record["customer_id"], record["occurred_at"]
        hour = 24 * int(at[8:10]) + int(at[11:13])
        if customer in last and hour < last[customer] + pause:
            found.append((customer, at, "NOT_RE_ELIGIBLE"))
        elif days.get(at[:10], 0) >= at_most:
            found.append((customer, at, "VOLUME_REACHED"))
        else:
            days[at[:10]] = days.get(at[:10], 0) + 1
            last[customer] = hour
            found.append((customer, at, "SENT"))
    return found


@pytest.mark.parametrize(("seed", "jobs"), [(1, 1), (2, 1), (3, 1), (4, 2)])
def test_all_of_it_is_as_if_told_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, jobs: int
) -> None:
    monkeypatch.setattr(processes, "_WORTH_PROCESSES", 0)
    dice = random.Random(seed)
    times = {
        (f"c-{dice.randrange(12)}", f"2026-03-{dice.randrange(1, 20):02}T{dice.randrange(24):02}:00:00Z")
        for _ in range(200)
    }
    records = [event(at, customer) for customer, at in sorted(times)]
    assert told(tmp_path, records, PAUSING, jobs=jobs) == one_by_one(records, 2, 48)
