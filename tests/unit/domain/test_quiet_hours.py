from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones, reset_tzpath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreword.domain.instants import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Instant,
    parse_instant,
    to_datetime,
    to_instant,
)
from foreword.domain.quiet_hours import is_quiet, next_allowed, zone_of
from foreword.domain.rulebook import CLAIM_TO_CALL, QuietHours

NIGHT = QuietHours(start=20 * 60, end=9 * 60)
AFTERNOON = QuietHours(start=13 * 60, end=15 * 60 + 30)
EARLY = QuietHours(start=60, end=150)
"""01:00 to 02:30, where most zones lose or repeat an hour."""
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = sorted(available_timezones() - {"localtime"})
FROM, TO = parse_instant("2025-07-01T00:00:00Z"), parse_instant("2027-07-01T00:00:00Z")


@cache
def transitions(name: str) -> list[Instant]:
    """Where the zone's clocks change in these two years, to the minute."""
    zone, found = ZoneInfo(name), []
    for start in range(FROM, TO, 7 * DAY):
        low, high = start, start + 7 * DAY
        if _offset(zone, low) == _offset(zone, high):
            continue
        while high - low > MINUTE:
            middle = low + (high - low) // (2 * MINUTE) * MINUTE
            low, high = (middle, high) if _offset(zone, middle) == _offset(zone, start) else (low, middle)
        found.append(high)
    return found


def _offset(zone: ZoneInfo, at: Instant) -> timedelta | None:
    return to_datetime(at).astimezone(zone).utcoffset()


def _local_minute(zone: ZoneInfo, at: Instant) -> int:
    local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).astimezone(zone)
    return local.hour * 60 + local.minute


@cache
def _minutes(start: int, end: int) -> frozenset[int]:
    """The plainest reading of quiet hours: walk the clock's face from `start` to `end`."""
    minute, inside = start, set()
    while minute != end:
        inside.add(minute)
        minute = (minute + 1) % 1440
    return frozenset(inside)


def _inside(quiet: QuietHours, zone: ZoneInfo, at: Instant) -> bool:
    return _local_minute(zone, at) in _minutes(quiet.start, quiet.end)


@st.composite
def moments(draw: st.DrawFn) -> tuple[ZoneInfo, Instant]:
    """Any zone, and a time near one of its changes where it has some, else any."""
    name = draw(st.sampled_from(ZONES))
    near = [change + hours * HOUR for change in transitions(name) for hours in range(-24, 24)]
    wanted: bool = draw(st.booleans())
    if near and wanted:
        return ZoneInfo(name), draw(st.sampled_from(near)) + draw(st.integers(0, HOUR))
    return ZoneInfo(name), draw(st.integers(FROM, TO))


minutes = st.integers(0, 1439)
windows = st.one_of(st.sampled_from([NIGHT, AFTERNOON]), st.builds(QuietHours, start=minutes, end=minutes))


@settings(deadline=None)
@given(moments(), windows)
def test_what_is_allowed_is_never_inside_until_the_call_has_started(
    moment: tuple[ZoneInfo, Instant], quiet: QuietHours
) -> None:
    zone, at = moment
    allowed = next_allowed(quiet, zone, at, CLAIM_TO_CALL)
    if allowed < at + 3 * DAY:
        assert not any(_inside(quiet, zone, allowed + wait) for wait in range(0, CLAIM_TO_CALL + 1, SECOND))


@settings(deadline=None)
@given(moments(), windows)
def test_nothing_earlier_would_have_been_allowed(moment: tuple[ZoneInfo, Instant], quiet: QuietHours) -> None:
    zone, at = moment
    allowed = next_allowed(quiet, zone, at, CLAIM_TO_CALL)
    earlier = [at, *range(at - at % MINUTE + MINUTE, allowed, MINUTE)] if allowed > at else []
    for instant in earlier:
        assert _inside(quiet, zone, instant) or _inside(quiet, zone, instant + CLAIM_TO_CALL)


