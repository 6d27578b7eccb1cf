"""Of every kind of signal: its value with what it is made of, and what would have to change."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from foreword.domain.instants import DAY, format_instant
from foreword.explaining.explanation import AllOf, AnyOf, CaseExplained, SignalExplained, Truth
from tests.unit.explaining.told import (
    Lived,
    book,
    case_told,
    event,
    needs,
    profile_of,
    rule_told,
    step,
    time,
    values,
)

CONTACTS = """\
signals:
  contacts:
    count: Contact
    where: 'event.data.channel != "survey"'
    within: 7d
when: 'contacts >= 3'
"""


def only(case: CaseExplained) -> SignalExplained:
    (signal,) = case.signals
    return signal


def test_two_contacts_short_says_how_many_more_and_until_when(tmp_path: Path) -> None:
    rules = book(tmp_path, stuck=CONTACTS)
    facts = [
        event("2026-03-01T09:00", "Contact", channel="survey"),
        event("2026-03-02T09:00", "Contact", channel="phone"),
    ]
    case = case_told(rules, facts, "2026-03-04T09:00")
    assert (case.when.text, case.when.with_values, case.when.truth) == (
        "contacts >= 3",
        "1 >= 3",
        Truth.FALSE,
    )
    signal = only(case)
    assert (signal.value, signal.events) == (1, 1)
    assert [one.id for one in signal.latest] == ["Contact/2026-03-02T09:00"]
    needed = step(case)
    assert (needed.more, needed.events, needed.until) == (2, ("Contact",), time("2026-03-09T09:00"))
    assert needed.text == '2 more Contact where `event.data.channel != "survey"` before 2026-03-09T09:00:00Z'
    assert case.next.at is None
    assert case.next.why == "not without a further event"
    assert case.rises == ()


def test_none_at_all_needs_as_many_within_the_window(tmp_path: Path) -> None:
    rules = book(tmp_path, stuck=CONTACTS.replace(">= 3", "> 2.5"))
    case = case_told(rules, [], "2026-03-04T09:00")
    assert step(case).text == '3 Contact where `event.data.channel != "survey"` within 7d'


def test_a_reset_takes_back_what_was_counted(tmp_path: Path) -> None:
    rules = book(
        tmp_path,
        fails="signals:\n  failures: {count: Failed, within: 9d, reset: Paid}\nwhen: 'failures == 2'\n",
    )
    facts = [
        event("2026-03-01T09:00", "Failed"),
        event("2026-03-02T09:00", "Failed"),
        event("2026-03-02T09:00", "Paid", received="2026-03-02T09:01"),
        event("2026-03-03T09:00", "Failed"),
    ]
    case = case_told(rules, facts, "2026-03-04T09:00")
    assert (only(case).value, only(case).events) == (1, 1)
    assert only(case).notes == ("counted from Paid Paid/2026-03-02T09:00 at 2026-03-02T09:00:00Z on",)
    assert step(case).text == "1 more Failed, with no Paid before 2026-03-12T09:00:00Z"


def test_what_was_taken_back_is_no_part_of_a_signal(tmp_path: Path) -> None:
    rules = book(tmp_path, stuck=CONTACTS)
    facts = [
        event("2026-03-02T09:00", "Contact", channel="phone"),
        event("2026-03-02T10:00", "Contact", channel="phone"),
        event("2026-03-02T11:00", "Withdrawn", retracts="Contact/2026-03-02T10:00"),
    ]
    case = case_told(rules, facts, "2026-03-04T09:00")
    assert (only(case).value, only(case).events) == (1, 1)


def test_what_is_true_has_to_end_before_it_can_rise_again(tmp_path: Path) -> None:
    rules = book(tmp_path, stuck=CONTACTS)
    days = ("01", "02", "03", "04")
    facts = [event(f"2026-03-{day}T09:00", "Contact", channel="phone") for day in days]
    case = case_told(rules, facts, "2026-03-05T09:00")
    assert case.when.truth is Truth.TRUE
    assert case.since == time("2026-03-03T09:00")
    needed = step(case)
    assert needed.text == "`contacts` falls to 2 at 2026-03-09T09:00:00Z, if no more come"
    assert needed.time == time("2026-03-09T09:00")


def test_a_count_that_only_time_lowers_makes_no_rise_at_events(tmp_path: Path) -> None:
    rules = book(tmp_path, few="signals:\n  n: {count: A, within: 7d}\nwhen: 'n < 2'\n")
    facts = [event("2026-03-01T09:00"), event("2026-03-02T09:00"), event("2026-03-02T09:00", id="twin")]
    (said,) = needs(case_told(rules, facts, "2026-03-05T09:00"))
    falls = "`n` falls to 0 at 2026-03-09T09:00:00Z, if no more come"
    assert said == f"{falls} (passing time alone makes no rise: it takes an event after that)"


LEAVES = "before 2026-03-09T09:00:00Z"
NO_RISE = "(passing time alone makes no rise: it takes an event after that)"


def test_an_event_exactly_as_old_as_the_window_is_out(tmp_path: Path) -> None:
    rules = book(tmp_path, stuck=CONTACTS)
    facts = [event(f"2026-03-0{day}T09:00", "Contact", channel="phone") for day in (1, 2)]
    signal = only(case_told(rules, facts, "2026-03-08T09:00"))
    assert (signal.value, signal.events) == (1, 1)


def test_a_count_that_several_events_leave_at_once_is_not_said_to_stop_in_between(tmp_path: Path) -> None:
    rules = book(tmp_path, one="signals:\n  n: {count: A, within: 7d}\nwhen: 'n == 1'\n")
    facts = [event("2026-03-01T09:00"), event("2026-03-02T09:00"), event("2026-03-02T09:00", id="twin")]
    assert needs(case_told(rules, facts, "2026-03-05T09:00")) == ["`n` would have to be 1 (it is 3)"]


@pytest.mark.parametrize(
    ("signal", "when", "value", "said"),
    [
        (
            "sum: event.data.x, of: A",
            "s >= 20",
            7,
            f"A whose `event.data.x` add up to at least 13 more {LEAVES}",
        ),
        ("sum: event.data.x, of: A", "s < 2", 7, "`s` would have to be less than 2 (it is 7)"),
        ("average: event.data.x, of: A", "s > 9", 3.5, "`s` would have to be more than 9 (it is 3.5)"),
        ("max: event.data.x, of: A", "s > 9", 4, "1 A with `event.data.x` more than 9"),
        ("max: event.data.x, of: A", "s < 1", 4, "`s` would have to be less than 1 (it is 4)"),
        ("min: event.data.x, of: A", "2 > s", 3, "1 A with `event.data.x` less than 2"),
        ("last: event.data.x, of: A", "s == 5", 4, "1 A with `event.data.x` 5"),
        ("first: event.data.x, of: A", "s == 5", 3, "`s` would have to be 5 (it is 3)"),
        (
            "distinct: event.data.x, of: A",
            "s >= 4",
            2,
            f"2 more different `event.data.x` of A, other than 3, 4 {LEAVES}",
        ),
        ("distinct: event.data.x, of: A", "s * 2 >= 9", 2, "`s * 2` would have to be at least 9 (it is 4)"),
        ("count: A", "!(s != 3)", 2, f"1 more A {LEAVES}"),
        ("count: A", "s != 2", 2, f"1 more A {LEAVES}"),
        ("count: A", "s == 2.5", 2, "`s` would have to be 2.5 (it is 2)"),
        ("count: A", "s >= 1 / 0", 2, "`s` would have to be at least 1 / 0 (it is 2)"),
        ("since: A", 's > duration("72h")', None, f"no A: so it is after 2026-03-06T09:00:00Z {NO_RISE}"),
        ("since: B", 's >= duration("72h")', None, "1 B, and then none for 3d"),
        ("since: A", 's < duration("1h")', None, "1 A"),
        (
            "since: A",
            's > duration("169h")',
            None,
            '`s` would have to be more than duration("169h") (it is 1d)',
        ),
        ("each: B", "s", False, "1 B"),
        (
            "first_time: event.data.x, of: A",
            "s",
            False,
            "1 A with a `event.data.x` not seen within 7d (seen: 4, 3)",
        ),
    ],
)
def test_what_a_signal_needs(tmp_path: Path, signal: str, when: str, value: object, said: str) -> None:
    within = "" if signal.startswith("each") else ", within: 7d"
    rules = book(tmp_path, one=f"signals:\n  s: {{{signal}{within}}}\nwhen: '{when}'\n")
    facts = [event("2026-03-02T09:00", x=3), event("2026-03-03T09:00", x=4)]
    case = case_told(rules, facts, "2026-03-04T09:00")
    if value is not None:
        assert values(case)["s"] == value
    assert needs(case) == [said]


def test_a_value_seen_again_leaves_later(tmp_path: Path) -> None:
    rules = book(tmp_path, one="signals:\n  s: {distinct: event.data.x, of: A, within: 7d}\nwhen: 's >= 3'\n")
    facts = [
        event("2026-03-02T09:00", x="a"),
        event("2026-03-03T09:00", x="b"),
        event("2026-03-04T09:00", x="a"),
    ]
    assert step(case_told(rules, facts, "2026-03-05T09:00")).until == time("2026-03-10T09:00")


RATIO = "signals:\n  share: {ratio: Returned, to: Placed, at_least: 4, within: 90d}\nwhen: 'share >= 0.5'\n"


def test_a_ratio_that_is_undefined_says_what_it_takes(tmp_path: Path) -> None:
    rules = book(tmp_path, returns=RATIO)
    facts = [event("2026-03-01T09:00", "Placed"), event("2026-03-02T09:00", "Returned")]
    case = case_told(rules, facts, "2026-03-04T09:00")
    assert only(case).value is None
    assert only(case).undefined == "1 Placed in the window, and it takes 4"
    assert case.when.truth is Truth.UNDEFINED
    assert case.when.because == "share is undefined: 1 Placed in the window, and it takes 4"
    assert needs(case) == ["3 more Placed before 2026-05-30T09:00:00Z, so that the share has a value"]


def test_a_ratio_below_its_threshold_says_how_many_would_reach_it(tmp_path: Path) -> None:
    rules = book(tmp_path, returns=RATIO)
    facts = [event(f"2026-03-0{day}T09:00", "Placed") for day in range(1, 6)]
    case = case_told(rules, [*facts, event("2026-03-06T09:00", "Returned")], "2026-03-07T09:00")
    assert only(case).notes == ("1 of 5",)
    needed = step(case)
    assert needed.text == "2 more Returned with no further Placed before 2026-05-30T09:00:00Z: 3 of 5"
    assert needed.more == 2


@pytest.mark.parametrize(
    ("ratio", "when", "said"),
    [
        (
            "ratio: Returned, to: Placed",
            "share > 0.4",
            "2 more Returned with no further Placed before 2026-05-30T09:00:00Z: 3 of 5",
        ),
        (
            "ratio: Returned, to: [Placed, Returned]",
            "share >= 0.5",
            "`share` would have to be at least 0.5 (it is ≈0.1666666667)",
        ),
        ("ratio: Returned, to: Placed", "share < 0.1", "`share` would have to be less than 0.1 (it is 0.2)"),
    ],
)
def test_a_ratio_is_told_as_exactly_as_it_can_be(tmp_path: Path, ratio: str, when: str, said: str) -> None:
    rules = book(tmp_path, one=f"signals:\n  share: {{{ratio}, at_least: 4, within: 90d}}\nwhen: '{when}'\n")
    facts = [event(f"2026-03-0{day}T09:00", "Placed") for day in range(1, 6)]
    case = case_told(rules, [*facts, event("2026-03-06T09:00", "Returned")], "2026-03-07T09:00")
    assert needs(case) == [said]


CHANGE = "signals:\n  change: {change: event.data.value, of: Valued, over: 30d}\nwhen: 'change <= -0.1'\n"


def test_a_change_says_which_values_it_compares(tmp_path: Path) -> None:
    rules = book(tmp_path, drop=CHANGE)
    facts = [
        event("2026-03-01T09:00", "Valued", value=100),
        event("2026-03-20T09:00", "Valued", value=90),
        event("2026-04-01T09:00", "Valued", value=95),
    ]
    case = case_told(rules, facts, "2026-04-01T10:00")
    assert values(case) == {"change": Decimal("-0.05")}
    assert [one.value for one in only(case).latest] == [100, 95]
    assert needs(case) == ["1 Valued with `event.data.value` at most 90 (compared with 100, as of now)"]


@pytest.mark.parametrize(
    ("given", "undefined", "said"),
    [
        ([], "no Valued with a number", "2 Valued with a number, from 30d to 37d apart"),
        (
            [("2026-03-25T09:00", 5)],
            "no value is 30d old: the first is from 2026-03-25T09:00:00Z",
            "1 Valued from 2026-04-24T09:00:00Z on, when there is a value to compare with",
        ),
        (
            [("2026-01-01T09:00", 5), ("2026-04-01T09:00", 5)],
            "the latest value from 30d ago or before is more than 7d older than that",
            None,
        ),
        (
            [("2026-03-02T09:00", 0), ("2026-04-01T09:00", 5)],
            "the value from 30d ago is 0, which is not above 0",
            None,
        ),
    ],
)
def test_a_change_that_is_undefined_says_why(
    tmp_path: Path, given: list[tuple[str, int]], undefined: str, said: str | None
) -> None:
    rules = book(tmp_path, drop=CHANGE)
    case = case_told(rules, [event(at, "Valued", value=value) for at, value in given], "2026-04-02T09:00")
    assert only(case).undefined == undefined
    expected = said or f"`change` would have to be at most -0.1 (change is undefined: {undefined})"
    assert needs(case) == [expected]


BASELINE = """\
signals:
  spend: {sum: event.data.x, of: A, within: 7d}
  against: {baseline: spend, versus: 2, as: ratio}
