"""Why a customer did or did not get a message: what was decided, what became of it, and what comes next."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from foreword.domain.consent import Consents
from foreword.domain.facts import CUSTOMER_UPDATED, FOREWORD, PEERS_COMPARED, PREFERENCE_CHANGED, Fact
from foreword.domain.instants import DAY, MINUTE
from foreword.domain.reasons import Reason
from foreword.explaining import ahead
from foreword.explaining.cases import MOST_RISES
from foreword.explaining.explain import MOST_CASES
from foreword.explaining.explanation import CaseExplained, Truth, to_json
from tests.unit.explaining.told import (
    Lived,
    book,
    case_told,
    event,
    needs,
    not_sent,
    profile_of,
    rule_told,
    sent,
    step,
    time,
    told,
    values,
)

TWICE = "signals:\n  n: {count: A, within: 7d}\nwhen: 'n >= 2'\nre_eligible_after: 14d\n"
MARKETING = "send: {message: m, purpose: marketing, topic: advice, channels: [email, sms]}\n"
GONE = "signals:\n  gone: {absence: B, after: A, within: 3d}\nwhen: 'gone'\n"
REACHABLE = {"email": "ada@example.com", "timezone": "Europe/Berlin"}


def only_case(rules: Any, lived: Lived, at: str) -> CaseExplained:
    (case,) = rule_told(rules, lived.customer(), at).cases
    return case


def choice(
    at: str, choice: str, topic: str = "advice", channel: str = "any", received: str | None = None
) -> Fact:
    data = {"topic": topic, "channel": channel, "choice": choice}
    return event(at, PREFERENCE_CHANGED, received=received, **data)


# ---- what happened


def test_a_customer_who_got_the_message(tmp_path: Path) -> None:
    rules = book(tmp_path, twice=TWICE)
    facts = [event("2026-03-02T09:00"), event("2026-03-03T09:00")]
    case = only_case(rules, Lived(rules, profile_of([], **REACHABLE)).take(facts), "2026-03-04T09:00")
    (rise,) = case.rises
    assert (rise.at, rise.outcome, rise.recorded) == (time("2026-03-03T09:00"), "fired", True)
    assert rise.decided_at == time("2026-03-03T09:00")
    assert rise.caused_by == "A A/2026-03-03T09:00 of test at 2026-03-03T09:00:00Z"
    assert rise.signals == {"n": 2}
    assert (rise.when.with_values, rise.when.truth) == ("2 >= 2", Truth.TRUE)
    (message,) = rise.messages
    assert (message.status, message.reason, message.channel) == ("SENT", "SENT", "email")
    assert not message.later
    assert not message.another_rulebook
    assert case.held is not None
    assert case.held.allowed_from == time("2026-03-17T09:00")
    assert step(case, "re-eligibility").time == time("2026-03-17T09:00")


def test_a_customer_who_lacks_consent(tmp_path: Path) -> None:
    rules = book(tmp_path, twice=TWICE + MARKETING)
    facts = [event("2026-03-02T09:00"), event("2026-03-03T09:00")]
    lived = Lived(rules, profile_of([], **REACHABLE), not_sent(Reason.NO_CONSENT)).take(facts)
    rule = rule_told(rules, lived.customer(), "2026-03-04T09:00")
    (case,) = rule.cases
    (rise,) = case.rises
    (message,) = rise.messages
    assert (message.status, message.reason) == ("NOT_SENT", "NO_CONSENT")
    assert message.gates is not None
    email, sms = message.gates.channels
    assert (email.closed_by, email.consents, email.address) == ("NO_CONSENT", False, True)
    assert email.consent == "no choice is recorded, and marketing needs an opt-in"
    assert (sms.closed_by, sms.address) == ("NO_CONSENT", False)
    assert [send.verdict for send in rule.delivery] == ["NO_CONSENT"]
    assert needs(case, "NO_CONSENT") == [
        "email: a PreferenceChanged to `in` for the topic advice and the channel email or any",
        "sms: a PreferenceChanged to `in` for the topic advice and the channel sms or any",
    ]
    assert case.held is None, "of which nothing left gives its clock back"


def test_consent_is_told_as_it_stood_then(tmp_path: Path) -> None:
    rules = book(tmp_path, twice=TWICE + MARKETING)
    out, back = choice("2026-03-02T08:00", "out"), choice("2026-03-05T09:00", "in")
    facts = [out, event("2026-03-02T09:00"), event("2026-03-03T09:00"), back]
    lived = Lived(rules, profile_of([], **REACHABLE), not_sent(Reason.NO_CONSENT)).take(facts)
    customer = lived.customer(replace(Consents("c-1"), version=2).merge(out).merge(back))
    rule = rule_told(rules, customer, "2026-03-06T09:00")
    (message,) = rule.cases[0].rises[0].messages
    assert message.gates is not None
    assert message.gates.channels[0].consent == "opted out at 2026-03-02T08:00:00Z"
    (now,) = rule.delivery
    assert (now.verdict, now.channels[0].choice) == ("SENT", "in")
    assert now.channels[0].chosen_at == time("2026-03-05T09:00")
    (before,) = rule_told(rules, customer, "2026-03-04T09:00").delivery
    assert before.channels[0].consent == "opted out at 2026-03-02T08:00:00Z"


def test_a_pause_of_the_customer_s_own_is_told_with_its_end(tmp_path: Path) -> None:
    rules = book(tmp_path, twice=TWICE)
    pause = event("2026-03-02T08:00", PREFERENCE_CHANGED, paused_until="2026-03-20T00:00:00Z")
    facts = [pause, event("2026-03-02T09:00"), event("2026-03-03T09:00")]
    lived = Lived(rules, profile_of([], **REACHABLE), not_sent(Reason.PAUSED_BY_CUSTOMER)).take(facts)
    customer = lived.customer(replace(Consents("c-1"), version=1).merge(pause))
    rule = rule_told(rules, customer, "2026-03-04T09:00")
    (case,) = rule.cases
    (message,) = case.rises[0].messages
    assert message.gates is not None
    assert (message.gates.verdict, message.gates.until) == ("PAUSED_BY_CUSTOMER", time("2026-03-20T00:00"))
    assert needs(case, "PAUSED_BY_CUSTOMER") == [
        "the customer's pause over, at 2026-03-20T00:00:00Z, or taken back"
    ]
    (before,) = rule_told(rules, customer, "2026-03-01T09:00").delivery
    assert before.verdict == "SENT"


def test_an_opt_in_that_waits_is_told_as_not_confirmed(tmp_path: Path) -> None:
    rules = book(tmp_path, twice=TWICE + MARKETING)
    data = {"topic": "advice", "channel": "email", "choice": "in", "confirmation": "pending"}
    pending = event("2026-03-02T08:00", PREFERENCE_CHANGED, **data)
    facts = [pending, event("2026-03-02T09:00"), event("2026-03-03T09:00")]
    lived = Lived(rules, profile_of([], **REACHABLE), not_sent(Reason.NO_CONSENT)).take(facts)
    customer = lived.customer(replace(Consents("c-1"), version=1).merge(pending))
    (now,) = rule_told(rules, customer, "2026-03-04T09:00").delivery
    assert now.verdict == "NO_CONSENT"
    assert now.channels[0].consent == "opted in at 2026-03-02T08:00:00Z, which is not confirmed"


def test_a_rise_within_the_pause_says_what_held_it(tmp_path: Path) -> None:
    rules = book(tmp_path, twice=TWICE)
    days = ("02", "03", "12", "13", "18", "19", "30", "31")
    facts = [event(f"2026-03-{day}T09:00") for day in days]
    case = only_case(rules, Lived(rules, profile_of([], **REACHABLE)).take(facts), "2026-03-31T10:00")
    assert [rise.outcome for rise in case.rises] == ["fired", "NOT_RE_ELIGIBLE", "fired"]
    held = case.rises[1].held
    assert held is not None
    assert (held.at, held.allowed_from) == (time("2026-03-03T09:00"), time("2026-03-17T09:00"))
    assert case.rises[2].at == time("2026-03-30T09:00") + DAY
    assert case.rises[2].held is None


def test_a_firing_of_which_nothing_left_holds_nothing(tmp_path: Path) -> None:
    rules = book(tmp_path, twice=TWICE)
    facts = [event(f"2026-03-{day}T09:00") for day in ("02", "03", "12", "13")]
    lived = Lived(rules, profile_of([]), not_sent(Reason.NO_ADDRESS)).take(facts)
    case = only_case(rules, lived, "2026-03-14T10:00")
    assert [(rise.outcome, rise.held) for rise in case.rises] == [("fired", None), ("fired", None)]
    assert told(rules, lived.customer(), "2026-03-14T10:00").events == 4, (
        "and what Foreword keeps is no event"
    )
    assert needs(case, "NO_ADDRESS") == ["email: a CustomerUpdated whose `email` can be delivered to"]


def test_who_is_not_eligible_is_told_by_what(tmp_path: Path) -> None:
    rules = book(tmp_path, twice=TWICE + "eligible: 'profile.segment != \"staff\"'\n")
    facts = [event("2026-03-02T09:00"), event("2026-03-03T09:00")]
    case = case_told(rules, facts, "2026-03-04T09:00", segment="staff")
    (rise,) = case.rises
    assert rise.outcome == "NOT_ELIGIBLE"
    assert rise.eligible.with_values == '"staff" != "staff"'
    assert rise.eligible.truth is Truth.FALSE


def test_what_waits_says_until_when(tmp_path: Path) -> None:
    rules = book(tmp_path, "quiet_hours: {from: '20:00', to: '09:00'}\n", twice=TWICE)
    facts = [event("2026-03-02T09:00"), event("2026-03-02T21:00")]

    def deferred(message: Any) -> Any:
        return message.deferred(time("2026-03-03T08:00"), Reason.DEFERRED_QUIET_HOURS)

    lived = Lived(rules, profile_of([], **REACHABLE), deferred).take(facts)
    rule = rule_told(rules, lived.customer(), "2026-03-02T21:30")
    (message,) = rule.cases[0].rises[0].messages
    assert (message.status, message.reason) == ("DEFERRED", "DEFERRED_QUIET_HOURS")
    assert message.until == time("2026-03-03T08:00")
    (gates,) = rule.delivery
    assert (gates.verdict, gates.until) == ("DEFERRED_QUIET_HOURS", time("2026-03-03T08:00"))
    assert gates.quiet_hours == "20:00-09:00 in Europe/Berlin"
    assert needs(rule.cases[0], "DEFERRED_QUIET_HOURS") == [
        "nothing: it would wait until 2026-03-03T08:00:00Z, and leave within 15m after it"
    ]


@pytest.mark.parametrize(
    ("received", "outcome", "note"),
    [
        (
            None,
            "fired",
            "nothing is recorded of it: the rule was published or changed later, or is not deployed like this",
        ),
        ("2026-03-20T09:00", "TOO_LATE", "its event came later than is allowed, and decides nothing"),
    ],
)
def test_a_rise_of_which_nothing_is_recorded_says_what_it_would_have_been(
    tmp_path: Path, received: str | None, outcome: str, note: str
) -> None:
    rules = book(tmp_path, twice=TWICE)
    facts = [event("2026-03-02T09:00"), event("2026-03-03T09:00", received=received)]
    lived = Lived(rules, profile_of([], **REACHABLE)).take(facts)
    lived.messages.clear()
    (rise,) = only_case(rules, lived, "2026-03-21T09:00").rises
    assert (rise.recorded, rise.decided_at, rise.note) == (False, None, note)
    assert rise.outcome == outcome
    assert rise.messages == ()


def test_a_rise_that_no_message_was_for_says_so(tmp_path: Path) -> None:
    send = "send: {message: m, purpose: service, topic: care, channels: [email], if: 'profile.vip == true'}\n"
    rules = book(tmp_path, twice=TWICE + send)
    case = case_told(rules, [event("2026-03-02T09:00"), event("2026-03-03T09:00")], "2026-03-04T09:00")
    (rise,) = case.rises
    assert rise.outcome == "NO_IF_HELD"
    assert rise.note == "none of its messages' conditions held, so that there is nothing to record"
    for asked in (*rise.ifs, *case.ifs):
        assert (asked.message, asked.condition.truth) == ("m", Truth.UNDEFINED)
        assert asked.condition.because == "profile.vip is missing"
    assert needs(case, "if of m") == ["`profile.vip` would have to be true (profile.vip is missing)"]


def test_what_was_recorded_and_no_longer_stands_is_told_all_the_same(tmp_path: Path) -> None:
    rules = book(tmp_path, twice=TWICE)
    facts = [event("2026-03-02T09:00"), event("2026-03-03T09:00")]
    lived = Lived(rules, profile_of([], **REACHABLE)).take(facts)
    lived.facts.append(event("2026-03-04T09:00", "Withdrawn", retracts="A/2026-03-03T09:00"))
    case = only_case(rules, lived, "2026-03-05T09:00")
    assert case.rises == ()
    assert [message.status for message in case.unmatched] == ["SENT"]
    renamed = book(tmp_path / "other", other=TWICE)
    explanation = told(renamed, lived.customer(), "2026-03-05T09:00")
    assert [message.message for message in explanation.other_messages] == ["m"]
    assert explanation.other_messages[0].another_rulebook


def test_a_late_event_that_moves_a_rise_leaves_its_record_with_it(tmp_path: Path) -> None:
    rules = book(tmp_path, twice=TWICE)
    facts = [
        event("2026-03-03T09:00"),
        event("2026-03-04T09:00"),
        event("2026-03-02T09:00", received="2026-03-05T09:00"),
    ]
    case = only_case(rules, Lived(rules, profile_of([], **REACHABLE)).take(facts), "2026-03-06T09:00")
    (rise,) = case.rises
    assert rise.at == time("2026-03-03T09:00"), "the second of three"
    assert (rise.recorded, rise.decided_at) == (True, time("2026-03-04T09:00"))
    assert case.unmatched == ()


def test_a_firing_is_not_held_by_a_later_one(tmp_path: Path) -> None:
    rules = book(tmp_path, twice=TWICE)

    def only_the_second(message: Any) -> Any:
        first = message.decided_for < time("2026-03-10T09:00")
        return not_sent(Reason.NO_ADDRESS)(message) if first else sent(message)

    facts = [event(f"2026-03-{day}T09:00") for day in ("02", "03", "12", "13")]
    lived = Lived(rules, profile_of([], **REACHABLE), only_the_second).take(facts)
    case = only_case(rules, lived, "2026-03-14T10:00")
    assert [(rise.outcome, rise.held) for rise in case.rises] == [("fired", None), ("fired", None)]
    assert case.held is not None


def test_a_deadline_that_a_changed_rule_moved_keeps_its_record(tmp_path: Path) -> None:
    """A moment's episode is the fact that made it."""
    rules = book(tmp_path / "before", gone=GONE)
    lived = Lived(rules, profile_of([], **REACHABLE)).take([event("2026-03-02T09:00")])
    lived.until(time("2026-03-05T09:05"))
    moved = book(tmp_path / "after", gone=GONE.replace("3d", "4d"))
    case = only_case(moved, lived, "2026-03-07T09:00")
    (rise,) = case.rises
    assert (rise.at, rise.recorded, case.unmatched) == (time("2026-03-06T09:00"), True, ())