def test_every_change_of_every_zone_is_survived() -> None:
    changes = [(ZoneInfo(name), change) for name in ZONES for change in transitions(name)]
    assert len(changes) > 500
    for zone, change in changes:
        for quiet in (NIGHT, EARLY):
            allowed = next_allowed(quiet, zone, change - 2 * HOUR, CLAIM_TO_CALL)
            assert not _inside(quiet, zone, allowed)
            assert not _inside(quiet, zone, allowed + CLAIM_TO_CALL)
            assert allowed == change - 2 * HOUR or _inside(quiet, zone, allowed - 1)


def test_the_start_is_inside_and_the_end_is_not() -> None:
    assert is_quiet(NIGHT, BERLIN, parse_instant("2026-03-02T19:00:00Z"))
    assert not is_quiet(NIGHT, BERLIN, parse_instant("2026-03-02T18:59:59Z"))
    assert not is_quiet(NIGHT, BERLIN, parse_instant("2026-03-03T08:00:00Z"))
    assert is_quiet(NIGHT, BERLIN, parse_instant("2026-03-03T07:59:59Z"))


def test_a_call_that_could_start_inside_waits() -> None:
    just_before = parse_instant("2026-03-02T18:59:55Z")
    assert next_allowed(NIGHT, BERLIN, just_before) == just_before
    assert next_allowed(NIGHT, BERLIN, just_before, CLAIM_TO_CALL) == parse_instant("2026-03-03T08:00:00Z")


def test_the_night_of_the_change_is_an_hour_shorter_or_longer() -> None:
    in_spring = next_allowed(NIGHT, BERLIN, parse_instant("2026-03-28T20:00:00Z"))
    in_autumn = next_allowed(NIGHT, BERLIN, parse_instant("2026-10-24T20:00:00Z"))
    assert in_spring == parse_instant("2026-03-29T07:00:00Z")
    assert in_autumn == parse_instant("2026-10-25T08:00:00Z")


def test_a_window_that_the_clocks_jump_over_ends_at_the_jump() -> None:
    allowed = next_allowed(EARLY, BERLIN, parse_instant("2026-03-29T00:10:00Z"))
    assert allowed == parse_instant("2026-03-29T01:00:00Z")


def test_a_window_that_the_clocks_repeat_is_quiet_twice() -> None:
    two_to_half_past = QuietHours(start=120, end=150)
    assert is_quiet(two_to_half_past, BERLIN, parse_instant("2026-10-25T00:10:00Z"))
    assert not is_quiet(two_to_half_past, BERLIN, parse_instant("2026-10-25T00:40:00Z"))
    assert is_quiet(two_to_half_past, BERLIN, parse_instant("2026-10-25T01:10:00Z"))


def test_equal_ends_are_no_quiet_hours() -> None:
    assert next_allowed(QuietHours(start=600, end=600), BERLIN, FROM) == FROM


def test_a_day_that_is_quiet_throughout_is_asked_about_again_later() -> None:
    assert next_allowed(QuietHours(start=0, end=1440), BERLIN, FROM) >= FROM + DAY


@pytest.mark.parametrize(
    "name",
    [None, 7, "", "Mars/Olympus", "../../etc/passwd", "America", "Europe/Berlin\x00", "x" * 5000, ["UTC"]],
)
def test_an_unknown_or_missing_zone_is_the_default(name: object) -> None:
    assert zone_of(name, "Asia/Tokyo") == ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize(
    "name", ["localtime", "posixrules", "Factory", "posix/Europe/Berlin", "right/Europe/Berlin"]
)
def test_a_file_among_the_zones_that_is_nowhere_in_particular_is_the_default(
    name: str, tmp_path: Path
) -> None:
    zones = zone_folder(tmp_path, name)
    reset_tzpath([zones])
    try:
        assert ZoneInfo.no_cache(name).key == name  # it is there
        assert zone_of(name, "Asia/Tokyo") == ZoneInfo("Asia/Tokyo")
    finally:
        reset_tzpath()


def zone_folder(folder: Path, name: str) -> Path:
    """As on a machine whose folder of zones holds `name`."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(resources.files("tzdata.zoneinfo").joinpath("UTC").read_bytes())
    return folder


def test_a_default_that_does_not_exist_is_no_reason_to_send() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        zone_of(None, "Mars/Olympus")


def test_the_instants_of_the_tests_are_whole_minutes() -> None:
    assert to_instant(to_datetime(FROM)) % MINUTE == 0
