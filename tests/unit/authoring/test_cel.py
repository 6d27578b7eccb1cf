"""CEL text is checked when the rulebook is read; what is refused is named, with its place."""

from __future__ import annotations

import pytest

from foreword.authoring.cel import MAX_DEPTH, Scope, check_expression
from foreword.authoring.cel_parser import InvalidCondition
from foreword.domain.conditions import compile_expression

SCOPE = Scope(
    signals={"contacts": "number", "lost": "boolean", "since_order": "duration", "product": "dyn"},
    lists=frozenset({"codes"}),
    hidden=frozenset({"elsewhere"}),
    absent={"willingness": "the policy sets none"},
)


@pytest.mark.parametrize(
    ("source", "line", "column", "words"),
    [
        ("", 1, 1, "the condition is empty"),
        ("contacts >=", 1, 12, "ends where more is needed"),
        ("contacts = 3", 1, 10, "'=' is not an operator of CEL; did you mean '=='?"),
        ("contacts > 3 and lost", 1, 14, "did you mean '&&'?"),
        ("lost OR lost", 1, 6, "did you mean '||'?"),
        ("contacts > 3; lost", 1, 13, "';' is not expected here"),
        ("lost &&\n  contcts > 2", 2, 3, "unknown name 'contcts'; did you mean 'contacts'?"),
        ("contacts >= 3 && event.dta.x == 1", 1, 18, "unknown name 'event.dta'; did you mean 'event.data'?"),
        ("event.data.c in lists.code", 1, 17, "unknown name 'lists.code'; did you mean 'lists.codes'?"),
        ("lists.none == []", 1, 1, "known are: lists.codes"),
        ("willingness < 0", 1, 1, "'willingness' is not known here: the policy sets none"),
        ("elsewhere > 1", 1, 1, "'elsewhere' is a signal, and signals are not known here"),
        ("event == 1", 1, 1, "'event' needs a field"),
        ('contacts >= "3"', 1, 1, "a number >= a string has no answer"),
        ('contacts == "3"', 1, 1, "a number == a string has no answer"),
        ("contacts == null", 1, 1, "a number == a null has no answer"),
        ("contacts in lists.codes", 1, 1, "a number in a list of strings has no answer"),
        ("contacts && true", 1, 1, "'&&' needs true or false, and 'contacts' is a number"),
        ("lost && !contacts", 1, 10, "'!' needs true or false, and 'contacts' is a number"),
        ("-lost == 1", 1, 1, "'-' needs a number"),
        ("contacts ? true : false", 1, 1, "'?' needs true or false"),
        ('(lost ? 1 : "a") == 1', 1, 2, "both must be the same"),
        ("event.type > 3", 1, 1, "a string > a number has no answer"),
        ("event.data.x * lost > 3", 1, 1, "a dyn * a boolean has no answer"),
        ("lists.codes < lists.codes", 1, 1, "has no answer"),
        ("contacts.x == 1", 1, 1, "'contacts' is a number and has no field 'x'"),
        ("contacts[0] == 1", 1, 1, "a number[number] has no answer"),
        ("size(contacts) == 1", 1, 6, "size(x): 'contacts' is a number"),
        ("size() == 1", 1, 1, "size(x) is the form"),
        ("contacts + 1", 1, 1, "this is a number; a boolean is needed here"),
        ('event.data.x.matches("a.*")', 1, 1, "no regular expressions"),
        ("event.data.xs.exists(x, x > 1)", 1, 1, "macro exists() is not supported"),
        ("event.data.xs.all(x, x > 1)", 1, 1, "macro all() is not supported"),
        ("event.data.xs.map(x, x)[0] == 1", 1, 1, "macro map() is not supported"),
        ('{"a": 1} == {"a": 1}', 1, 1, "maps ({...}) are not supported"),
        ('b"x" == b"x"', 1, 1, "bytes"),
        ("Point{x: 1} == 1", 1, 1, "messages (Name{...}) are not supported"),
        ("dyn(1) == 1", 1, 1, "the function dyn() is not supported"),
        ('event.type.startWith("x")', 1, 1, "did you mean 'startsWith'?"),
        ('contains(event.type, "x")', 1, 1, "'contains' is written x.contains(\"part\")"),
        ("true + 1 == 2", 1, 1, "'true + 1': a boolean + a number has no answer"),
        (".contacts == 1", 1, 1, "a name does not begin with a dot"),
        ("has(contacts)", 1, 1, "'contacts' is a signal, and has() asks for a field"),
        (
            "lost >= 1",
            1,
            1,
            "a boolean >= a number has no answer; 'lost' is true or false by itself: write it alone",
        ),
        ("1 == lost", 1, 1, "'lost' is true or false by itself"),
        ('contacts >= "3.5"', 1, 1, "a number >= a string has no answer; a number stands without quotes"),
        ("contacts", 1, 1, "this is a number; a boolean is needed here; compare it, as in x >= 3"),
        ("has(size)", 1, 1, "has() asks for a field, as in has(event.data.channel)"),
        (
            "since_order > 30",
            1,
            1,
            'a duration > a number has no answer; a duration is written duration("72h")',
        ),
        ('since_order > "30d"', 1, 1, 'a duration is written duration("72h")'),
        ('event.occurred_at > "2026-03-02"', 1, 1, 'a time is written timestamp("2026-03-02T09:00:00Z")'),
        ('since_order > duration("30d")', 1, 15, "CEL's largest unit is h: write 720h"),
        ('duration("3d") > duration("1h")', 1, 1, "'3d' is not a duration like 72h"),
        ('timestamp("2026-03-02") > event.occurred_at', 1, 1, "is not a time like"),
        ('"a\\q" == "b"', 1, 1, "\\q is not an escape of CEL"),
        ('"\\ud800" == "b"', 1, 1, "is not a character"),
        ("1e99999999999999999999 > 1", 1, 1, "not a number that can be reckoned with"),
        ("!" * 80 + "lost", 1, MAX_DEPTH + 1, "nests deeper than 60 levels"),
    ],
)
def test_refused_with_place_and_words(source: str, line: int, column: int, words: str) -> None:
    with pytest.raises(InvalidCondition) as refused:
        check_expression(source, SCOPE)
    assert words in refused.value.message
    assert (refused.value.line, refused.value.column) == (line, column)