def test_a_deadline_that_was_decided_already_is_not_ahead(tmp_path: Path) -> None:
    """As it may be where the policy has another `settle` by now."""
    rules = book(tmp_path / "before", "settle: 1m\n", gone=GONE)
    lived = Lived(rules, profile_of([], **REACHABLE)).take([event("2026-03-02T09:00")])
    lived.until(time("2026-03-05T09:01"))
    slower = book(tmp_path / "after", "settle: 10m\n", gone=GONE)
    coming = only_case(slower, lived, "2026-03-05T09:02").next
    assert (coming.at, coming.skipped) == (None, ())


def test_what_is_decided_later_than_its_message_may_come_is_too_late(tmp_path: Path) -> None:
    """A deadline is decided when it has settled, a close when it is told."""
    short = "send: {message: m, purpose: service, topic: care, channels: [email], expires_after: 7m}\n"
    rules = book(tmp_path, "settle: 8m\n", gone=GONE + short, worse=PEERS + short)
    facts = [
        event("2026-03-02T09:00"),
        compared("2026-03-02T00:00", true=True, value=3, statistic=9, gap=-6),
    ]
    lived = Lived(rules, profile_of([], **REACHABLE)).take(facts)
    lived.messages.clear()
    gone, worse = told(rules, lived.customer(), "2026-03-06T09:00").rules
    assert [rise.outcome for rise in gone.cases[0].rises] == ["TOO_LATE"]
    assert [rise.outcome for rise in worse.cases[0].rises] == ["fired"]


