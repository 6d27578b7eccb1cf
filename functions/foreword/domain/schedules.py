"""When a rule with a schedule is evaluated: every so many days or weeks, at a time of the customer's day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from foreword.domain.instants import DAY, Instant, to_datetime, to_instant
from foreword.domain.rulebook import Schedule

_MONDAY = date(1970, 1, 5).toordinal()


def at_or_after(schedule: Schedule, zone: tzinfo, t: Instant) -> Instant:
    """The first evaluation at or after `t`."""
    day = _scheduled_day(schedule, _local_day(t, zone) - 1)
    while (found := _on(schedule, zone, day)) < t:
        day += schedule.every // DAY
    return found


def before(schedule: Schedule, zone: tzinfo, t: Instant) -> Instant:
    """The last evaluation before `t`."""
    every = schedule.every // DAY
    day = _scheduled_day(schedule, _local_day(t, zone) + 1)
    while (found := _on(schedule, zone, day)) >= t:
        day -= every
    return found


def _scheduled_day(schedule: Schedule, day: int) -> int:
    """The first day of the schedule at or after `day` (as ordinals)."""
    return day + (_MONDAY + (schedule.weekday or 0) - day) % (schedule.every // DAY)


def _on(schedule: Schedule, zone: tzinfo, day: int) -> Instant:
    local = datetime.combine(date.fromordinal(day), time(0), zone) + timedelta(minutes=schedule.at)
    return to_instant(local.astimezone(UTC))


def _local_day(t: Instant, zone: tzinfo) -> int:
    return to_datetime(t).astimezone(zone).toordinal()