when: 'against <= -0.5'
"""


def test_a_baseline_says_its_windows_and_what_would_fall_below(tmp_path: Path) -> None:
    rules = book(tmp_path, fell=BASELINE)
    facts = [event(f"2026-03-{day:02}T09:00", x=10) for day in range(1, 25)]
    case = case_told(rules, facts, "2026-03-24T09:00")
    assert values(case) == {"spend": 70, "against": 0}
    against = case.signals[1]
    assert against.notes == ("now 70; before 70, 70",)
    assert needs(case) == [
        "`spend` would have to be at most 35, with the mean 70 of its windows before as they are now"
    ]


def test_a_baseline_says_from_when_on_it_can_be_compared(tmp_path: Path) -> None:
    rules = book(tmp_path, fell=BASELINE)
    case = case_told(rules, [event("2026-03-01T09:00", x=10)], "2026-03-10T09:00")
    begins = time("2026-03-01T09:00") + 21 * DAY
    assert case.signals[1].undefined == (
        f"the first event is too near; from {format_instant(begins)} on it can be compared"
    )


def test_willingness_tells_the_scores(tmp_path: Path) -> None:
    policy = "willingness: {within: 7d, scores: {A: -3, B: 4}}\n"
    rules = book(tmp_path, policy, low="signals:\n  a: {each: A}\nwhen: 'a && willingness < 0'\n")
    case = case_told(rules, [event("2026-03-01T09:00"), event("2026-03-02T09:00", "B")], "2026-03-03T09:00")
    (willingness,) = [signal for signal in case.signals if signal.name == "willingness"]
    assert willingness.value == 1
    assert [one.value for one in willingness.latest] == [-3, 4]
    assert needs(case) == ["1 A", "`willingness` would have to be less than 0 (it is 1)"]


SEQUENCE = """\
signals:
  given_up: {sequence: [A, {type: B, where: 'event.data.x > 1'}, C], within: 7d}