def test_since_when_a_condition_is_true_is_told_only_of_one_stretch_of_time(tmp_path: Path) -> None:
    two = "signals:\n  n: {count: A, within: 7d}\nwhen: 'n == 2'\n"
    facts = [event(f"2026-03-0{day}T09:00") for day in (1, 2, 3)]
    again = case_told(book(tmp_path / "two", two=two), facts, "2026-03-08T12:00")
    assert (again.when.truth, again.since) == (Truth.TRUE, None), (
        "it ended, and time alone made it true again"
    )
    repeated = "signals:\n  n: {count: A, within: 7d}\nwhen: 'n >= 2'\nrepeat: while_true\n"
    each = case_told(book(tmp_path / "repeated", repeated=repeated), facts, "2026-03-03T12:00")
    assert (each.when.truth, each.since, needs(each)) == (Truth.TRUE, None, [])


# ---- as of an earlier time


def test_what_came_later_is_left_out(tmp_path: Path) -> None:
    rules = book(tmp_path, twice=TWICE + "eligible: 'profile.segment == \"retail\"'\n")
    facts = [
        event("2026-03-01T09:00", CUSTOMER_UPDATED, segment="retail"),
        event("2026-03-02T09:00"),
        event("2026-03-02T10:00", received="2026-03-05T09:00"),
        event("2026-03-04T09:00"),
        event("2026-03-06T09:00", CUSTOMER_UPDATED, segment="staff", email="ada@example.com"),
    ]
    customer = Lived(rules, profile_of(facts)).take(facts).customer()
    tuesday = told(rules, customer, "2026-03-03T09:00")
    assert (tuesday.events, tuesday.left_out) == (2, 3)
    (case,) = tuesday.rules[0].cases
    assert values(case) == {"n": 1}
    assert case.rises == ()
    assert case.eligible.truth is Truth.TRUE
    (gates,) = tuesday.rules[0].delivery
    assert gates.channels[0].address is None
    assert needs(case, "NO_ADDRESS") == ["email: nobody can say, for the address was written again since"]
    (now,) = rule_told(rules, customer, "2026-03-07T09:00").cases
    assert values(now) == {"n": 3}
    assert now.eligible.with_values == '"staff" == "retail"'


