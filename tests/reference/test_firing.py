"""When a rule is evaluated, rises and fires, sentence by sentence (rules.md, Firing and Cases)."""

from __future__ import annotations

from collections.abc import Sequence

from foreword.domain.facts import Fact
from foreword.domain.instants import DAY, HOUR, MINUTE, format_instant
from foreword.domain.rulebook import (
    AbsenceSignal,
    BaselineSignal,
    CountSignal,
    DateSignal,
    EachSignal,
    LastSignal,
    RatioSignal,
    Rule,
    Schedule,
    SequenceSignal,
    SinceSignal,
    WillingnessSignal,
)
from tests.reference.engines import Engine
from tests.reference.firing import decide
from tests.reference.writing import CUSTOMER, T, book, cel, event, fact, rule, send

A, B = event("A"), event("B")
COUNT = {"n": CountSignal(of=A, within=5 * HOUR)}


def hours(decided: Engine, example: Rule, facts: Sequence[Fact], end: float | None = None) -> list[float]:
    """The hours of all rises up to `end` (the last event)."""
    until = None if end is None else T + int(end * HOUR)
    return [(d.at - T) / HOUR for d in decided(book(example), facts, {}, None, until)]


def test_it_rises_when_its_condition_is_true_after_the_event_and_was_false_just_before(
    decided: Engine,
) -> None:
    twice = rule("n >= 2", COUNT)
    assert hours(decided, twice, [fact(0), fact(1), fact(2), fact(3)]) == [1]


def test_a_condition_that_lapsed_because_its_window_emptied_has_re_armed(decided: Engine) -> None:
    assert hours(decided, rule("n >= 2", COUNT), [fact(0), fact(1), fact(5.5), fact(5.9)]) == [1, 5.5]


def test_one_whose_oldest_event_expires_at_the_very_instant_a_new_one_arrives_has_not(
    decided: Engine,
) -> None:
    assert hours(decided, rule("n >= 2", COUNT), [fact(0), fact(1), fact(5)]) == [1]
    assert hours(decided, rule("n >= 2", COUNT), [fact(0), fact(1), fact(5.001)]) == [1, 5.001]


def test_expiry_alone_never_makes_a_rise(decided: Engine) -> None:
    few = rule("n <= 1", COUNT)
    assert hours(decided, few, [fact(0), fact(1), fact(9, "Z")], 20) == []
    # Before the first event n was 0, which was as true; after the window emptied it was true again.
    assert hours(decided, few, [fact(0), fact(1), fact(9)]) == []


def test_moments_are_true_at_their_instant_alone_so_each_is_a_rise_of_its_own(decided: Engine) -> None:
    visit = rule("visit", {"visit": EachSignal(of=A)})
    assert hours(decided, visit, [fact(0), fact(1), fact(2)]) == [0, 1, 2]


def test_there_is_one_rise_at_an_instant(decided: Engine) -> None:
    assert hours(decided, rule("visit", {"visit": EachSignal(of=A)}), [fact(1), fact(1)]) == [1]
    assert hours(decided, rule("n >= 1", COUNT, repeat=True), [fact(1), fact(1)]) == [1]


def test_events_at_one_time_are_applied_one_by_one_and_each_sees_those_before_it(decided: Engine) -> None:
    (decision,) = decided(book(rule("n >= 2", COUNT)), [fact(1), fact(1), fact(1)])
    assert decision.signals == {"n": 2}
    odd = rule("n == 2", COUNT)
    assert hours(decided, odd, [fact(1), fact(1), fact(1)]) == [1], "true between two of one instant"


def test_a_moment_of_the_same_instant_is_still_true_at_a_further_event(decided: Engine) -> None:
    signals = {**COUNT, "visit": EachSignal(of=B)}
    assert hours(decided, rule("visit && n >= 1", signals), [fact(1, "B"), fact(1)]) == [1]


def test_it_is_evaluated_at_events_of_signals_used_in_its_when(decided: Engine) -> None:
    signals = {
        "n": CountSignal(of=A, within=5 * HOUR),
        "since": SinceSignal(of=A),
        "unused": EachSignal(of=B),
    }
    late = rule('n >= 1 && since >= duration("2h")', signals)
    assert hours(decided, late, [fact(0), fact(3, "B")]) == []


