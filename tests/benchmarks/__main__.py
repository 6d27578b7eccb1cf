"""Every benchmark in one run, and one table of what it found.

    python -m tests.benchmarks [--quick] [--only NAME]... [--json OUT]

A rival engine is installed from PyPI into an environment of its own that is thrown away; Siddhi needs a JDK. One
that cannot be had stands in the table all the same, with the reason. Exit 1 where a goal was missed or a result
was wrong.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from rich.console import Console

from tests.benchmarks import backtests, calls, deciding, expressions, loads, pipelines, results, state_size
from tests.benchmarks.processes import Environments
from tests.benchmarks.results import Row, Section, Verdict
from tests.benchmarks.settings import FULL, QUICK, Settings

MOST_BUSY = 0.3
"""Load a core: with more than that from others, the figures are not for showing."""

Benchmark: TypeAlias = Callable[[Callable[[str], None]], Section]

NAMES = ("deciding", "pipeline", "expressions", "state", "load", "backtest", "calls")


def main() -> int:
    arguments = _arguments()
    settings = QUICK if arguments.quick else FULL
    busy = how_busy()
    progress = Console(stderr=True, highlight=False, markup=False)
    with tempfile.TemporaryDirectory(prefix="foreword-benchmarks-") as folder:
        benchmarks = _benchmarks(settings, Path(folder))
        chosen = [name for name in NAMES if name in (arguments.only or NAMES)]
        sections = [_section(name, benchmarks[name], progress) for name in chosen]
    about = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": machine(),
        "busy": busy,
        "quick": arguments.quick,
    }
    print(results.markdown(sections, heading=_heading(about)))  # noqa: T201
    if arguments.json is not None:
        arguments.json.write_text(results.as_json(sections, about), encoding="utf-8")
    verdicts = {row.verdict for section in sections for row in section.rows}
    return 1 if verdicts & {Verdict.MISSED, Verdict.WRONG, Verdict.FAILED} else 0


def _section(name: str, benchmark: Benchmark, progress: Console) -> Section:
    """One that raises stands in the table as such, and does not take the others' figures with it."""
    try:
        return benchmark(partial(progress.print, f"{name}:"))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is shown
        progress.print_exception()
        trouble = {"": f"{type(error).__name__}: {error}"}
        return Section(name, name, [Row(name, "", trouble, verdict=Verdict.FAILED)])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little of everything: to see that it works")
    parser.add_argument(
        "--only", action="append", choices=NAMES, help="this benchmark; may stand several times"
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures to this file")
    return parser.parse_args()


def _benchmarks(settings: Settings, folder: Path) -> dict[str, Benchmark]:
    (folder / "environments").mkdir()
    environments = Environments(folder / "environments")
    return {
        "deciding": lambda say: deciding.run(settings, environments, folder, say),
        "pipeline": lambda say: pipelines.run(settings, folder, say),
        "expressions": lambda say: expressions.run(settings, environments, say),
        "state": lambda say: state_size.run(settings, say),
        "load": lambda say: loads.run(settings, folder, say),
        "backtest": lambda say: backtests.run(settings, folder, say),
        "calls": lambda say: calls.run(settings, say),
    }


def machine() -> str:
    """The processor, how many of it, and the Python."""
    model = platform.machine()
    known = Path("/proc/cpuinfo")
    if known.exists():
        lines = known.read_text(encoding="utf-8").splitlines()
        model = next(
            (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model
        )
    return f"{model}, {os.cpu_count()} cores, {platform.python_implementation()} {platform.python_version()}"


def how_busy() -> float:
    """The load of the last minute for each core, before anything is measured: others' work distorts every ratio,
    since it takes caches as well as time."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)


def _heading(about: Mapping[str, Any]) -> str:
    quick = "; a quick run, too short to show" if about["quick"] else ""
    busy = f"; the machine was busy (load {about['busy']:.1f} a core)" if about["busy"] > MOST_BUSY else ""
    return f"Measured on {about['date']}: {about['machine']}{quick}{busy}."


if __name__ == "__main__":
    sys.exit(main())
