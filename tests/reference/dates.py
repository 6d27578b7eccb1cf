"""The moments of dates and schedules, in the customer's zone as it is at that very moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from foreword.domain.rulebook import DateSignal, Policy, Schedule
from tests.reference.conditions import (
    EPOCH,
    Missing,
    Time,
    read_time,
    to_micros,
    value_or_none,
)
from tests.reference.history import History

DAY = 86_400_000_000
FIRST_MONDAY = date(1970, 1, 5)


def moments(signal: DateSignal, policy: Policy, history: History, start: int, end: int) -> list[int]:
    """The instants from `start` to `end` that are the date's, by the profile as it is at each."""

    def candidates(profile: Mapping[str, Any]) -> list[int]:
        zone = zone_of(profile, policy)
        found = _date(value_or_none(signal.value, {"profile": profile, "lists": history.lists}), zone)
        if found is None:
            return []
        days = [found]
        if signal.yearly:
            years = range(max(found.year, _local(start, zone).year - 1), _local(end, zone).year + 3)
            days = [_in_year(found, year) for year in years]
        return [_instant(day, signal.at, zone, earlier=signal.before) for day in days]

    return _as_the_profile_is(history, start, end, candidates)


def scheduled(schedule: Schedule, policy: Policy, history: History, start: int, end: int) -> list[int]:
    """The instants from `start` to `end` at which a rule is evaluated."""

    def candidates(profile: Mapping[str, Any]) -> list[int]:
        zone = zone_of(profile, policy)
        first, last = _local(start, zone).date(), _local(end, zone).date()
        days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
        return [_instant(day, schedule.at, zone) for day in days if _is_scheduled(schedule, day)]

    return _as_the_profile_is(history, start, end, candidates)


def zone_of(profile: Mapping[str, Any], policy: Policy) -> ZoneInfo:
    """The customer's, or the policy's where that names none."""
    try:
        return ZoneInfo(profile.get("timezone", policy.default_timezone))
    except Exception:  # noqa: BLE001 - whatever is wrong with a name, it is none
        return ZoneInfo(policy.default_timezone)


def _as_the_profile_is(
    history: History, start: int, end: int, candidates: Callable[[Mapping[str, Any]], list[int]]
) -> list[int]:
    changes = [start, *(at for at in history.profile_changes() if start < at <= end), end + 1]
    return sorted(
        {
            at
            for since, until in pairwise(changes)
            for at in candidates(history.profile_at(since))
            if since <= at < until
        }
    )


def _is_scheduled(schedule: Schedule, day: date) -> bool:
    days = (day - FIRST_MONDAY).days
    if schedule.weekday is None:
        return days % (schedule.every // DAY) == 0
    return day.weekday() == schedule.weekday and days // 7 % (schedule.every // (7 * DAY)) == 0


def _date(value: Any, zone: ZoneInfo) -> date | None:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value) if len(value) == 10 else _local(_micros(value), zone).date()
        except (ValueError, Missing):
            return None
    return _local(int(value.micros), zone).date() if isinstance(value, Time) else None


def _micros(text: str) -> int:
    return int(read_time(text).micros)


def _in_year(day: date, year: int) -> date:
    """29 February falls on the 28th where there is none."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def _instant(day: date, minutes: int, zone: ZoneInfo, earlier: int = 0) -> int:
    """A time of the clock on the wall; one that is skipped or comes twice is as before the change."""
    wall = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minutes, microseconds=-earlier)
    return to_micros(wall.replace(tzinfo=zone).astimezone(UTC))


def _local(at: int, zone: ZoneInfo) -> datetime:
    return (EPOCH + timedelta(microseconds=at)).astimezone(zone)
