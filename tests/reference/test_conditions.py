"""Conditions, sentence by sentence (rules.md, Conditions)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from foreword.domain.instants import HOUR
from foreword.domain.rulebook import AbsenceSignal, CountSignal, EachSignal, LastSignal, RatioSignal, Schedule
from tests.reference.engines import Engine
from tests.reference.writing import T, book, cel, event, fact, rule

VISIT = {"visit": EachSignal(of=event("A"))}
ALL = {
    **VISIT,
    "unknown": LastSignal(kind="last", value=cel("event.data.nothing"), of=event("A")),
}


def holds(decided: Engine, condition: str, **data: Any) -> bool:
    """Whether the condition holds at an event with this data."""
    example = book(rule(f"visit && ({condition})", ALL), lists={"codes": ("x", "y")})
    return len(decided(example, [fact(0, **data)], {"segment": "retail", "points": 10})) == 1


@pytest.mark.parametrize(
    "condition",
    [
        "true || event.data.missing > 1",
        "event.data.missing > 1 || true",
        "!(false && event.data.missing > 1)",
        "!(event.data.missing > 1 && false)",
        "true || unknown > 1",
        "unknown > 1 || true",
    ],
)
def test_true_or_error_is_true_and_false_and_error_is_false(decided: Engine, condition: str) -> None:
    assert holds(decided, condition)


@pytest.mark.parametrize(
    "condition",
    [
        "event.data.missing == 1",
        "!(event.data.missing == 1)",
        "event.data.missing != 1",
        "true && event.data.missing == 1",
        "false || event.data.missing == 1",
        "profile.missing == 1",
        "unknown < 1",
        "!(unknown < 1)",
        'event.data.x > "1"',
        "event.data.x / 0 > 1 || false",
    ],
)
def test_a_condition_that_ends_in_an_error_is_false(decided: Engine, condition: str) -> None:
    assert not holds(decided, condition, x=1)


def test_has_asks_whether_a_field_is_there(decided: Engine) -> None:
    assert holds(decided, "has(event.data.x)", x=None)
    assert holds(decided, "!has(event.data.y)", x=None)


@pytest.mark.parametrize(
    "condition",
    [
        "0.1 + 0.2 == 0.3",
        "event.data.tenth + 0.2 == 0.3",
        "1 / 2 == 0.5",
        "event.data.one / 8 == 0.125",
        "event.data.one == 1.0",
        "event.data.one < 1.5",
        "-event.data.one == -1",
        "7 % 4 == 3 && -7 % 4 == -3",
        "2 * 3 - 1 == 5.0",
    ],
)
def test_every_number_is_the_decimal_of_its_source_text(decided: Engine, condition: str) -> None:
    assert holds(decided, condition, one=1, tenth=Decimal("0.1"))


@pytest.mark.parametrize(
    "condition",
    [
        'event.data.text != 1 && event.data.text == "1"',
        "event.data.yes == true && event.data.yes != 1",
        "event.data.nothing == null",
        'event.data.text in ["1", "2"] && !(event.data.one in ["1"])',
        'event.data.code in lists.codes && !("z" in lists.codes)',
        '"a" in event.data.map && event.data.map.a == 1 && event.data.map["a"] == 1',
        "event.data.list[1] == 20 && size(event.data.list) == 2",
        'event.data.word.startsWith("ab") && event.data.word.endsWith("cd") && event.data.word.contains("bc")',
        'event.type == "A" && event.source == "test"',
        'event.occurred_at == timestamp("2024-10-05T00:00:00Z")',
        'event.occurred_at < timestamp("2024-10-05T02:00:00+01:00")',
        'event.occurred_at + duration("24h") == timestamp("2024-10-06T00:00:00Z")',
        'duration("1h30m") == duration("90m") && duration("72h") > duration("71h59m59s")',
        'event.data.yes ? profile.segment == "retail" : event.data.missing == 1',
        "profile.points >= 10 && !has(profile.nothing)",
    ],
)
def test_conditions_are_cel_over_the_known_names(decided: Engine, condition: str) -> None:
    data: dict[str, Any] = {
        "text": "1",
        "yes": True,
        "one": 1,
        "nothing": None,
        "code": "x",
        "map": {"a": 1},
        "list": [10, 20],
        "word": "abcd",
    }
    assert holds(decided, condition, **data)


def test_event_is_the_causing_fact(decided: Engine) -> None:
    example = book(rule('n >= 2 && event.data.channel == "phone"', {"n": CountSignal(of=event("A"))}))
    assert (
        decided(example, [fact(0, channel="phone"), fact(1, channel="chat"), fact(2, channel="chat")]) == []
    )
    # Just before the third, the same event is asked about: it was true then, and does not rise again.
    facts = [fact(0, channel="chat"), fact(1, channel="phone"), fact(2, channel="phone")]
    assert [d.at for d in decided(example, facts)] == [T + HOUR]


def test_event_is_the_after_event_for_an_absence(decided: Engine) -> None:
    gone = AbsenceSignal(absence=event("B"), after=event("A"), within=HOUR, timer="each")
    example = book(rule("gone && event.data.x == 1", {"gone": gone}))
    assert [d.at for d in decided(example, [fact(0, x=1), fact(1, x=2), fact(9, "Z")])] == [T + HOUR]


def test_event_is_unknown_in_scheduled_rules(decided: Engine) -> None:
    daily = Schedule(every=24 * HOUR, at=0)
    known = rule("n >= 1", {"n": CountSignal(of=event("A"))}, name="known", evaluate=daily)
    asks = rule("n >= 1 && has(event.data.x)", {"n": CountSignal(of=event("A"))}, name="asks", evaluate=daily)
    assert [d.rule for d in decided(book(known, asks), [fact(1, x=1)], end=T + 48 * HOUR)] == ["known"]


def test_a_where_sees_event_profile_and_lists(decided: Engine) -> None:
    where = 'event.data.code in lists.codes && profile.segment == "retail"'
    example = book(rule("n >= 2", {"n": CountSignal(of=event("A", where=where))}), lists={"codes": ("x",)})
    facts = [fact(0, code="x"), fact(1, code="y"), fact(2), fact(3, code="x")]
    assert [d.at for d in decided(example, facts, {"segment": "retail"})] == [T + 3 * HOUR]
    assert decided(example, facts, {"segment": "staff"}) == []


def test_an_undefined_signal_is_an_error(decided: Engine) -> None:
    ratio = RatioSignal(of=event("B"), to=event("A"), at_least=2)
    example = book(rule("r >= 0.5 || n >= 3", {"r": ratio, "n": CountSignal(of=event("B"))}))
    facts = [fact(0), fact(1, "B"), fact(2, "B"), fact(3, "B")]
    assert [d.at for d in decided(example, facts)] == [T + 3 * HOUR]