def test_what_became_of_a_message_later_is_marked(tmp_path: Path) -> None:
    rules = book(tmp_path, twice=TWICE)
    facts = [event("2026-03-02T09:00"), event("2026-03-03T09:00")]

    def in_the_morning(message: Any) -> Any:
        return replace(sent(message), closed_at=time("2026-03-04T08:00"))

    lived = Lived(rules, profile_of([], **REACHABLE), in_the_morning).take(facts)
    (message,) = only_case(rules, lived, "2026-03-03T20:00").rises[0].messages
    assert (message.at, message.later) == (time("2026-03-04T08:00"), True)
    before = only_case(rules, lived, "2026-03-02T20:00")
    assert (before.rises, before.unmatched) == ((), ())


def test_before_anything_was_known(tmp_path: Path) -> None:
    rules = book(tmp_path, twice=TWICE)
    customer = Lived(rules, profile_of([])).take([event("2026-03-02T09:00")]).customer()
    explanation = told(rules, customer, "2026-03-01T09:00")
    assert (explanation.events, explanation.left_out, explanation.first_at) == (0, 1, None)


# ---- what comes next


def test_a_deadline_that_lies_ahead_is_the_next_firing(tmp_path: Path) -> None:
    rules = book(tmp_path, gone=GONE)
    case = case_told(rules, [event("2026-03-02T09:00")], "2026-03-03T09:00", **REACHABLE)
    assert case.next.at == time("2026-03-05T09:00")
    assert case.next.decided_at == time("2026-03-05T09:00") + 5 * MINUTE
    assert case.next.why == "the deadline after A A/2026-03-02T09:00 of test at 2026-03-02T09:00:00Z"
    assert needs(case) == ["no B up to and including 2026-03-05T09:00:00Z"]
    (signal,) = case.signals
    assert signal.waits_for == ("2026-03-05T09:00:00Z",)
    assert [one.id for one in signal.latest] == ["A/2026-03-02T09:00"]
    met = case_told(rules, [event("2026-03-02T09:00"), event("2026-03-05T09:00", "B")], "2026-03-05T09:01")
    assert (met.next.at, needs(met)) == (None, ["1 A, and then no B for 3d"])


