"""Quiet hours in the customer's own time zone, right across changes of the clocks."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from foreword.domain.instants import DAY, HOUR, MINUTE, Duration, Instant, to_datetime
from foreword.domain.rulebook import QuietHours

# Files that lie among the zones: this machine's own time, the rules of one country for zones that have none,
# "not set up yet", and all zones once more, with and without leap seconds.
_NO_PLACES = frozenset({"Factory", "localtime", "posixrules"})
_COPIES = ("posix/", "right/")

_NO_TWO_CHANGES_WITHIN: Duration = 6 * HOUR
_A_MINUTE = timedelta(minutes=1)
_DAY_IN_MINUTES = 24 * 60

_LOOK_AHEAD: Duration = 3 * DAY
"""Longer than any night, a day left out of a calendar included."""


def zone_of(name: Any, default: str) -> ZoneInfo:
    """The customer's zone; the policy's default where the profile names none that is a place's.

    Raises where the default does not exist either: then nobody knows what time it is, and nothing may be sent.
    """
    zone = _zone(name) if isinstance(name, str) else None
    return zone or ZoneInfo(default)


def is_quiet(quiet: QuietHours, zone: ZoneInfo, at: Instant) -> bool:
    """Whether the local clock stands inside; `start` is inside, `end` is not, equal ones are never."""
    local = to_datetime(at).astimezone(zone)
    minute = local.hour * 60 + local.minute
    if quiet.start <= quiet.end:
        return quiet.start <= minute < quiet.end
    return minute >= quiet.start or minute < quiet.end


def next_allowed(quiet: QuietHours, zone: ZoneInfo, at: Instant, lasting: Duration = 0) -> Instant:
    """The earliest instant from `at` on at which all of `[it, it + lasting]` is outside quiet hours.

    `lasting` is less than a minute. Either `at` itself or the start of a minute: zones have changed their
    clocks at whole minutes only since 1972. Quiet hours that never end give a time some days ahead, at which
    the caller asks again.
    """
    if not is_quiet(quiet, zone, at) and not is_quiet(quiet, zone, at + lasting):
        return at
    soon = _by_arithmetic(quiet, zone, at)
    if soon is not None:
        return soon
    minute = at - at % MINUTE + MINUTE
    end = at + _LOOK_AHEAD
    # Minute by minute, not by arithmetic on local times: a night may lose or gain an hour, or all of it.
    while minute < end and is_quiet(quiet, zone, minute):
        minute += MINUTE
    return minute


def _by_arithmetic(quiet: QuietHours, zone: ZoneInfo, at: Instant) -> Instant | None:
    """The end of the quiet hours that `at` lies in; None where it lies in none, or the clocks change until then."""
    local = to_datetime(at).astimezone(zone)
    offset = local.utcoffset()
    minute = local.hour * 60 + local.minute
    inside = (
        quiet.start <= minute < quiet.end
        if quiet.start <= quiet.end
        else not quiet.end <= minute < quiet.start
    )
    if not inside or offset is None or offset % _A_MINUTE:
        return None
    end = at - at % MINUTE + (quiet.end - minute) % _DAY_IN_MINUTES * MINUTE
    asked = (*range(at, end, _NO_TWO_CHANGES_WITHIN), end)
    if any(to_datetime(one).astimezone(zone).utcoffset() != offset for one in asked) or is_quiet(
        quiet, zone, end
    ):
        return None
    return end


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    if name in _NO_PLACES or name.startswith(_COPIES):
        return None
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # not a name, a folder of names, or not a zone's file
        return None