def test_reset_to_after_steps_and_scored_events_evaluate_too(decided: Engine) -> None:
    visit = {"m": CountSignal(of=event("M"), within=2 * HOUR)}
    counted = {"s": CountSignal(of=event("N"), reset=A), **visit}
    assert hours(decided, rule("s == 0 && m == 0", counted), [fact(0, "N"), fact(1)]) == [1]
    ratio = {"s": RatioSignal(of=event("N"), to=A, at_least=1)}
    assert hours(decided, rule("s == 1", ratio), [fact(0, "N"), fact(1)]) == [1]
    for signal in (
        AbsenceSignal(absence=event("N"), after=A, within=DAY, timer="each"),
        AbsenceSignal(absence=A, after=event("N"), within=DAY, timer="each"),
        SequenceSignal(steps=(A, event("N")), within=DAY),
        SequenceSignal(steps=(event("N"), A, event("N")), within=DAY),
        WillingnessSignal(scores={"A": 1}, within=DAY),
        BaselineSignal(signal="n", versus=2, compared_as="ratio"),
    ):
        # Only the baseline uses `n`.
        signals = {"s": signal, "n": CountSignal(of=A, within=HOUR)}
        always = rule("s == 5 || true", signals, repeat=True)
        assert hours(decided, always, [fact(1), fact(2, "Z"), fact(3)]) == [1, 3]


def test_the_where_says_whether_an_event_matters(decided: Engine) -> None:
    signals = {"n": CountSignal(of=event("A", where="event.data.x > 1"))}
    always = rule("n >= 1", signals, repeat=True)
    assert hours(decided, always, [fact(0, x=1), fact(1, x=2), fact(2, x=1), fact(3, x=3)]) == [1, 3]


def test_repeat_while_true_takes_every_true_evaluation_for_a_rise(decided: Engine) -> None:
    assert hours(decided, rule("n >= 2", COUNT, repeat=True), [fact(0), fact(1), fact(2), fact(3, "B")]) == [
        1,
        2,
    ]


def test_since_just_before_t_has_not_reached_what_it_reaches_at_t(decided: Engine) -> None:
    signals = {"since": SinceSignal(of=A), "b": CountSignal(of=B)}
    long = rule('since >= duration("2h") && b >= 0', signals)
    assert hours(decided, long, [fact(0), fact(2, "B")]) == [2]
    assert hours(decided, long, [fact(0), fact(2.001, "B")]) == []


def test_it_fires_when_eligible_is_true(decided: Engine) -> None:
    visit = {"visit": EachSignal(of=A), "n": CountSignal(of=A)}
    example = book(rule("visit", visit, eligible='profile.segment != "staff" && n >= 2'))
    reasons = [d.reason for d in decided(example, [fact(0), fact(1)], {"segment": "retail"})]
    assert reasons == ["NOT_ELIGIBLE", None]
    assert [d.reason for d in decided(example, [fact(1)], {})] == ["NOT_ELIGIBLE"], "an error is false"


def test_a_rise_within_re_eligible_after_is_skipped_and_at_exactly_its_end_fires(decided: Engine) -> None:
    visit = rule("visit", {"visit": EachSignal(of=A)}, re_eligible_after="3h")
    reasons = [d.reason for d in decided(book(visit), [fact(0), fact(2), fact(3), fact(5.9), fact(6)])]
    assert reasons == [None, "NOT_RE_ELIGIBLE", None, "NOT_RE_ELIGIBLE", None]


