"""`foreword backtest` over a JSONL history with ten rules, on one core, beside json.loads over the same file."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from foreword.domain.instants import format_instant
from tests.benchmarks.model import expect
from tests.benchmarks.ours.rulebooks import write_sources
from tests.benchmarks.processes import ROOT, Failed
from tests.benchmarks.results import Row, Section, Verdict, judged, ratio
from tests.benchmarks.settings import Settings
from tests.benchmarks.workload import Workload, make

TITLE = "foreword backtest, ten rules on JSONL, one core: CPU"
AT_MOST_OF_JSON = 6.0
AGAINST = "json.loads over the same file"

_JSON_LOADS = """
import json, sys, time
begun = time.process_time()
with open(sys.argv[1], "rb") as lines:
    for line in lines:
        json.loads(line)
print(time.process_time() - begun)
"""


def run(settings: Settings, folder: Path, say: Callable[[str], None]) -> Section:
    workload = make(10, events=settings.history, customers=settings.history // 10)
    history = folder / "history.jsonl"
    write_history(workload, history)
    rules = write_sources(folder / "rules-backtest", workload.rules) / "rules"
    decisions = folder / "decisions.jsonl"
    cli = [sys.executable, "-c", "from foreword.cli.main import main; main()", "backtest"]
    command = [*cli, "--rules", str(rules), "--events", str(history), "--decisions", str(decisions)]
    baseline = [sys.executable, "-c", _JSON_LOADS, str(history)]
    ours = plain = float("inf")
    what = f"{settings.history:,} events, the whole process"
    goal = f"≤ {AT_MOST_OF_JSON:g}"
    try:
        for _ in range(settings.rounds):
            say("foreword backtest")
            ours = min(ours, _cpu(command))
            say("json.loads")
            plain = min(plain, float(_run(baseline)))
    except Failed as error:
        return Section("backtest", TITLE, [Row(what, AGAINST, {"": str(error)}, goal, Verdict.NOT_RUN)])
    fired, expected = _fired(decisions), expect(workload).firings
    if fired != expected:
        wrong = {"": f"{fired} firings, not {expected}"}
        return Section("backtest", TITLE, [Row(what, AGAINST, wrong, goal, Verdict.WRONG)])
    value = ours / plain
    numbers = {"ratio": value, "events_per_cpu_second": settings.history / ours}
    note = f"{settings.history / ours:,.0f} events for each second of CPU"
    row = Row(what, AGAINST, {"": ratio(value)}, goal, judged(value, at_most=AT_MOST_OF_JSON), note, numbers)
    return Section("backtest", TITLE, [row])


def write_history(workload: Workload, path: Path) -> None:
    with path.open("w", encoding="utf-8") as lines:
        for event in workload.events:
            line = {
                "source": "benchmark",
                "type": event.type,
                "id": str(event.at),
                "customer_id": event.customer_id,
                "occurred_at": format_instant(event.at * 1000),
                "data": event.data(),
            }
            lines.write(json.dumps(line) + "\n")


def _cpu(command: Sequence[str]) -> float:
    """Seconds of CPU, user and system, of the process and those it started; raises Failed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _run(command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _run(command: Sequence[str]) -> str:
    """On one core; what it printed."""
    done = subprocess.run(  # noqa: S603 - commands of this package
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "functions"},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=_on_one_core,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise Failed(lines[-1] if lines else f"exit code {done.returncode}")
    return done.stdout


def _on_one_core() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _fired(decisions: Path) -> int:
    with decisions.open(encoding="utf-8") as lines:
        return sum(json.loads(line)["outcome"] == "fired" for line in lines)
