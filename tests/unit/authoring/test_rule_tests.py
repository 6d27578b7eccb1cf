"""What a rule's own test may say, and what is said where it fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from foreword.authoring.fields import RulebookErrors
from foreword.authoring.rule_tests import run_rule_tests
from foreword.authoring.rulebook import load_rulebook
from tests.unit.authoring.rulebooks import write_rulebook

A = "{at: 2026-03-02T09:00:00Z, event: A, data: {x: {y: [1, 2.50, null]}}}"
B = "{at: 2026-03-02T10:30:00Z, event: B}"
COUNT, ABSENCE = "{count: A}", "{absence: B, after: A, within: 3d}"
DATE = "{date: profile.day, before: 0d, at: '09:00'}"
SENDS = """
  - {message: first, purpose: service, topic: care, channels: [sms, email], if: 'profile.a'}
  - {message: second, purpose: service, topic: care, channels: [task], if: 'profile.b'}
"""


def rule_text(test: str, signal: str = COUNT, when: str = "n >= 1", more: str = "") -> str:
    """`test` is what stands in it beside its name."""
    return (
        f"rule: stuck\nwhy: W\nowner: O\n{more}signals:\n  n: {signal}\n  last: {{last: event.data.x, of: A}}\n"
        f"when: '{when}'\nsend:{SENDS}tests:\n  - {{name: t, {test}}}\n"
    )


def difference(directory: Path, text: str) -> tuple[str, ...]:
    loaded = load_rulebook(write_rulebook(directory, stuck=text))
    (result,) = run_rule_tests(loaded.rules[0], loaded.policy, loaded.lists)
    return result.difference


FIRST, SECOND = "{message: first, channel: sms}", "{message: second, channel: task}"


@pytest.mark.parametrize(
    ("customer", "expect"),
    [
        ("{a: true, b: true}", f"[{FIRST}, {SECOND}]"),
        ("{a: true}", f"[{FIRST}]"),
        ("{b: true}", f"[{SECOND}]"),
        ("{}", "[]"),
    ],
)
def test_each_send_whose_condition_holds_is_expected(tmp_path: Path, customer: str, expect: str) -> None:
    assert difference(tmp_path, rule_text(f"customer: {customer}, given: [{A}], expect: {expect}")) == ()


def test_what_happened_is_told_with_the_values(tmp_path: Path) -> None:
    told = difference(
        tmp_path, rule_text(f"customer: {{a: true, b: true}}, given: [{A}], expect: [{SECOND}]")
    )
    values = 'at 2026-03-02T09:00:00Z with n = 1, last = {"y":[1,2.50,null]}'
    assert told == (
        "expected  second by task",
        f"happened  first by sms {values}",
        f"happened  second by task {values}",
    )
    told = difference(tmp_path, rule_text(f"given: [{A}], expect: [{FIRST}]"))
    assert told == (
        "expected  first by sms",
        f"happened  no message, for no 'if' held, {values}",
    )


@pytest.mark.parametrize(
    ("signal", "more", "when"),
    [(ABSENCE, "", "n"), (DATE, "", "n"), (COUNT, "evaluate: {every: 1d, at: '09:00'}\n", "n >= 9")],
)
def test_where_time_must_pass_the_end_of_the_clock_is_told(
    tmp_path: Path, signal: str, more: str, when: str
) -> None:
    told = difference(tmp_path, rule_text(f"given: [{A}], expect: [{FIRST}]", signal, when, more))
    assert told[1] == (
        "happened  nothing: 'when' did not become true up to 2026-03-02T09:00:00Z, where the clock of the test "
        "ends ('until' lets more time pass)"
    )
    events = difference(tmp_path, rule_text(f"given: [{A}], expect: [{FIRST}]", when="n > 9"))
    assert events[1] == "happened  nothing: 'when' did not become true"


def test_until_lets_time_pass(tmp_path: Path) -> None:
    test = f"customer: {{a: true}}, given: [{A}], until: 2026-03-05T09:00:00Z, expect: [{FIRST}]"
    assert difference(tmp_path, rule_text(test, ABSENCE, "n")) == ()
    assert difference(
        tmp_path, rule_text(test.replace("T09:00:00Z, expect", "T08:59:59Z, expect"), ABSENCE, "n")
    )


def test_a_customer_updated_changes_the_profile_from_its_time_on(tmp_path: Path) -> None:
    update = "{at: 2026-03-02T10:00:00Z, event: CustomerUpdated, data: {b: true}}"
    given = f"customer: {{a: true}}, given: [{A}, {update}, {A.replace('T09', 'T11')}]"
    text = rule_text(
        f"{given}, expect: [{FIRST}, {FIRST}, {SECOND}]", more="repeat: while_true\nre_eligible_after: none\n"
    )
    assert difference(tmp_path, text) == ()


def test_a_retraction_takes_its_event_back(tmp_path: Path) -> None:
    taken = "{at: 2026-03-02T09:30:00Z, event: Oops, retracts: given-1}"
    given = f"customer: {{a: true}}, given: [{A}, {taken}, {B}], until: 2026-03-09T00:00:00Z"
    assert difference(tmp_path, rule_text(f"{given}, expect: []", when="n >= 1")) == ()
    other = given.replace("given-1", "given-3")
    assert difference(tmp_path, rule_text(f"{other}, expect: [{FIRST}]", when="n >= 1")) == ()


def test_a_date_needs_no_event_but_an_end_and_comes_once_in_the_year_before(tmp_path: Path) -> None:
    yearly = DATE.replace("}", ", yearly: true}")
    customer = "customer: {a: true, day: 2000-02-29, timezone: UTC}"
    for signal, day in ((yearly, "2000-02-29"), (DATE, "2026-02-28"), (DATE, "2025-03-01")):
        test = f"{customer.replace('2000-02-29', day)}, given: [], until: 2026-02-28T09:00:00Z, expect: [{FIRST}]"
        assert difference(tmp_path, rule_text(test, signal, "n")) == (), day
    long_ago = (
        f"{customer.replace('2000-02-29', '2025-02-27')}, given: [], until: 2026-02-28T09:00:00Z, expect: []"
    )
    assert difference(tmp_path, rule_text(long_ago, DATE, "n")) == ()


def test_without_a_given_event_and_an_end_nothing_can_be_tested(tmp_path: Path) -> None:
    with pytest.raises(RulebookErrors) as refused:
        load_rulebook(write_rulebook(tmp_path, stuck=rule_text("given: [], expect: []", DATE, "n")))
    assert str(refused.value) == (
        f"{tmp_path}/rules/stuck.yaml:12:22: with no given event the test needs 'until', the time at which its "
        "clock ends (it starts a year before)"
    )


def test_the_clock_is_the_same_for_the_others_and_their_decisions_are_not_told(tmp_path: Path) -> None:
    signals = (
        "{last: event.data.v, of: A}\n"
        "  p: {peers: n, cohort: profile.c, statistic: median, at_least: 3, period: 1d}"
    )

    def value(amount: int, at: str = "2026-03-02T09:00:00Z") -> str:
        return f"customer: {{a: true, c: x}}, given: [{{at: {at}, event: A, data: {{v: {amount}}}}}]"

    def told(own: str, second: str, third: str) -> tuple[str, ...]:
        test = f"{own}, others: [{{{second}}}, {{{third}}}], expect: [{FIRST}]"
        return difference(tmp_path, rule_text(test, signals, "p >= 10"))

    assert told(value(20), value(5), value(10)) == ()
    assert told(value(20), value(5), value(10, "2026-03-02T23:00:00Z")) == ()
    for other in (value(11), value(5, "2026-03-03T00:00:00Z"), value(5).replace("c: x", "c: y")):
        assert told(value(20), other, value(11))[1].startswith("happened  nothing")
    assert told(value(10), value(10), value(20))[1].startswith(
        "happened  nothing"
    )  # another's rise is not ours