when: 'given_up'
"""


def test_a_sequence_says_how_far_it_has_come(tmp_path: Path) -> None:
    rules = book(tmp_path, gone=SEQUENCE)
    facts = [
        event("2026-03-01T09:00"),
        event("2026-03-02T09:00", "B", x=1),
        event("2026-03-03T09:00", "B", x=2),
    ]
    case = case_told(rules, facts, "2026-03-04T09:00")
    assert only(case).notes == (
        "2 of 3 steps made, the first at 2026-03-01T09:00:00Z, the latest at 2026-03-03T09:00:00Z",
    )
    assert needs(case) == [
        "1 C",
        "in this order, the first of them later than 2026-03-03T09:00:00Z, and all by 2026-03-08T09:00:00Z",
    ]
    begun = case_told(rules, [], "2026-03-04T09:00")
    assert only(begun).notes == ("0 of 3 steps made",)
    assert needs(begun) == [
        "1 A",
        "1 B where `event.data.x > 1`",
        "1 C",
        "in this order, each later than the one before, within 7d",
    ]


def test_parts_that_hold_are_not_asked_for(tmp_path: Path) -> None:
    rules = book(
        tmp_path,
        both="signals:\n  n: {count: A, within: 7d}\n  m: {count: B, within: 7d}\n"
        "when: 'n >= 1 && (m >= 1 || m < 0)'\n",
    )
    case = case_told(rules, [event("2026-03-01T09:00")], "2026-03-02T09:00")
    assert isinstance(case.needed[0].change, AnyOf)
    assert needs(case)[0] == "1 B within 7d"
    assert [part.truth for part in case.when.parts] == [Truth.TRUE, Truth.FALSE]
    nothing = case_told(rules, [], "2026-03-02T09:00")
    assert isinstance(nothing.needed[0].change, AllOf)


def test_what_asks_the_event_is_said_of_the_event_that_comes(tmp_path: Path) -> None:
    rules = book(
        tmp_path,
        vip="signals:\n  n: {count: A, within: 7d}\nwhen: 'n >= 1 && event.data.x > 5 && event.type == \"A\"'\n",
    )
    case = case_told(rules, [event("2026-03-01T09:00", x=3)], "2026-03-02T09:00")
    assert case.when.truth is Truth.ASKS_EVENT
    assert [part.truth for part in case.when.parts] == [Truth.TRUE, Truth.ASKS_EVENT, Truth.ASKS_EVENT]
    assert needs(case) == ["an event for which `event.data.x > 5`", 'an event for which `event.type == "A"`']


def test_any_part_of_what_is_true_ends_it(tmp_path: Path) -> None:
    rules = book(
        tmp_path,
        both="signals:\n  n: {count: A, within: 7d}\n  m: {count: B, within: 7d}\nwhen: 'n >= 1 && m >= 1'\n",
    )
    case = case_told(rules, [event("2026-03-01T09:00"), event("2026-03-02T09:00", "B")], "2026-03-03T09:00")
    assert isinstance(case.needed[0].change, AnyOf)
    assert needs(case) == [
        "`n` falls to 0 at 2026-03-08T09:00:00Z, if no more come",
        "`m` falls to 0 at 2026-03-09T09:00:00Z, if no more come",
    ]


@pytest.mark.parametrize(
    ("when", "truth"),
    [
        ("share > 0.5 || event.data.x > 5", Truth.ASKS_EVENT),
        ("share > 0.5 && event.data.x > 5", Truth.UNDEFINED),
        ("share > 0.5 && event.data.x > 5 && 1 > 2", Truth.FALSE),
        ("!(share > 0.5 || event.data.x > 5)", Truth.ASKS_EVENT),
    ],
)
def test_what_nobody_can_say_is_told_apart(tmp_path: Path, when: str, truth: Truth) -> None:
    rules = book(
        tmp_path, one=f"signals:\n  share: {{ratio: B, to: A, at_least: 4, within: 7d}}\nwhen: '{when}'\n"
    )
    assert case_told(rules, [event("2026-03-01T09:00", x=3)], "2026-03-02T09:00").when.truth is truth


def test_a_profile_that_says_too_little_is_named(tmp_path: Path) -> None:
    rules = book(
        tmp_path,
        "",
        "codes: [E10, E11]\n",
        vip="signals:\n  n: {count: A, within: 7d}\nwhen: 'n >= 1'\n"
        "eligible: 'profile.age > 17 && profile.code in lists.codes && has(profile.name)"
        ' && profile.tier != "x"\'\n',
    )
    case = case_told(rules, [event("2026-03-01T09:00")], "2026-03-02T09:00", code="Z1", tier="x")
    assert case.eligible.truth is Truth.FALSE
    assert needs(case, "eligible") == [
        "`profile.age` would have to be more than 17 (profile.age is missing)",
        '`profile.code` would have to be one of `lists.codes` (it is "Z1")',
        "`profile.name` would have to be there",
        '`profile.tier` would have to be other than "x" (it is "x")',
    ]


def test_each_case_is_told_by_itself_the_latest_first(tmp_path: Path) -> None:
    rules = book(
        tmp_path,
        late="for_each: event.data.order\nsignals:\n  n: {count: A, within: 7d}\n"
        "  all: {count: A, within: 7d, per: customer}\nwhen: 'n >= 3 && all >= 1'\n",
    )
    facts = [
        event("2026-03-01T09:00", order="o-1"),
        event("2026-03-02T09:00", order="o-2"),
        event("2026-03-03T09:00", order="o-1"),
        event("2026-03-04T09:00"),
        event("2026-02-01T09:00", order="long-ago"),
    ]
    rule = rule_told(rules, Lived(rules, profile_of([])).take(facts).customer(), "2026-03-05T09:00")
    assert [(case.case, values(case)) for case in rule.cases] == [
        ("o-1", {"n": 2, "all": 3}),
        ("o-2", {"n": 1, "all": 3}),
    ]
    assert [signal.events for signal in rule.cases[0].signals] == [2, 3]
    none = rule_told(rules, Lived(rules, profile_of([])).customer(), "2026-03-05T09:00")
    assert [case.case for case in none.cases] == [None]
    assert not none.touched
