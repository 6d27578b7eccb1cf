"""Loading a rulebook of 10, 100 and 1000 rules: validated and compiled, beside its YAML merely parsed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.benchmarks.ours.rulebooks import write_sources
from tests.benchmarks.processes import Failed, output
from tests.benchmarks.results import Row, Section, Verdict, ratio
from tests.benchmarks.settings import Settings
from tests.benchmarks.workload import make

TITLE = "Loading a rulebook: CPU"
RULE_COUNTS = (10, 100, 1000)


def run(settings: Settings, folder: Path, say: Callable[[str], None]) -> Section:
    found: dict[int, Mapping[str, float] | str] = {}
    for count in RULE_COUNTS:
        say(f"{count} rules")
        workload = make(count, events=1, customers=1)
        path = folder / f"workload-load-{count}.json"
        workload.write(path)
        sources = write_sources(folder / f"rules-load-{count}", workload.rules)
        command = [sys.executable, "-m", "tests.benchmarks.ours.loading", str(path), str(sources), "2"]
        try:
            found[count] = output(command, timeout=settings.timeout * 4, python_path="functions")
        except Failed as error:
            found[count] = str(error)
    return Section(
        "load",
        TITLE,
        [
            _row("rules read, checked and published", "parsing their YAML alone", "load", "yaml", found),
            _row(
                "published rules made ready, every handler compiled",
                "reading and publishing them",
                "start",
                "load",
                found,
            ),
        ],
    )


def _row(what: str, against: str, of: str, to: str, found: Mapping[int, Mapping[str, float] | str]) -> Row:
    values: dict[str, str] = {}
    numbers: dict[str, float] = {}
    for count, times in found.items():
        if isinstance(times, str):
            values[f"{count} rules"] = times
        else:
            numbers[str(count)] = times[of] / times[to]
            values[f"{count} rules"] = ratio(numbers[str(count)])
    return Row(what, against, values, verdict=None if numbers else Verdict.NOT_RUN, numbers=numbers)
