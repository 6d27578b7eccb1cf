"""`foreword backtest` from end to end: the command itself, its processes, and one history in three formats."""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from foreword.local import project
from tests.unit.backtest.support import COUNTED, EACH, event, rule, rulebook, write_lines

ROOT = project.find().cdk.parent
WAITED = rule("waited", "waited: {absence: Answer, after: Contact, within: 3d, timer: each}", "waited")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two rulebooks, a policy, customers, and a history large enough to be shared among processes."""
    folder = tmp_path_factory.mktemp("backtest")
    rulebook(folder / "rules", COUNTED, WAITED)
    rulebook(folder / "other", COUNTED, EACH)
    (folder / "policy.yaml").write_text('quiet_hours: {from: "20:00", to: "09:00"}\n')
    customers = [{"customer_id": f"c-{nth}", "timezone": "Europe/Berlin"} for nth in range(0, 1200, 2)]
    write_lines(folder / "customers.jsonl", customers)
    generator = random.Random(11)
    records = [
        event(
            f"2026-02-{nth // 1500 + 1:02}T{generator.randrange(24):02}:{generator.randrange(60):02}:00Z",
            f"c-{generator.randrange(1000)}",
            generator.choice(["Contact", "Answer", "Other"]),
            id=f"e-{nth}",
            data={"amount": generator.randrange(10_000) / 100, "channel": "phone", "note": "x" * 40},
        )
        for nth in range(30_000)
    ]
    lines = write_lines(folder / "history.jsonl", records)
    assert lines.stat().st_size > 4 * 1024 * 1024
    columns = ("source", "type", "id", "customer_id", "occurred_at")
    with gzip.open(folder / "history.csv.gz", "wt", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([*columns, "amount", "data"])
        for record in records:
            data = {name: value for name, value in record["data"].items() if name != "amount"}
            rows.writerow([*(record[name] for name in columns), record["data"]["amount"], json.dumps(data)])
    with duckdb.connect() as database:
        database.query(f"FROM read_json('{lines}')").write_parquet(str(folder / "history.parquet"))
    return folder


def backtest(folder: Path, history: str, *more: str) -> tuple[list[dict[str, Any]], bytes]:
    """What it told programs, and the decisions that it wrote."""
    command = [
        sys.executable,
        "-m",
        "foreword.cli.main",
        "backtest",
        "--rules",
        "rules",
        "--events",
        history,
        "--json",
    ]
    files = ["--policy", "policy.yaml", "--customers", "customers.jsonl", "--compare", "other"]
    done = subprocess.run(  # noqa: S603
        [*command, *files, "--decisions", "out.jsonl", "--report", "out.html", *more],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "functions")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "out.html").read_text().endswith("</html>\n")
    return [json.loads(line) for line in done.stdout.splitlines()], (folder / "out.jsonl").read_bytes()


def test_the_command_decides_the_same_in_every_format_and_in_any_number_of_processes(folder: Path) -> None:
    told, decisions = backtest(folder, "history.jsonl", "--jobs", "1")
    summary = told[-1]
    assert (summary["events"], summary["customers"], summary["broken"]) == (30_000, 1100, 0)
    lines = [json.loads(line) for line in decisions.splitlines()]
    assert len(lines) == summary["rises"] > 1000
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    assert sum(line["outcome"] == "fired" for line in lines) == summary["fired"]
    for history in ("history.jsonl", "history.csv.gz", "history.parquet"):
        again, same = backtest(folder, history, "--jobs", "2")
        assert same == decisions
        assert [{**line, "events_file": ""} for line in again] == [
            {**line, "events_file": ""} for line in told
        ]
