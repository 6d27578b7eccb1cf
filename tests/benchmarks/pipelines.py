"""From the bytes of a batch to the bytes of the state, beside the core alone on the same events."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.ours.rulebooks import write_published
from tests.benchmarks.processes import Failed, output
from tests.benchmarks.results import Row, Section, Verdict, judged, ratio
from tests.benchmarks.settings import Settings
from tests.benchmarks.workload import make

TITLE = "Bytes, decoded, state decoded, decided, state encoded: CPU per event"
AT_MOST_OF_CORE = 2.3
TOGETHER = (1, 10)
EVENTS_A_CUSTOMER = 40
"""On average: enough that most batches of ten are whole ones."""


def run(settings: Settings, folder: Path, say: Callable[[str], None]) -> Section:
    events = settings.events // 2
    workload = make(10, events=events, customers=events // EVENTS_A_CUSTOMER)
    path = folder / "workload-pipeline.json"
    workload.write(path)
    published = write_published(folder / "rules-pipeline", workload.rules)
    rows = []
    for together in TOGETHER:
        say(f"g = {together}")
        arguments = [str(path), str(settings.passes), str(published), str(together)]
        command = [sys.executable, "-m", "tests.benchmarks.ours.pipeline", *arguments]
        rows.append(_row(together, command, settings))
    return Section("pipeline", TITLE, rows)


def _row(together: int, command: list[str], settings: Settings) -> Row:
    what, against = f"the whole of evaluate_triggers but AWS, g = {together}", "the core alone"
    goal = f"≤ {AT_MOST_OF_CORE}"
    try:
        found = [
            output(command, timeout=settings.timeout * 4, python_path="functions")
            for _ in range(settings.rounds)
        ]
    except Failed as error:
        return Row(what, against, {"": str(error)}, goal, Verdict.NOT_RUN)
    value = min(one["pipeline"] for one in found) / min(one["core"] for one in found)
    return Row(
        what,
        against,
        {"": ratio(value)},
        goal,
        judged(value, at_most=AT_MOST_OF_CORE),
        numbers={"ratio": value},
    )
