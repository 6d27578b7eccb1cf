"""Signals whose moment lies ahead: the deadline of an absence, a date of the profile."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from foreword.domain import json_text
from foreword.domain.conditions import compile_expression
from foreword.domain.errors import ConditionError
from foreword.domain.facts import Fact
from foreword.domain.instants import DAY, Duration, Instant, parse_instant, to_datetime, to_instant
from foreword.domain.rulebook import AbsenceSignal, DateSignal
from foreword.domain.signals.tracker import Moment, Part

LATEST_DEADLINE: Instant = parse_instant("9999-01-01T00:00:00Z")
"""A deadline beyond it is none: the calendar must hold what is added to it."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class Pending:
    """`deadlines` as [deadline, key of the causing fact, that fact], in order; `at` is the one met last.

    The fact itself, as JSON text, is kept only where a condition names `event`; None stands there otherwise.
    """

    __slots__ = ("at", "deadlines")

    def __init__(self, deadlines: list[Any], at: Instant | None = None) -> None:
        self.deadlines = deadlines
        self.at = at

    @property
    def first(self) -> Instant | None:
        return self.deadlines[0][0] if self.deadlines else None

    def ring(self) -> tuple[str, Fact | None]:
        """Meet the first deadline: its causing fact's key, and the fact where it is kept."""
        self.at, key, kept = self.deadlines.pop(0)
        if kept is None:
            return key, None
        return key, Fact.from_json(json_text.loads(kept, max_depth=2 * json_text.MAX_DEPTH))


class Deadlines(Moment):
    """What an absence and a date have in common: they are asked when their deadline has come."""

    def start(self) -> Pending:
        return Pending([])

    def pack(self, memory: Pending, t: Instant) -> Any:
        at = memory.at if memory.at is not None and memory.at >= t else None
        if not memory.deadlines and at is None:
            return None
        return [memory.deadlines] if at is None else [memory.deadlines, at]

    def unpack(self, packed: Any) -> Pending:
        return Pending([list(entry) for entry in packed[0]], packed[1] if len(packed) > 1 else None)


class AbsenceTracker(Deadlines):
    def __init__(self, signal: AbsenceSignal, *, keep_event: bool) -> None:
        self._keep_event = keep_event
        self._within = signal.within
        self._newest_only = signal.timer == "last"
        # First what the fact ends, then what it begins: an `after` event is never its own absence.
        self.parts = (
            Part(signal.absence, "end"),
            Part(signal.after, "begin", "fact", signal.until),
        )

    def end(self, memory: Pending, t: Instant) -> None:
        memory.deadlines = [entry for entry in memory.deadlines if entry[0] < t]

    def begin(self, memory: Pending, t: Instant, fact: Fact, until: Any) -> None:
        if self._newest_only:
            self.end(memory, t)
        deadline = t + self._within if self._within is not None else _time(until)
        if deadline is not None and t <= deadline <= LATEST_DEADLINE:
            kept = json_text.dumps(fact.to_json()) if self._keep_event else None
            memory.deadlines.append([deadline, fact.key, kept])
            memory.deadlines.sort(key=lambda entry: entry[0])


class DateTracker(Deadlines):
    """Its deadline is set from the profile, whenever that is written."""

    def __init__(self, signal: DateSignal) -> None:
        self._value = compile_expression(signal.value)
        self._before = signal.before
        self._at = time(signal.at // 60, signal.at % 60)
        self._yearly = signal.yearly
        self.parts = ()

    def set(self, memory: Pending, profile: Mapping[str, Any], zone: tzinfo, t: Instant) -> None:
        """Wait for the first moment at or after `t` that this profile makes."""
        moment = self._next(profile, zone, t)
        memory.deadlines = [] if moment is None else [[moment, f"date/{moment}", None]]

    def _next(self, profile: Mapping[str, Any], zone: tzinfo, t: Instant) -> Instant | None:
        try:
            day = _day(self._value({"profile": profile}), zone)
        except ConditionError:
            return None
        if day is None:
            return None
        if not self._yearly:
            moment = self._moment(day, zone)
            return moment if moment is not None and moment >= t else None
        # The year's moment may lie in the year before or after its day; 29 February is 28 February elsewhere.
        this_year = to_datetime(t).year
        for year in range(max(this_year - 1, 1), this_year + 3 + self._before // (365 * DAY)):
            moment = self._moment(_in_year(day, year), zone)
            if moment is not None and moment >= t:
                return moment
        return None

    def _moment(self, day: date, zone: tzinfo) -> Instant | None:
        """Whole days are taken from the calendar, what is left of `before` from the clock."""
        days, rest = divmod(self._before, DAY)
        try:
            local = datetime.combine(day - timedelta(days=days), self._at, zone)
            moment = to_instant(local.astimezone(UTC)) - rest
        except (OverflowError, ValueError):
            return None
        return moment if moment <= LATEST_DEADLINE else None


def _in_year(day: date, year: int) -> date:
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def _day(value: Any, zone: tzinfo) -> date | None:
    """Of a date's text, or of a time in the customer's zone."""
    if isinstance(value, datetime):
        return value.astimezone(zone).date()
    if not isinstance(value, str):
        return None
    try:
        if _DATE.fullmatch(value):
            return date.fromisoformat(value)
        return to_datetime(parse_instant(value)).astimezone(zone).date()
    except (ValueError, OverflowError):
        return None


def _time(value: Any) -> Duration | None:
    if isinstance(value, datetime):
        return to_instant(value)
    try:
        return parse_instant(value)
    except (ValueError, TypeError):
        return None
