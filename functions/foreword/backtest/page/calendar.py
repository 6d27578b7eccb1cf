"""Days put together, so that a plot has few enough columns: days, weeks, months or years, without gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from foreword.domain.instants import DAY, to_datetime


@dataclass(frozen=True, slots=True)
class Bins:
    """`unit` is what a column stands for, `labels` name them, `column` gives that of a day."""

    unit: str
    labels: tuple[str, ...]
    column: Mapping[int, int]


def bins(first: int, last: int) -> Bins:
    """From day to day, both counted from 1970-01-01 and both included."""
    unit = next(unit for unit, longest in _LONGEST.items() if last - first < longest)
    named = {day: _label(unit, day) for day in range(first, last + 1)}
    labels = tuple(dict.fromkeys(named.values()))
    places = {label: at for at, label in enumerate(labels)}
    return Bins(unit, labels, {day: places[label] for day, label in named.items()})


_LONGEST = {"day": 120, "week": 120 * 7, "month": 120 * 31, "year": 10_000 * 366}
"""Days in all, up to which the unit is used."""


def _label(unit: str, day: int) -> str:
    """As ISO 8601 cuts it; a week by its Monday."""
    date = to_datetime(day * DAY).date()
    if unit == "week":
        date -= timedelta(days=min(date.weekday(), date.toordinal() - 1))
    return date.isoformat()[: {"month": 7, "year": 4}.get(unit, 10)]