@pytest.mark.parametrize(
    "source",
    ['profile.email == "x"', "has(profile.phone)", 'profile["email"] == "x"', "has(profile.email.x)"],
)
def test_conditions_do_not_see_addresses(source: str) -> None:
    with pytest.raises(InvalidCondition, match="conditions do not see addresses"):
        check_expression(source, SCOPE)


@pytest.mark.parametrize(
    ("source", "tree"),
    [
        ("contacts >= 3", [">=", ["name", "contacts"], ["number", "3"]]),
        ("((lost))", ["name", "lost"]),
        ("lost || lost || lost", ["||", ["name", "lost"], ["name", "lost"], ["name", "lost"]]),
        ("contacts -1 == -1", ["==", ["-", ["name", "contacts"], ["number", "1"]], ["number", "-1"]]),
        ("has(event.data.x)", ["has", ["field", ["name", "event"], "data"], "x"]),
        ("event.data.a.b // why", ["field", ["field", ["field", ["name", "event"], "data"], "a"], "b"]),
    ],
)
def test_the_tree_is_whitelisted_json(source: str, tree: list[object]) -> None:
    assert check_expression(source, SCOPE).tree == tree


def test_what_is_unknown_until_an_event_comes_is_accepted() -> None:
    names = {"event": {"data": {"flag": True, "a": 1, "b": 1, "x": 1}}, "profile": {"tags": [1]}}
    for source in (
        "event.data.flag",
        "event.data.a + event.data.b > 1",
        "profile.tags[0] == 1",
        "event.data.x in [1]",
    ):
        assert compile_expression(check_expression(source, SCOPE))(names) is True


@pytest.mark.parametrize(
    "source",
    [
        'since_order > duration("720h")',
        'since_order + duration("1h") < duration("2h") || lost',
        'product == "chair" || product > 3',
        "has(product.colour)",
    ],
)
def test_durations_and_values_of_signals_are_known_to_conditions(source: str) -> None:
    assert check_expression(source, SCOPE).tree


@pytest.mark.parametrize(
    "source", ["event.data.x == 1", 'event.type == "A"', "has(event.data.x)", "event == 1"]
)
def test_a_name_that_is_absent_here_is_refused_with_the_reason(source: str) -> None:
    with pytest.raises(InvalidCondition, match="'event' is not known here: it comes at no event"):
        check_expression(source, Scope(absent={"event": "it comes at no event"}))


def test_many_alternatives_do_not_nest() -> None:
    source = " || ".join(f"contacts == {number}" for number in range(500))
    compiled = compile_expression(check_expression(source, SCOPE))
    assert compiled({"contacts": 499}) is True
    assert compiled({"contacts": 500}) is False
