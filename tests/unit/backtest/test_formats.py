"""One history decides the same, in whichever format it is kept (rules.md, History files for `backtest`)."""

from __future__ import annotations

import csv
import gzip
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.unit.backtest.support import rule, rulebook, run, write_lines

SHARED = Path(__file__).parents[4] / "shared" / "data"
SAMPLES = sorted(SHARED.glob("*_sample.csv.gz"))

CHANGED = "change: {change: event.data.amount, of: valuation, over: 30d}"
OPENED = "opened: {count: ticket_opened, where: 'event.data.priority <= 3', within: 14d}"
WAITED = "waited: {absence: ticket_resolved, after: ticket_opened, within: 5d, timer: each}"
LARGE = "large: {each: order, where: 'event.data.lines >= 10 && event.data.amount >= 100.1'}"
BEHIND = "gap: {peers: change, cohort: event.data.peer, statistic: median, at_least: 3, period: 1d}"
NEW = "code: {first_time: event.data.code, of: condition_onset, within: 3650d}"

RULES = {
    "support_tickets": [rule("tickets", OPENED, "opened >= 2"), rule("unresolved", WAITED, "waited")],
    "mail_order_invoices": [
        rule("spent", "spent: {sum: event.data.amount, of: order, within: 30d}", "spent > 300"),
        rule("large", LARGE, "large"),
    ],
    "fund_nav": [
        rule("down", CHANGED, "change < -0.05"),
        rule("behind", f"{CHANGED}\n  {BEHIND}", "gap < -0.05"),
    ],
    "patient_conditions": [
        rule("onsets", "onsets: {count: condition_onset, within: 900d}", "onsets >= 3"),
        rule("new", NEW, "code"),
    ],
}


def as_records(sample: Path) -> list[dict[str, Any]]:
    """As JSON Lines hold it, by the page's words on CSV; a number is kept as its text by the raw JSON of a cell."""
    with gzip.open(sample, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    records = []
    for row in rows:
        data = {"amount": float(row["amount"])} if row["amount"] else {}
        data |= json.loads(row["data"]) if row["data"] else {}
        head = {name: row[name] for name in ("customer_id", "occurred_at", "type")}
        records.append({**head, "data": data})
    return records


def csv_of(sample: Path, folder: Path) -> Path:
    path = folder / "history.csv"
    with gzip.open(sample, "rb") as packed, path.open("wb") as plain:
        shutil.copyfileobj(packed, plain)
    return path


def json_lines(sample: Path, folder: Path) -> Path:
    return write_lines(folder / "history.jsonl", as_records(sample))


def packed_json_lines(sample: Path, folder: Path) -> Path:
    return write_lines(folder / "history.jsonl.gz", as_records(sample))


def copy(table: str, path: Path) -> None:
    with duckdb.connect() as database:
        database.query(f"FROM {table}").write_parquet(str(path))


def parquet(sample: Path, folder: Path) -> Path:
    """As DuckDB guesses the types: customers may be numbers, times are timestamps."""
    path = folder / "history.parquet"
    copy(f"read_csv('{sample}')", path)
    return path


def parquet_of_texts(sample: Path, folder: Path) -> Path:
    path = folder / "history.parquet"
    copy(f"read_csv('{sample}', all_varchar = true)", path)
    return path


def parquet_with_nested_data(sample: Path, folder: Path) -> Path:
    path = folder / "history.parquet"
    lines = json_lines(sample, folder)
    copy(f"read_json('{lines}')", path)
    return path


def with_ids(sample: Path, folder: Path) -> Path:
    records = [
        {**record, "source": "shop", "id": f"id-{nth}"} for nth, record in enumerate(as_records(sample))
    ]
    return write_lines(folder / "history.jsonl", records)


def with_every_row_twice(sample: Path, folder: Path) -> Path:
    records = [{**record, "id": f"id-{nth}"} for nth, record in enumerate(as_records(sample))]
    random.Random(7).shuffle(again := list(records))
    return write_lines(folder / "history.jsonl", [*records, *again])


def shuffled_but_for_equal_times(sample: Path, folder: Path) -> Path:
    """Those of one customer and time keep their order."""
    records = [{**record, "id": f"id-{nth}"} for nth, record in enumerate(as_records(sample))]
    together: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        together.setdefault(record["occurred_at"], []).append(record)
    groups = list(together.values())
    random.Random(8).shuffle(groups)
    return write_lines(folder / "history.jsonl", [record for group in groups for record in group])


WRITERS: list[Callable[[Path, Path], Path]] = [
    csv_of,
    json_lines,
    packed_json_lines,
    parquet,
    parquet_of_texts,
    parquet_with_nested_data,
    with_ids,
    with_every_row_twice,
    shuffled_but_for_equal_times,
]


def named(value: Any) -> str:
    return value.name.removesuffix("_sample.csv.gz") if isinstance(value, Path) else value.__name__


def rules_for(sample: Path, folder: Path) -> Path:
    return rulebook(folder / "rulebook", *RULES[named(sample)])


@pytest.mark.parametrize("write", WRITERS, ids=named)
@pytest.mark.parametrize("sample", SAMPLES, ids=named)
def test_a_sample_decides_the_same_in_every_format(
    sample: Path, write: Callable[[Path, Path], Path], tmp_path: Path
) -> None:
    rules = rules_for(sample, tmp_path)
    expected = run(rules, sample)
    found = run(rules, write(sample, tmp_path))
    assert expected.lines
    assert found.lines == expected.lines
    assert not found.seen.broken_records


@pytest.mark.parametrize("sample", SAMPLES, ids=named)
def test_a_number_of_a_sample_is_its_text(sample: Path, tmp_path: Path) -> None:
    rules = rules_for(sample, tmp_path)
    assert run(rules, sample).text == run(rules, csv_of(sample, tmp_path)).text