def test_a_deadline_that_is_not_decided_yet_is_still_ahead(tmp_path: Path) -> None:
    """Even where something came after it."""
    rules = book(tmp_path, gone=GONE)
    facts = [event("2026-03-02T09:00"), event("2026-03-05T09:02", "A")]
    case = case_told(rules, facts, "2026-03-05T09:03", **REACHABLE)
    assert case.rises == ()
    assert case.next.at == time("2026-03-05T09:00")


def test_a_deadline_that_was_decided_is_behind(tmp_path: Path) -> None:
    rules = book(tmp_path, gone=GONE)
    lived = (
        Lived(rules, profile_of([], **REACHABLE))
        .take([event("2026-03-02T09:00")])
        .until(time("2026-03-05T09:05"))
    )
    case = only_case(rules, lived, "2026-03-05T09:05")
    assert [rise.outcome for rise in case.rises] == ["fired"]
    assert case.rises[0].caused_by.startswith("the deadline after A")
    assert case.next.at is None


def test_the_next_rise_may_be_skipped_and_the_one_after_it_fire(tmp_path: Path) -> None:
    rules = book(tmp_path, gone=GONE + "re_eligible_after: 14d\n")
    lived = (
        Lived(rules, profile_of([], **REACHABLE))
        .take([event("2026-03-02T09:00")])
        .until(time("2026-03-05T09:05"))
    )
    lived.take([event("2026-03-10T09:00"), event("2026-03-18T09:00")])
    case = only_case(rules, lived, "2026-03-12T09:00")
    assert [(skipped.at, skipped.reason) for skipped in case.next.skipped] == [
        (time("2026-03-13T09:00"), "NOT_RE_ELIGIBLE")
    ]
    assert case.next.at is None
    later = only_case(rules, lived, "2026-03-18T10:00")
    assert later.next.at == time("2026-03-21T09:00")


