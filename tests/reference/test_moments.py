"""Moments, sentence by sentence (rules.md, Signals): what is true at its instant alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from foreword.domain.facts import Fact
from foreword.domain.instants import DAY, HOUR, MINUTE, format_instant, parse_instant
from foreword.domain.rulebook import (
    AbsenceSignal,
    CountSignal,
    DateSignal,
    EachSignal,
    EventFilter,
    FirstTimeSignal,
    SequenceSignal,
    Signal,
)
from tests.reference.engines import Engine
from tests.reference.writing import T, book, cel, event, fact, rule

X = cel("event.data.x")
A, B = event("A"), event("B")


def hours(decided: Engine, signal: Signal, facts: Sequence[Fact], end: float | None = None) -> list[float]:
    """The hours at which the moment comes, up to `end` (the last event)."""
    until = None if end is None else T + int(end * HOUR)
    decisions = decided(book(rule("moment", {"moment": signal})), facts, {}, None, until)
    return [(decision.at - T) / HOUR for decision in decisions]


def test_each_is_such_an_event(decided: Engine) -> None:
    assert hours(decided, EachSignal(of=A), [fact(0), fact(1), fact(1), fact(2, "B"), fact(3)]) == [0, 1, 3]


def test_first_time_is_an_event_whose_value_was_not_seen_before_in_the_window(decided: Engine) -> None:
    signal = FirstTimeSignal(value=X, of=A, within=5 * HOUR)
    facts = [fact(0, x="a"), fact(1, x="b"), fact(4, x="a"), fact(6, x="b"), fact(7), fact(9, x="a")]
    assert hours(decided, signal, facts) == [0, 1, 6, 9]
    assert hours(decided, FirstTimeSignal(value=X, of=A), facts) == [0, 1]


def test_an_absence_is_true_at_its_deadline_when_no_such_event_came(decided: Engine) -> None:
    signal = AbsenceSignal(absence=B, after=A, within=3 * HOUR, timer="each")
    assert hours(decided, signal, [fact(0), fact(1, "B"), fact(9, "Z")]) == []
    assert hours(decided, signal, [fact(0, "B"), fact(1), fact(9, "Z")]) == [4]
    assert hours(decided, signal, [fact(0)], 3) == [3], "deadlines exactly at the end count"
    assert hours(decided, signal, [fact(0)], 2.999) == []


def test_an_event_at_the_very_deadline_still_meets_it(decided: Engine) -> None:
    signal = AbsenceSignal(absence=B, after=A, within=3 * HOUR, timer="each")
    assert hours(decided, signal, [fact(0), fact(3, "B")], 9) == []
    assert hours(decided, signal, [fact(0), fact(3.001, "B")], 9) == [3]


def test_at_one_time_receipt_says_which_stands_after_the_other(decided: Engine) -> None:
    signal = AbsenceSignal(absence=B, after=A, within=3 * HOUR, timer="each")
    assert hours(decided, signal, [fact(0, "B"), fact(0)], 9) == [3]
    assert hours(decided, signal, [fact(0), fact(0, "B")], 9) == []


def test_an_after_event_is_never_its_own_absence(decided: Engine) -> None:
    signal = AbsenceSignal(absence=A, after=A, within=3 * HOUR, timer="each")
    assert hours(decided, signal, [fact(0), fact(2), fact(5)], 9) == [8]


def test_each_after_event_has_its_own_deadline(decided: Engine) -> None:
    signal = AbsenceSignal(absence=B, after=A, within=3 * HOUR, timer="each")
    assert hours(decided, signal, [fact(0), fact(1), fact(2)], 9) == [3, 4, 5]


def test_a_newer_after_event_at_or_before_the_deadline_replaces_the_last(decided: Engine) -> None:
    signal = AbsenceSignal(absence=B, after=A, within=3 * HOUR, timer="last")
    assert hours(decided, signal, [fact(0), fact(1), fact(4)], 9) == [7]
    assert hours(decided, signal, [fact(0), fact(3.001)], 9) == [3, 6.001]


def test_until_gives_the_deadline_and_one_that_is_missing_or_before_the_after_event_sets_none(
    decided: Engine,
) -> None:
    until = cel('timestamp(event.data.promised) + duration("1h")')
    signal = AbsenceSignal(absence=B, after=A, until=until, timer="each")
    at = {hour: format_instant(T + hour * HOUR) for hour in range(9)}
    assert hours(decided, signal, [fact(0, promised=at[3])], 9) == [4]
    assert hours(decided, signal, [fact(0), fact(0, promised="soon"), fact(0, promised=3)], 9) == []
    assert hours(decided, signal, [fact(5, promised=at[3])], 9) == []
    assert hours(decided, signal, [fact(4, promised=at[3])], 9) == [4], "at the after event itself"
    text = AbsenceSignal(absence=B, after=A, until=cel("event.data.promised"), timer="each")
    assert hours(decided, text, [fact(0, promised="2024-10-05T05:00:00+02:00")], 9) == [3]


def test_a_newer_after_event_without_a_deadline_replaces_the_last_all_the_same(decided: Engine) -> None:
    signal = AbsenceSignal(absence=B, after=A, until=cel("event.data.promised"), timer="last")
    assert hours(decided, signal, [fact(0, promised=format_instant(T + 3 * HOUR)), fact(1)], 9) == []


def steps(*types: str) -> tuple[EventFilter, ...]:
    return tuple(event(type) for type in types)


def test_a_sequence_is_the_last_step_when_the_earlier_ones_came_in_order(decided: Engine) -> None:
    signal = SequenceSignal(steps=steps("A", "B", "C"), within=9 * HOUR)
    assert hours(decided, signal, [fact(0), fact(1, "B"), fact(2, "C")]) == [2]
    assert hours(decided, signal, [fact(0, "B"), fact(1), fact(2, "C")]) == []
    assert hours(decided, signal, [fact(0), fact(1, "C"), fact(2, "B"), fact(3, "C")]) == [3]


def test_each_step_is_strictly_earlier_in_time(decided: Engine) -> None:
    signal = SequenceSignal(steps=steps("A", "B"), within=9 * HOUR)
    assert hours(decided, signal, [fact(1), fact(1, "B")]) == []
    assert hours(decided, signal, [fact(0.999), fact(1, "B")]) == [1]
    twice = SequenceSignal(steps=steps("A", "A", "B"), within=9 * HOUR)
    assert hours(decided, twice, [fact(0), fact(0), fact(1, "B")]) == []
    assert hours(decided, twice, [fact(0), fact(0.5), fact(1, "B")]) == [1]


def test_the_first_step_is_not_more_than_within_before_the_last(decided: Engine) -> None:
    signal = SequenceSignal(steps=steps("A", "B"), within=3 * HOUR)
    assert hours(decided, signal, [fact(0), fact(3, "B")]) == [3]
    assert hours(decided, signal, [fact(0), fact(3.001, "B")]) == []
    longer = SequenceSignal(steps=steps("A", "B", "C"), within=3 * HOUR)
    assert hours(decided, longer, [fact(0), fact(1, "B"), fact(2), fact(4, "C")]) == []
    assert hours(decided, longer, [fact(0), fact(1), fact(2, "B"), fact(4, "C")]) == [4]


def test_a_completion_uses_up_everything_before_it(decided: Engine) -> None:
    signal = SequenceSignal(steps=steps("A", "B"), within=9 * HOUR)
    assert hours(decided, signal, [fact(0), fact(1), fact(2, "B"), fact(3, "B")]) == [2]
    assert hours(decided, signal, [fact(0), fact(2, "B"), fact(2), fact(3, "B")]) == [2, 3]
    alternating = SequenceSignal(steps=steps("A", "A"), within=9 * HOUR)
    assert hours(decided, alternating, [fact(0), fact(1), fact(2), fact(3), fact(4)]) == [1, 3]


@pytest.mark.parametrize(
    ("value", "zone", "expected"),
    [
        ("2024-12-25", "Europe/Berlin", ["2024-11-25T08:00:00Z"]),
        ("2024-11-25", "Europe/Berlin", ["2024-10-26T07:00:00Z"]),
        ("2024-12-25", "America/New_York", ["2024-11-25T14:00:00Z"]),
        ("2024-12-25", "Nowhere/Land", ["2024-11-25T09:00:00Z"]),
        ("2024-12-24T23:30:00Z", "Europe/Berlin", ["2024-11-25T08:00:00Z"]),
        ("2024-10-15", "Europe/Berlin", []),
        ("soon", "Europe/Berlin", []),
        (20241225, "Europe/Berlin", []),
    ],
)
def test_a_date_is_a_moment_in_the_customers_zone(
    decided: Engine, value: object, zone: str, expected: list[str]
) -> None:
    signal = DateSignal(value=cel("profile.day"), before=30 * DAY, at=9 * 60)
    decisions = decided(
        book(rule("day", {"day": signal})), [], {"day": value, "timezone": zone}, T, T + 100 * DAY
    )
    assert [format_instant(decision.at) for decision in decisions] == expected


def test_a_yearly_date_comes_every_year_on_28_february_where_there_is_no_29th(decided: Engine) -> None:
    signal = DateSignal(value=cel("profile.born"), before=0, at=0, yearly=True)
    start, end = parse_instant("2023-02-28T00:00:00Z"), parse_instant("2025-02-28T00:00:00Z")
    decisions = decided(book(rule("day", {"day": signal})), [], {"born": "1980-02-29"}, start, end)
    assert [format_instant(decision.at)[:10] for decision in decisions] == [
        "2023-02-28",
        "2024-02-29",
        "2025-02-28",
    ]


def test_a_date_is_asked_with_all_events_of_its_instant(decided: Engine) -> None:
    signals = {
        "day": DateSignal(value=cel("profile.day"), before=0, at=9 * 60),
        "n": CountSignal(of=A, within=DAY),
    }
    example = book(rule("day && n == 1", signals))
    day = {"day": "2024-10-06"}
    assert len(decided(example, [fact(33)], day)) == 1
    assert len(decided(example, [fact(8), fact(10)], day, None, T + 33 * HOUR)) == 1
    assert decided(example, [fact(10)], day, None, T + 33 * HOUR - MINUTE) == []
