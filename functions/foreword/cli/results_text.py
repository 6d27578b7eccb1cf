"""Results of an experiment for people, readable in 80 columns, and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from foreword.domain.instants import format_duration
from foreword.domain.rulebook import Goal

if TYPE_CHECKING:
    from foreword.experiments.results import ArmResult, Results

_COLUMNS = ("arm", "exposed", "converted", "rate", "difference (95 %)", "lift", "p")


def print_text(rule: str, goal: Goal, told: Results) -> None:
    console = Console(highlight=False, emoji=False)
    table = Table(box=None, pad_edge=False)
    for column in _COLUMNS:
        table.add_column(column, justify="left" if column == "arm" else "right")
    for arm in told.arms:
        table.add_row(*map(Text, _cells(arm)))
    event = ", ".join(goal.event.types) if goal.event.types is not None else "any event"
    console.print(
        Text(f"{rule}: {event} within {format_duration(goal.within)} of the first decision", "bold")
    )
    console.print(table)
    for note in _notes(told):
        console.print(Text(note))


def to_json(rule: str, goal: Goal, told: Results) -> dict[str, Any]:
    """`share` as a number, figures that do not exist as null."""
    arms = [
        {
            **asdict(arm),
            "share": float(arm.share),
            "compared": None if arm.compared is None else arm.compared._asdict(),
        }
        for arm in told.arms
    ]
    return {
        "rule": rule,
        "within": format_duration(goal.within),
        "arms": arms,
        "waiting": told.waiting,
        "crossed": told.crossed,
        "mismatch": {"p_value": told.mismatch, "found": told.is_mismatched},
    }


def _cells(arm: ArmResult) -> tuple[str, ...]:
    compared = arm.compared
    return (
        arm.arm,
        str(arm.exposed),
        str(arm.converted),
        "" if arm.rate is None else f"{arm.rate:.2%}",
        ""
        if compared is None
        else f"{_points(compared.difference)} ({_points(compared.low)} to {_points(compared.high)})",
        "" if arm.lift is None else f"{arm.lift:+.1%}",
        "" if compared is None else _probability(compared.p_value),
    )


def _points(share: float) -> str:
    """Percentage points."""
    return f"{share * 100:+.2f}"


def _probability(p_value: float) -> str:
    return "< 0.0001" if p_value < 0.0001 else f"{p_value:.4f}"


def _notes(told: Results) -> Iterator[str]:
    if told.mismatch is None:
        yield "Nobody has been exposed yet."
        return
    yield f"Compared with {told.arms[0].arm}; differences in percentage points."
    if told.waiting:
        yield f"{told.waiting} customers have not had the whole time of the goal yet."
    if told.crossed:
        yield f"{told.crossed} customers were later in another arm; each counts in the first one."
    if told.is_mismatched:
        shares = ", ".join(f"{arm.arm} {arm.share:.2%}" for arm in told.arms)
        yield (
            f"WARNING: the arms are not as large as their shares ({shares}) say (p {_probability(told.mismatch)}). "
            "Something else decides who is in them; do not believe these results before you know what."
        )