def test_a_schedule_asks_when_time_alone_has_made_it_true(tmp_path: Path) -> None:
    quiet = """\
signals:
  silence: {since: A, within: 60d}
when: 'silence > duration("720h")'
evaluate: {every: 1w, at: "Mon 06:00"}
"""
    rules = book(tmp_path, quiet=quiet)
    rule = rule_told(
        rules,
        Lived(rules, profile_of([], **REACHABLE)).take([event("2026-03-03T09:00")]).customer(),
        "2026-03-10T09:00",
    )
    assert rule.asked == "every 7d, Mon 06:00 in the customer's zone"
    (case,) = rule.cases
    assert case.next.at == time("2026-04-06T04:00")
    assert case.next.why == "its schedule"
    assert values(case) == {"silence": timedelta(days=7)}
    assert to_json(case.signals[0])["value"] == "604800s", "as CEL has it"
    assert needs(case) == ["no A: so it is after 2026-04-02T09:00:00Z"]


def test_a_date_that_the_profile_names_is_the_next_firing(tmp_path: Path) -> None:
    birthday = (
        "signals:\n  day: {date: profile.birthday, before: 0d, at: '09:00', yearly: true}\nwhen: 'day'\n"
    )
    rules = book(tmp_path, greet=birthday)
    facts = [event("2026-03-01T09:00", CUSTOMER_UPDATED, birthday="1990-05-20", **REACHABLE)]
    lived = Lived(rules, profile_of(facts)).take(facts)
    case = only_case(rules, lived, "2026-03-02T09:00")
    assert case.next.at == time("2026-05-20T07:00")
    assert case.next.why == "its date"
    assert needs(case) == ["its time comes at 2026-05-20T07:00:00Z"]
    nobody = case_told(rules, [event("2026-03-01T09:00")], "2026-03-02T09:00")
    assert nobody.next.at is None
    assert needs(nobody) == ["`profile.birthday` would have to give a date that is still ahead"]


