"""Time as the core counts it: whole microseconds since 1970-01-01T00:00:00Z, negative before.

An `Instant` is a point, a `Duration` a length; both are plain `int`, so that comparing and subtracting them in
the fold costs nothing. A day is 24 h (rules.md, Defaults).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

Instant: TypeAlias = int
Duration: TypeAlias = int

SECOND: Duration = 1_000_000
MINUTE: Duration = 60 * SECOND
HOUR: Duration = 60 * MINUTE
DAY: Duration = 24 * HOUR
WEEK: Duration = 7 * DAY

NEVER: Instant = 2**62
"""Later than any time of a calendar."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}
_DURATION = re.compile(r"([0-9]{1,9})([smhdw])", re.ASCII)
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?([Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)


def parse_instant(text: str) -> Instant:
    """RFC 3339 with an offset, up to nanoseconds (cut to microseconds); raises ValueError otherwise."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a time like 2026-03-02T09:00:00Z (date, time and offset)")
    day, clock, fraction, offset = match.groups()
    micros = f".{(fraction or '0')[:6]:0<6}"
    zone = "+00:00" if offset in "Zz" else offset
    try:
        # Through UTC: a time that an offset pushes out of the calendar's years is none.
        return to_instant(datetime.fromisoformat(f"{day}T{clock}{micros}{zone}").astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is not a time: {error}") from None


def format_instant(instant: Instant) -> str:
    """RFC 3339 in UTC, with milliseconds or microseconds only where they are not zero."""
    moment = to_datetime(instant)
    if instant % SECOND == 0:
        spec = "seconds"
    elif instant % 1000 == 0:
        spec = "milliseconds"
    else:
        spec = "microseconds"
    return moment.isoformat(timespec=spec).replace("+00:00", "Z")


def sortable(instant: Instant) -> str:
    """RFC 3339 in UTC, always with six digits: text order is time order (for keys and indexes)."""
    return to_datetime(instant).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_duration(text: str) -> Duration:
    """`90s 30m 6h 7d 2w`; raises ValueError otherwise."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration like 90s, 30m, 6h, 7d or 2w")
    return int(match[1]) * _UNITS[match[2]]


def format_duration(duration: Duration) -> str:
    """In the largest of days, hours, minutes and seconds that says it exactly; a fraction of a second is cut."""
    for unit in "dhm":
        if duration and duration % _UNITS[unit] == 0:
            return f"{duration // _UNITS[unit]}{unit}"
    return f"{duration // SECOND}s"


def to_instant(moment: datetime) -> Instant:
    """`moment` must be aware; exact, no float in between."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def to_datetime(instant: Instant) -> datetime:
    """Aware, in UTC."""
    return _EPOCH + timedelta(microseconds=instant)
