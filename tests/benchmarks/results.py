"""What a benchmark found: rows of one table. Ratios, counts and bytes, never a wall-clock time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """`WRONG`: the engine's result is not what the model says; its speed says nothing then. `FAILED`: the benchmark
    itself raised."""

    MET = "met"
    MISSED = "missed"
    WRONG = "WRONG"
    NOT_RUN = "not run"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Row:
    """`values` has a figure for each column of the benchmark, as text; `goal` and `verdict` where there is one.

    `numbers` are the figures the text was made of, for programs.
    """

    what: str
    against: str
    values: Mapping[str, str]
    goal: str = ""
    verdict: Verdict | None = None
    note: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Section:
    """One benchmark's rows."""

    name: str
    title: str
    rows: Sequence[Row]


def judged(value: float, *, at_most: float) -> Verdict:
    return Verdict.MET if value <= at_most else Verdict.MISSED


def ratio(value: float) -> str:
    """Two significant digits below ten, none behind the point above: more would pretend to be exact."""
    if value >= 10:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 2 else f"{value:.2f}"


def markdown(sections: Sequence[Section], *, heading: str) -> str:
    """One table under its heading."""
    lines = [heading, "", "| measured | against | figures | goal | |", "|---|---|---|---|---|"]
    for section in sections:
        lines.append(f"| **{section.title}** | | | | |")
        for row in section.rows:
            figures = " · ".join(f"{name}: {value}" if name else value for name, value in row.values.items())
            if row.note:
                figures += f" ({row.note})" if figures else row.note
            verdict = "" if row.verdict is None else row.verdict.value
            lines.append(f"| {row.what} | {row.against} | {figures} | {row.goal} | {verdict} |")
    return "\n".join(lines)


def as_json(sections: Sequence[Section], about: Mapping[str, Any]) -> str:
    return json.dumps({**about, "sections": [asdict(section) for section in sections]}, indent=1)