# ---- modes and peers


@pytest.mark.parametrize("mode", ["draft", "shadow"])
def test_a_rule_that_is_not_live_tells_what_it_would_do(tmp_path: Path, mode: str) -> None:
    rules = book(tmp_path, twice=TWICE, mode_twice=mode)
    facts = [event("2026-03-02T09:00"), event("2026-03-03T09:00")]
    lived = Lived(rules, profile_of([], **REACHABLE)).take(facts)
    rule = rule_told(rules, lived.customer(), "2026-03-04T09:00")
    assert rule.mode == mode
    (rise,) = rule.cases[0].rises
    assert (rise.outcome, rise.mode) == ("fired", mode)
    assert rise.recorded is (mode == "shadow")
    assert [message.reason for message in rise.messages] == (["SHADOW"] if mode == "shadow" else [])
    assert rise.note == ("a draft decides nothing" if mode == "draft" else None)
    assert needs(rule.cases[0], "mode") == [f"`mode: live` (it is {mode})"]


PEERS = """\
signals:
  yield: {last: event.data.y, of: Valued}
  gap: {peers: yield, cohort: event.data.risk, statistic: median, at_least: 3, period: 1d}
when: 'gap <= -5'
"""


def compared(at: str, *, true: bool, value: object, statistic: object, gap: object) -> Fact:
    data = {
        "rule": "worse",
        "period": at,
        "at": f"{at[:10]}T12:00:00.000000Z",
        "true": true,
        "value": value,
        "statistic": statistic,
        "cohort": '"low',
        "members": 25,
        "signals": {"yield": value, "gap": gap},
        "profile": {},
    }
    end = time(at) + DAY
    return Fact(FOREWORD, f"peers/worse/{at}", PEERS_COMPARED, "c-1", end, end + 5 * MINUTE, data)


def test_peers_tell_of_the_last_comparison_that_changed_the_truth(tmp_path: Path) -> None:
    rules = book(tmp_path, worse=PEERS)
    facts = [
        event("2026-03-02T12:00", "Valued", y=3, risk="low"),
        compared("2026-02-27T00:00", true=True, value=1, statistic=9, gap=-8),
        compared("2026-02-28T00:00", true=False, value=8, statistic=9, gap=-1),
        compared("2026-03-02T00:00", true=True, value=3, statistic=9, gap=-6),
        event("2026-03-04T12:00", "Valued", y=7, risk="low"),
    ]
    lived = Lived(rules, profile_of([], **REACHABLE)).take(facts)
    rule = rule_told(rules, lived.customer(), "2026-03-04T13:00")
    assert rule.peers is not None
    assert rule.peers.compared is not None
    one = rule.peers.compared
    assert (one.at, one.is_true, one.cohort) == (time("2026-03-02T12:00"), True, "low"), "the latest of three"
    assert (one.value, one.statistic, one.members) == (3, 9, 25)
    assert (rule.peers.own_value, rule.peers.closes_at) == (7, time("2026-03-05T00:05"))
    (case,) = rule.cases
    assert (case.when.with_values, case.when.truth) == ("-6 <= -5", Truth.TRUE)
    assert values(case) == {"yield": 7, "gap": -6}
    assert needs(case) == ["`gap` would have to be more than -5 (it is -6)"]
    earlier, rise = case.rises
    assert earlier.at == time("2026-02-27T12:00")
    assert (rise.outcome, rise.recorded) == ("NOT_RE_ELIGIBLE", True)
    assert rise.caused_by == "the close of a period at 2026-03-03T00:00:00Z"
    assert case.next.at is None
    assert case.next.why.startswith("at a close at the earliest")


def test_peers_without_a_comparison_say_so(tmp_path: Path) -> None:
    rules = book(tmp_path, worse=PEERS)
    facts = [event("2026-03-02T12:00", "Valued", y=Decimal("3.5"), risk="low")]
    rule = rule_told(rules, Lived(rules, profile_of([])).take(facts).customer(), "2026-03-02T13:00")
    assert rule.peers is not None
    assert (rule.peers.compared, rule.peers.own_value) == (None, Decimal("3.5"))
    (case,) = rule.cases
    assert case.when.truth is Truth.UNDEFINED
    assert rule.asked == "when a period of 1d is over (UTC), over the whole cohort"


