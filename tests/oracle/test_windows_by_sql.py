"""Windows on real histories: the core's values are those of window frames that DuckDB computes.

A frame needs one number to order by that no two events of a customer share: microseconds, with four thousand places
in each for events of the same time. The samples' times are whole seconds, so no edge of a window falls into those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from foreword.domain import rulebook as documents
from foreword.domain.core import Core
from foreword.domain.instants import DAY
from foreword.domain.replay import replay
from tests.oracle.samples import NAMES, facts_of, path_of
from tests.reference.writing import book, cel, event, rule

PLACES = 4096

EVENTS = f"""
    create table events as
    with lines as (
        select row_number() over () as line, customer_id, epoch_us(occurred_at::timestamptz) as t, type,
            amount::decimal(18, 4) as amount, data::json as data
        from read_csv(?, all_varchar = true)
    ), placed as (
        select *, row_number() over (partition by customer_id, t order by line) - 1 as place from lines
    )
    select *, t * {PLACES} + place as key from placed
"""  # noqa: S608  - no text of anybody else is in it


@dataclass(frozen=True)
class Asked:
    """One signal for both: its document, and its SQL over `events`."""

    signal: Any
    sql: str
    frames: dict[str, str] = field(default_factory=dict)


def frame(within: int, back: int = 0) -> str:
    """(t - back - within, t - back], to the very event where `back` is 0."""
    end = "current row" if back == 0 else f"{back * PLACES - PLACES + 1} preceding"
    return (
        "(partition by customer_id order by key"
        f" range between {(back + within) * PLACES - PLACES} preceding and {end})"
    )


def of(type: str, value: str) -> str:
    return f"case when type = '{type}' then {value} end"


def asked_of(type: str, other: str, number: str, text: str, window: int) -> dict[str, Asked]:
    """Every windowed signal of one type of event: its number and its text are SQL over the row."""
    filtered, w = event(type), frame(window)
    ever = "(partition by customer_id order by key)"
    amount, word = cel("event.data.amount"), cel(f"event.data.{text}")
    written = f"data->>'$.{text}'"

    def aggregate(kind: Any) -> documents.AggregateSignal:
        return documents.AggregateSignal(kind=kind, value=amount, of=filtered, within=window)

    def valued(kind: Any, within: int | None = window) -> documents.LastSignal:
        return documents.LastSignal(kind=kind, value=word, of=filtered, within=within)

    return {
        "count": Asked(
            documents.CountSignal(of=filtered, within=window), f"count(*) filter (type = '{type}') over {w}"
        ),
        "ever": Asked(documents.CountSignal(of=filtered), f"count(*) filter (type = '{type}') over {ever}"),
        "sum": Asked(aggregate("sum"), f"coalesce(sum({of(type, number)}) over {w}, 0)"),
        "average": Asked(
            aggregate("average"), f"sum({of(type, number)}) over {w} / count({of(type, number)}) over {w}"
        ),
        "min": Asked(aggregate("min"), f"min({of(type, number)}) over {w}"),
        "max": Asked(aggregate("max"), f"max({of(type, number)}) over {w}"),
        "distinct": Asked(
            documents.DistinctSignal(value=word, of=filtered, within=window),
            f"count(distinct {of(type, written)}) over {w}",
        ),
        "last": Asked(valued("last"), f"last_value({of(type, written)} ignore nulls) over {w}"),
        "first": Asked(valued("first"), f"first_value({of(type, written)} ignore nulls) over {w}"),
        "first_ever": Asked(
            valued("first", None), f"first_value({of(type, written)} ignore nulls) over {ever}"
        ),
        "ratio": Asked(
            documents.RatioSignal(of=event(other), to=filtered, at_least=2, within=window),
            f"case when count(*) filter (type = '{type}') over {w} >= 2"
            f" then count(*) filter (type = '{other}') over {w}"
            f" / count(*) filter (type = '{type}') over {w} end",
        ),
        "since": Asked(
            documents.SinceSignal(of=filtered, within=window), f"t - max({of(type, 't')}) over {w}"
        ),
        "baseline": Asked(
            documents.BaselineSignal(signal="count", versus=2, compared_as="ratio"),
            f"case when min(t) over {ever} <= t - {3 * window} then count(*) filter (type = '{type}') over {w}"
            f" / nullif((count(*) filter (type = '{type}') over {frame(window, window)}"
            f" + count(*) filter (type = '{type}') over {frame(window, 2 * window)}) / 2, 0) - 1 end",
        ),
    }


ASKED = {
    "support_tickets": asked_of("ticket_opened", "ticket_reopened", "amount", "category", 14 * DAY),
    "mail_order_invoices": asked_of("order", "cancellation", "amount", "country", 90 * DAY),
    "fund_nav": asked_of("valuation", "valuation", "amount", "peer", 30 * DAY),
    "patient_conditions": asked_of("medication_start", "condition_onset", "amount", "code", 365 * DAY),
}


@pytest.fixture
def events(sample: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(EVENTS, [str(path_of(sample))])
    return connection


@pytest.mark.parametrize("sample", NAMES)
def test_every_windowed_signal_is_what_sql_says(sample: str, events: duckdb.DuckDBPyConnection) -> None:
    asked = ASKED[sample]
    columns = ", ".join(f"{each.sql} as {name}" for name, each in asked.items())
    rows = events.execute(f"select customer_id, t, place, {columns} from events").fetchall()  # noqa: S608
    # An instant makes one rise, at its first event.
    expected = {
        (customer_id, at): dict(zip(asked, values, strict=True))
        for customer_id, at, place, *values in rows
        if place == 0
    }
    found = values_of(sample, {name: each.signal for name, each in asked.items()})
    assert found.keys() == expected.keys()
    different = [
        (key, name, found[key].get(name), value)
        for key, values in expected.items()
        for name, value in values.items()
        if not same(found[key].get(name), value)
    ]
    assert different == []


@pytest.mark.parametrize("sample", [name for name in NAMES if name in ("fund_nav", "mail_order_invoices")])
def test_a_change_is_what_an_asof_join_says(sample: str, events: duckdb.DuckDBPyConnection) -> None:
    over, stale_after = 30 * DAY, 7 * DAY
    rows = events.execute(
        """
        select now.customer_id, now.t, now.amount / before.amount - 1
        from events as now asof left join events as before
            on now.customer_id = before.customer_id and now.t - $over >= before.t
        where now.place = 0 and before.t >= now.t - $over - $stale_after
        """,
        {"over": over, "stale_after": stale_after},
    ).fetchall()
    expected = {(customer_id, at): change for customer_id, at, change in rows}
    signal = documents.ChangeSignal(
        value=cel("event.data.amount"), of=event(), over=over, stale_after=stale_after
    )
    found = {key: of["change"] for key, of in values_of(sample, {"change": signal}).items() if "change" in of}
    positive = {
        key
        for key, (before,) in {
            (row[0], row[1]): row[2:]
            for row in events.execute(
                """
                select now.customer_id, now.t, before.amount
                from events as now asof join events as before
                    on now.customer_id = before.customer_id and now.t - $over >= before.t
                """,
                {"over": over},
            ).fetchall()
        }.items()
        if before > 0
    }
    assert found.keys() == expected.keys() & positive
    assert [key for key in found if not same(found[key], expected[key])] == []


@pytest.mark.parametrize("sample", NAMES)
def test_rises_of_a_count_are_what_sql_says(sample: str, events: duckdb.DuckDBPyConnection) -> None:
    type, window = {
        "support_tickets": ("ticket_opened", 7 * DAY),
        "mail_order_invoices": ("order", 30 * DAY),
        "fund_nav": ("valuation", 3 * DAY),
        "patient_conditions": ("medication_start", 90 * DAY),
    }[sample]
    expected = events.execute(
        """
        with counted as (
            select e.customer_id, e.t, e.key,
                count(*) filter (p.t > e.t - $window and p.key <= e.key) as now,
                count(*) filter (p.t >= e.t - $window and p.t < e.t) as before
            from events as e join events as p using (customer_id)
            where e.type = $type and p.type = $type
            group by all
        )
        select distinct customer_id, t from counted where now >= 2 and before < 2
        """,
        {"type": type, "window": window},
    ).fetchall()
    twice = rule("n >= 2", {"n": documents.CountSignal(of=event(type), within=window)})
    core = Core(book(twice)).as_live()
    found = [
        (customer_id, decision.at)
        for customer_id, facts in facts_of(sample).items()
        for decision in replay(core, customer_id, {}, facts).decisions
    ]
    assert len(expected) > 0
    assert sorted(found) == sorted(expected)


def values_of(sample: str, signals: Mapping[str, Any]) -> dict[tuple[str, int], Mapping[str, Any]]:
    """The core's signals at the first event of each instant of each customer."""
    always = rule("all >= 0", {**signals, "all": documents.CountSignal(of=event())}, repeat=True)
    core = Core(book(always, retention=400 * 365 * DAY)).as_live()
    return {
        (customer_id, decision.at): decision.signals
        for customer_id, facts in facts_of(sample).items()
        for decision in replay(core, customer_id, {}, facts).decisions
    }


def same(ours: Any, theirs: Any) -> bool:
    """SQL divides in doubles, and a duration is seconds there."""
    if isinstance(ours, str) and isinstance(theirs, int):
        return ours == f"{theirs // 1_000_000}s"
    if isinstance(ours, int | Decimal) and isinstance(theirs, int | float | Decimal):
        return abs(float(ours) - float(theirs)) <= 1e-12 * max(1.0, abs(float(ours)))
    return bool(ours == theirs)
