from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreword.domain.instants import (
    DAY,
    format_duration,
    format_instant,
    parse_duration,
    parse_instant,
    sortable,
    to_datetime,
    to_instant,
)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1917-06-22T00:00:00Z", -1_657_670_400_000_000),
        ("2026-03-02T09:00:00.5Z", 1_772_442_000_500_000),
        ("2026-03-02T09:00:00.123456789Z", 1_772_442_000_123_456),
    ],
)
def test_a_time_with_an_offset_is_read_exactly(text: str, instant: int) -> None:
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-03-02",
        "2026-03-02T09:00:00",
        "2026-03-02 09:00:00Z",
        "2026-02-30T09:00:00Z",
        "2026-03-02T25:00:00Z",
        "2026-03-02T09:00:00+99:00",
        "0001-01-01T00:00:00+01:00",
        "２０２６-03-02T09:00:00Z",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        parse_instant(text)


@given(st.integers(to_instant(to_datetime(0)) - 20_000 * DAY, 50_000 * DAY))
def test_writing_and_reading_a_time_changes_nothing(instant: int) -> None:
    assert parse_instant(format_instant(instant)) == instant
    assert parse_instant(sortable(instant)) == instant


@given(st.integers(-20_000 * DAY, 50_000 * DAY), st.integers(-20_000 * DAY, 50_000 * DAY))
def test_the_order_of_sortable_text_is_the_order_of_time(first: int, second: int) -> None:
    assert (sortable(first) < sortable(second)) == (first < second)


@pytest.mark.parametrize("text", ["90s", "30m", "6h", "7d", "14d"])
def test_durations_are_written_as_they_were_read(text: str) -> None:
    assert format_duration(parse_duration(text)) == text


@pytest.mark.parametrize("text", ["", "7", "d", "-7d", "1.5h", "7 d", "7days", "P7D"])
def test_a_duration_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)