# ---- as much as anybody reads


def test_of_many_rises_the_latest_are_told(tmp_path: Path) -> None:
    rules = book(tmp_path, each="signals:\n  a: {each: A}\nwhen: 'a'\nre_eligible_after: none\n")
    facts = [event(f"2026-03-01T{minute // 60:02}:{minute % 60:02}") for minute in range(MOST_RISES + 4)]
    case = case_told(rules, facts, "2026-03-02T09:00", **REACHABLE)
    assert (len(case.rises), case.earlier_rises) == (MOST_RISES, 4)
    assert case.rises[-1].at == facts[-1].occurred_at
    assert case.unmatched == ()


def test_of_many_cases_the_latest_are_told(tmp_path: Path) -> None:
    rules = book(
        tmp_path, late="for_each: event.data.order\nsignals:\n  n: {count: A, within: 7d}\nwhen: 'n >= 2'\n"
    )
    facts = [event(f"2026-03-01T09:{at:02}", order=f"o-{at}") for at in range(MOST_CASES + 3)]
    rule = rule_told(rules, Lived(rules, profile_of([])).take(facts).customer(), "2026-03-02T09:00")
    assert (len(rule.cases), rule.other_cases) == (MOST_CASES, 3)
    assert rule.cases[0].case == f"o-{MOST_CASES + 2}"


def test_a_case_of_which_nothing_is_remembered_is_told_if_it_rose(tmp_path: Path) -> None:
    own = """\
for_each: event.data.order
signals:
  d: {distinct: event.data.x, of: A, within: 7d}
when: 'd - 1 >= 1 && event.data.rises == true'
"""
    rules = book(tmp_path, late=own)
    facts = [
        event("2026-03-01T09:00", order="o-1", x=1),
        event("2026-03-01T10:00", order="o-1", x=2, rises=True),
    ]
    facts += [event("2026-03-01T11:00", order="o-2")]
    facts += [event(f"2026-03-20T{at // 60:02}:{at % 60:02}", order="o-3", x=at) for at in range(70)]
    lived = Lived(rules, profile_of([])).take(facts)
    lived.messages.clear()
    rule = rule_told(rules, lived.customer(), "2026-03-20T09:00")
    told_of = [(case.case, values(case)) for case in rule.cases]
    assert told_of == [("o-3", {"d": 70}), ("o-1", {"d": 0})]


def test_what_would_take_too_long_to_look_at_says_how_far_it_was_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = book(tmp_path, gone=GONE + "re_eligible_after: none\n")
    facts = [event("2026-03-02T09:00"), event("2026-03-02T10:00")]
    monkeypatch.setattr(ahead, "MOST_WORK", 0)
    case = case_told(rules, facts, "2026-03-03T09:00", **REACHABLE)
    assert (case.next.at, case.next.looked_until) == (None, time("2026-03-05T09:00"))
    assert case.next.why == "not until 2026-03-05T09:00:00Z, as far as was looked ahead"


# ---- for programs


def test_as_json_every_time_is_a_text(tmp_path: Path) -> None:
    rules = book(tmp_path, twice=TWICE, gone=GONE, worse=PEERS)
    facts = [
        event("2026-03-02T09:00"),
        event("2026-03-03T09:00"),
        event("2026-03-03T10:00", "Valued", y=1, risk="x"),
    ]
    lived = Lived(rules, profile_of([], **REACHABLE), not_sent(Reason.NO_CONSENT)).take(facts)
    written = to_json(told(rules, lived.customer(), "2026-03-03T12:00"))

    def leaves(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [leaf for one in value.values() for leaf in leaves(one)]
        return [leaf for one in value for leaf in leaves(one)] if isinstance(value, list) else [value]

    assert not [leaf for leaf in leaves(written) if type(leaf) not in (str, int, bool, type(None), Decimal)]
    assert not [leaf for leaf in leaves(written) if type(leaf) is int and leaf > 10**6]
    assert written["at"] == "2026-03-03T12:00:00Z"
    assert [rule["rule"] for rule in written["rules"]] == ["gone", "twice", "worse"]
    assert written["rules"][1]["re_eligible_after"] == "14d"