def test_a_skipped_rise_does_not_come_back_later(decided: Engine) -> None:
    twice = rule("n >= 2", {"n": CountSignal(of=A, within=2 * HOUR)}, re_eligible_after="5h")
    facts = [fact(hour) for hour in (0, 1, 4, 5, 6, 7, 8)]
    assert [(d.at - T) // HOUR for d in decided(book(twice), facts)] == [1, 5]


def test_what_is_not_eligible_does_not_begin_a_pause(decided: Engine) -> None:
    visit = rule("visit", {"visit": EachSignal(of=A)}, eligible="event.data.x", re_eligible_after="3h")
    reasons = [d.reason for d in decided(book(visit), [fact(0, x=False), fact(1, x=True), fact(2, x=True)])]
    assert reasons == ["NOT_ELIGIBLE", None, "NOT_RE_ELIGIBLE"]


def test_the_sends_are_those_whose_if_holds(decided: Engine) -> None:
    sends = (send("one"), send("two", "n > 1", ("n",)), send("three", "profile.lifetime_value > 1000"))
    visit = {"visit": EachSignal(of=A), "n": CountSignal(of=A)}
    example = book(rule("visit", visit, sends=sends))
    assert [d.sends for d in decided(example, [fact(0), fact(1)], {"lifetime_value": 1001})] == [
        (0, 2),
        (0, 1, 2),
    ]


def test_the_signals_are_the_defined_ones(decided: Engine) -> None:
    signals = {
        "visit": EachSignal(of=A),
        "last": LastSignal(kind="last", value=cel("event.data.x"), of=A),
        "gone": AbsenceSignal(absence=B, after=A, within=HOUR, timer="each"),
    }
    (decision,) = decided(book(rule("visit || gone || last == 1", signals)), [fact(0)])
    assert decision.signals == {"visit": True, "gone": False}


CASES = {"n": CountSignal(of=A, within=5 * HOUR)}


def test_for_each_keeps_signals_rises_and_re_eligibility_per_case(decided: Engine) -> None:
    twice = rule("n >= 2", CASES, for_each="event.data.order", re_eligible_after="9h")
    facts = [
        fact(0, order="a"),
        fact(1, order="b"),
        fact(2, order="a"),
        fact(3, order="b"),
        fact(7.5, order="a"),
        fact(8, order="a"),
    ]
    found = [((d.at - T) / HOUR, d.case, d.reason) for d in decided(book(twice), facts)]
    assert found == [(2, "a", None), (3, "b", None), (8, "a", "NOT_RE_ELIGIBLE")]


def test_an_event_without_the_key_is_not_the_rules(decided: Engine) -> None:
    twice = rule("n >= 2", CASES, for_each="event.data.order")
    assert decided(book(twice), [fact(0), fact(1, order="a"), fact(2), fact(3, order=None)]) == []


def test_per_customer_keeps_a_signal_customer_wide(decided: Engine) -> None:
    signals = {"visit": EachSignal(of=A), "n": CountSignal(of=A, within=5 * HOUR, per_customer=True)}
    example = book(rule("visit && n >= 2", signals, for_each="event.data.order"))
    facts = [fact(0, order="a"), fact(1, order="b"), fact(2, order="c")]
    assert [d.case for d in decided(example, facts)] == ["b", "c"]


def test_an_absence_of_a_case_is_met_by_events_of_that_case_alone(decided: Engine) -> None:
    gone = AbsenceSignal(absence=B, after=A, within=3 * HOUR, timer="last")
    example = book(rule("gone", {"gone": gone}, for_each="event.data.order"))
    facts = [fact(0, order="a"), fact(1, order="b"), fact(2, "B", order="a"), fact(9, "Z")]
    assert [((d.at - T) / HOUR, d.case) for d in decided(example, facts)] == [(4, "b")]


def test_a_known_source_and_id_is_the_same_event_whatever_else_differs(decided: Engine) -> None:
    first = fact(0, id="x")
    again = first._replace(occurred_at=T + HOUR, received_at=T + HOUR)
    other = again._replace(source="other")
    assert decided(book(rule("n >= 2", COUNT)), [first, again]) == []
    assert len(decided(book(rule("n >= 2", COUNT)), [first, other])) == 1


def test_a_retraction_takes_a_fact_of_the_same_source_back(decided: Engine) -> None:
    facts = [fact(0, id="x"), fact(1), fact(2)]
    back = fact(3, retracts="x")
    assert hours(decided, rule("n >= 2", COUNT), [*facts, back]) == [2], "and is no event itself"
    stranger = back._replace(source="other")
    assert hours(decided, rule("n >= 2", COUNT), [*facts, stranger]) == [1]


WEEKLY = Schedule(every=7 * DAY, at=6 * 60, weekday=0)
IDLE = {"since": SinceSignal(of=A)}


def test_a_scheduled_rule_is_evaluated_at_those_times_only_in_the_customers_zone(decided: Engine) -> None:
    idle = rule('since > duration("48h")', IDLE, evaluate=WEEKLY)
    berlin = {"timezone": "Europe/Berlin"}
    # Monday 7 October 06:00 in Berlin is 04:00 in UTC, and the event is 52 hours old then.
    (decision,) = decided(book(idle), [fact(0)], berlin, None, T + 30 * DAY)
    assert format_instant(decision.at) == "2024-10-07T04:00:00Z"
    assert decision.signals["since"] == "187200s"
    # After the end of summer time it is 05:00.
    (decision,) = decided(book(idle), [fact(21 * 24)], berlin, None, T + 60 * DAY)
    assert format_instant(decision.at) == "2024-10-28T05:00:00Z"


def test_a_scheduled_rise_is_against_the_previous_scheduled_evaluation(decided: Engine) -> None:
    idle = rule('since > duration("48h")', IDLE, evaluate=WEEKLY)
    facts = [fact(0), fact(9 * 24), fact(15 * 24)]
    found = decided(book(idle), facts, {}, None, T + 40 * DAY)
    assert [format_instant(d.at)[:10] for d in found] == ["2024-10-07", "2024-10-28"]


def test_the_first_scheduled_evaluation_is_against_the_instant_one_every_earlier(decided: Engine) -> None:
    few = rule("n <= 1", {"n": CountSignal(of=A)}, evaluate=Schedule(every=DAY, at=0))
    assert decided(book(few), [fact(1)], {}, None, T + 5 * DAY) == [], "nothing was as true the day before"
    many = rule("n >= 1", {"n": CountSignal(of=A)}, evaluate=Schedule(every=DAY, at=0))
    found = decided(book(many), [fact(1)], {}, None, T + 5 * DAY)
    assert [(d.at - T) / HOUR for d in found] == [24]


def test_a_schedule_reaches_every_customer_with_state_and_no_other(decided: Engine) -> None:
    few = rule("n >= 0", {"n": CountSignal(of=A)}, evaluate=Schedule(every=DAY, at=0), repeat=True)
    assert len(decided(book(few), [fact(1)], {}, T - DAY, T + 3 * DAY)) == 3
    assert decided(book(few), [], {}, T, T + 3 * DAY) == []


def test_schedules_of_several_days_and_weeks_are_counted_from_monday_5_january_1970(decided: Engine) -> None:
    third = rule("n >= 1", {"n": CountSignal(of=A)}, evaluate=Schedule(every=3 * DAY, at=0), repeat=True)
    # 5 October 2024 is day 19,997.
    found = decided(book(third), [fact(0)], {}, None, T + 9 * DAY)
    assert [(d.at - T) // DAY for d in found] == [1, 4, 7]
    second = Schedule(every=14 * DAY, at=0, weekday=1)
    weeks = rule("n >= 1", {"n": CountSignal(of=A)}, evaluate=second, repeat=True)
    # Monday 7 October 2024 begins week 2,857.
    found = decided(book(weeks), [fact(0)], {}, None, T + 40 * DAY)
    assert [(d.at - T) // DAY for d in found] == [10, 24, 38]


def test_a_schedule_at_exactly_the_end_counts(decided: Engine) -> None:
    many = rule("n >= 1", {"n": CountSignal(of=A)}, evaluate=Schedule(every=DAY, at=0))
    assert len(decided(book(many), [fact(1)], {}, None, T + DAY)) == 1
    assert decided(book(many), [fact(1)], {}, None, T + DAY - MINUTE) == []


def test_the_profile_is_as_of_the_evaluations_time_each_attribute_by_its_latest_writer() -> None:
    twice = book(rule('visit && profile.segment == "retail"', {"visit": EachSignal(of=A)}))
    facts = [
        fact(0),
        fact(1, "CustomerUpdated", segment="retail", points=1),
        fact(2),
        fact(3, "CustomerUpdated", points=2),
        fact(4),
        fact(5, "CustomerUpdated", segment=None),
        fact(6),
    ]
    found = decide(twice, CUSTOMER, None, reversed(facts))
    assert [(d.at - T) // HOUR for d in found] == [2, 4]


def test_a_profile_change_alone_evaluates_nothing_and_moves_a_date() -> None:
    idle = rule('n >= 1 && profile.segment == "retail"', {"n": CountSignal(of=A)}, name="idle")
    day = rule("day", {"day": DateSignal(value=cel("profile.day"), before=0, at=0)}, name="day")
    facts = [
        fact(0),
        fact(1, "CustomerUpdated", segment="retail", day="2024-10-07"),
        fact(30, "CustomerUpdated", day="2024-10-09"),
    ]
    found = decide(book(idle, day), CUSTOMER, None, facts, None, T + 9 * DAY)
    assert [(d.rule, (d.at - T) // DAY) for d in found] == [("day", 4)]
