"""The fold's own promises: what is decided, once, and when the journal has to be asked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from foreword.domain.core import Core
from foreword.domain.errors import NeedsJournal
from foreword.domain.facts import CUSTOMER_UPDATED, FOREWORD, MESSAGE_SKIPPED, Fact
from foreword.domain.fold import Folded, fold, rebuild
from foreword.domain.instants import DAY, HOUR, MINUTE
from foreword.domain.json_text import MAX_DEPTH
from foreword.domain.messages import message_id
from foreword.domain.profile_view import ProfileView
from foreword.domain.profiles import Attribute, Profile
from foreword.domain.readings import read
from foreword.domain.rulebook import (
    AbsenceSignal,
    ChangeSignal,
    CountSignal,
    Expression,
    Mode,
    Policy,
    Rule,
    Rulebook,
)
from foreword.domain.state import REMEMBERED_DECISIONS, State, rule_mark
from tests.reference.rules import SEND, name, number, rule, tree, types

T = 20_000 * DAY
SEGMENT = ["field", ["name", "profile"], "segment"]
NOT_STAFF = tree(["!=", SEGMENT, ["string", "staff"]])
TWICE = rule("twice", {"n": CountSignal(of=types("A"), within=7 * DAY)}, [">=", name("n"), number("2")], 24)
GONE = rule(
    "gone",
    {"gone": AbsenceSignal(absence=types("B"), after=types("A"), within=DAY, timer="each")},
    name("gone"),
    None,
)


def core_of(*rules: Rule, **policy: Any) -> Core:
    return Core(Rulebook(generation="test", rules=rules, policy=Policy(**policy)))


def met(core: Core) -> State:
    """The state of a customer who has met the rulebook and done nothing yet."""
    marks = frozenset(rule_mark(rule.rule.digest) for rule in core.rules.values())
    return State(fingerprint=core.fingerprint, met=marks)


def fact(at: int, kind: str = "A", received: int | None = None, **data: Any) -> Fact:
    received_at = at if received is None else received
    return Fact("test", f"{kind}/{at}", kind, "c-1", T + at, T + received_at, data)


def stored(state: State) -> State:
    return State.from_json(state.to_json(), "c-1")


def value_of(core: Core, state: State, rule: str, signal: str, at: int) -> Any:
    """The signal as the stored state tells it."""
    (reading,) = (it for it in read(core, stored(state), T + at) if it.rule == rule)
    return reading.signals[signal]


def changed(a: Rule, **fields: Any) -> Rule:
    return a.model_copy(update={"digest": "changed", **fields})


def reasons(folded: Folded) -> list[str]:
    return [decision.reason or "fires" for decision in folded.decisions]


def short_lived(a: Rule, expires_after: int = DAY) -> Rule:
    return a.model_copy(update={"sends": (SEND.model_copy(update={"expires_after": expires_after}),)})


NOBODY = Profile("c-1")


def test_a_fact_that_comes_late_needs_the_journal() -> None:
    core = core_of(TWICE)
    folded = fold(core, met(core), NOBODY, [fact(2 * HOUR)], T + 2 * HOUR)
    with pytest.raises(NeedsJournal):
        fold(core, folded.state, NOBODY, [fact(HOUR, received=3 * HOUR)], T + 3 * HOUR)


def test_a_fact_that_touches_no_rule_changes_nothing_however_late() -> None:
    core = core_of(TWICE)
    folded = fold(core, met(core), NOBODY, [fact(2 * HOUR)], T + 2 * HOUR)
    again = fold(core, folded.state, NOBODY, [fact(HOUR, "Z", received=3 * HOUR)], T + 3 * HOUR)
    assert (again.changed, again.state) == (False, folded.state)


def test_a_rise_that_a_late_fact_reveals_fires_while_its_message_would_be_in_time() -> None:
    core = core_of(short_lived(TWICE))
    first = fold(core, met(core), NOBODY, [fact(5 * HOUR)], T + 5 * HOUR)
    late = fact(HOUR, received=20 * HOUR)
    in_time = rebuild(core, first.state, NOBODY, [fact(5 * HOUR), late], [late], T + 20 * HOUR)
    assert [(d.at - T, d.reason) for d in in_time.decisions] == [(5 * HOUR, None)]
    too_late = rebuild(core, first.state, NOBODY, [fact(5 * HOUR), late], [late], T + 30 * HOUR)
    assert reasons(too_late) == ["TOO_LATE"]


def test_a_message_that_was_too_late_holds_no_clock_of_re_eligibility() -> None:
    core = core_of(short_lived(TWICE, HOUR).model_copy(update={"re_eligible_after": 30 * DAY}))
    facts = [fact(HOUR), fact(2 * HOUR)]
    too_late = rebuild(core, None, NOBODY, facts, facts, T + DAY)
    assert reasons(too_late) == ["TOO_LATE"]
    more = [fact(20 * DAY), fact(20 * DAY + HOUR)]
    assert reasons(fold(core, too_late.state, NOBODY, more, T + 20 * DAY + HOUR)) == ["fires"]


def test_what_comes_later_than_allowed_shapes_the_signals_and_decides_nothing() -> None:
    core = core_of(TWICE, allowed_lateness=2 * DAY)
    first = fold(core, met(core), NOBODY, [fact(5 * HOUR)], T + 5 * HOUR)
    late = fact(HOUR, received=4 * DAY)
    folded = rebuild(core, first.state, NOBODY, [fact(5 * HOUR), late], [late], T + 4 * DAY)
    assert folded.decisions == []
    assert value_of(core, folded.state, "twice", "n", 5 * HOUR) == 2
    # Nor is it decided by the next rebuild, when the fact is known already.
    again = rebuild(core, folded.state, NOBODY, [fact(5 * HOUR), late], [], T + 4 * DAY)
    assert again.decisions == []


def test_a_rule_new_to_a_known_customer_knows_the_history_and_decides_from_the_next_fact_on() -> None:
    old = core_of(GONE)
    known = fold(old, met(old), NOBODY, [fact(HOUR), fact(2 * HOUR)], T + 2 * HOUR)
    core = core_of(GONE, TWICE)
    history = [fact(HOUR), fact(2 * HOUR)]
    with pytest.raises(NeedsJournal):
        fold(core, known.state, NOBODY, [fact(3 * HOUR)], T + 3 * HOUR)
    third = fact(3 * HOUR)
    folded = rebuild(core, known.state, NOBODY, [*history, third], [third], T + 3 * HOUR)
    # Two were there before the rule: that rise is not its own, and the condition has been true ever since.
    assert folded.decisions == []
    assert value_of(core, folded.state, "twice", "n", 3 * HOUR) >= 3
    later = [fact(20 * DAY), fact(20 * DAY + HOUR)]
    then = fold(core, folded.state, NOBODY, later, T + 20 * DAY + HOUR)
    assert [d.reason for d in then.decisions if d.rule == "twice"] == [None]


def test_a_changed_rule_never_decides_the_same_episode_again() -> None:
    core = core_of(TWICE)
    facts = [fact(HOUR), fact(2 * HOUR)]
    fired = fold(core, met(core), NOBODY, facts, T + 2 * HOUR)
    assert reasons(fired) == ["fires"]
    wider = core_of(changed(TWICE, signals={"n": CountSignal(of=types("A"), within=9 * DAY)}))
    third = fact(3 * HOUR)
    assert rebuild(wider, fired.state, NOBODY, [*facts, third], [third], T + 3 * HOUR).decisions == []


def test_a_late_fact_that_lets_an_episode_begin_earlier_does_not_decide_it_again() -> None:
    core = core_of(TWICE.model_copy(update={"re_eligible_after": None}))
    facts = [fact(2 * HOUR), fact(3 * HOUR)]
    fired = fold(core, met(core), NOBODY, facts, T + 3 * HOUR)
    assert [d.at - T for d in fired.decisions] == [3 * HOUR]
    # With it the condition has been true since two o'clock, and what was decided at three is part of that.
    late = fact(HOUR, received=4 * HOUR)
    assert rebuild(core, fired.state, NOBODY, [*facts, late], [late], T + 4 * HOUR).decisions == []


def test_a_skipped_message_gives_its_clock_back_and_a_shadow_one_does_not() -> None:
    core = core_of(TWICE.model_copy(update={"re_eligible_after": 90 * DAY}))
    fired = fold(core, met(core), NOBODY, [fact(HOUR), fact(2 * HOUR)], T + 2 * HOUR)
    (decision,) = fired.decisions
    data = {"rule": "twice", "message_id": message_id("c-1", "twice", None, decision.episode, 0)}
    more = [fact(20 * DAY), fact(20 * DAY + HOUR)]
    now = T + 20 * DAY + HOUR

    def after(source: str, reason: str) -> list[str]:
        at = T + 3 * HOUR
        skipped = Fact(source, "m/skipped", MESSAGE_SKIPPED, "c-1", at, at, {**data, "reason": reason})
        return reasons(fold(core, fired.state, NOBODY, [skipped, *more], now))

    assert after(FOREWORD, "NO_CONSENT") == ["fires"]
    assert after(FOREWORD, "SHADOW") == ["NOT_RE_ELIGIBLE"]
    assert after("somebody-else", "NO_CONSENT") == ["NOT_RE_ELIGIBLE"]


def test_eligibility_is_asked_before_re_eligibility_and_mode() -> None:
    staff = Profile("c-1", {"segment": Attribute("staff", (T, T, "crm#1"))})
    facts = [fact(HOUR), fact(2 * HOUR)]
    shadow = core_of(changed(TWICE, eligible=NOT_STAFF, mode=Mode.SHADOW))
    assert reasons(fold(shadow, met(shadow), staff, facts, T + 2 * HOUR)) == ["NOT_ELIGIBLE"]
    retail = Profile("c-1", {"segment": Attribute("retail", (T, T, "crm#1"))})
    assert reasons(fold(shadow, met(shadow), retail, facts, T + 2 * HOUR)) == ["SHADOW"]


def test_the_profile_is_asked_as_it_stood_at_the_evaluation() -> None:
    core = core_of(changed(TWICE, eligible=NOT_STAFF))
    facts = [fact(HOUR), fact(2 * HOUR)]
    since = Profile("c-1", {"segment": Attribute("staff", (T + 5 * HOUR, T + 5 * HOUR, "crm#2"))})
    with pytest.raises(NeedsJournal):
        fold(core, met(core), since, facts, T + 6 * HOUR)
    described = [
        Fact("crm", "1", CUSTOMER_UPDATED, "c-1", T, T, {"segment": "retail"}),
        Fact("crm", "2", CUSTOMER_UPDATED, "c-1", T + 5 * HOUR, T + 5 * HOUR, {"segment": "staff"}),
    ]
    folded = rebuild(core, None, since, [*facts, *described], facts, T + 6 * HOUR)
    assert reasons(folded) == ["fires"]


def test_a_deadline_is_decided_when_it_has_settled_and_not_before() -> None:
    core = core_of(GONE, settle=5 * MINUTE)
    waiting = fold(core, met(core), NOBODY, [fact(0)], T)
    assert waiting.due_at == T + DAY + 5 * MINUTE
    early = fold(core, waiting.state, NOBODY, [], T + DAY + 5 * MINUTE - 1)
    assert (early.changed, early.decisions) == (False, [])
    due = fold(core, waiting.state, NOBODY, [], T + DAY + 5 * MINUTE)
    assert [(d.at, d.episode) for d in due.decisions] == [(T + DAY, "#deadline#test#A/0")]
    assert due.due_at is None


def test_an_event_under_way_at_the_deadline_is_not_missed() -> None:
    core = core_of(GONE, settle=5 * MINUTE)
    waiting = fold(core, met(core), NOBODY, [fact(0)], T)
    met_in_time = fact(DAY, "B", received=DAY + 2 * MINUTE)
    folded = fold(core, waiting.state, NOBODY, [met_in_time], T + DAY + 2 * MINUTE)
    assert folded.due_at is None
    assert fold(core, folded.state, NOBODY, [], T + 2 * DAY).decisions == []


def test_a_deadline_with_later_facts_behind_it_needs_the_journal() -> None:
    core = core_of(GONE, TWICE, settle=5 * MINUTE)
    first = fold(core, met(core), NOBODY, [fact(0)], T)
    ahead = fold(core, first.state, NOBODY, [fact(DAY + MINUTE)], T + DAY + MINUTE)
    with pytest.raises(NeedsJournal):
        fold(core, ahead.state, NOBODY, [], T + DAY + 10 * MINUTE)
    history = [fact(0), fact(DAY + MINUTE)]
    folded = rebuild(core, ahead.state, NOBODY, history, [], T + DAY + 10 * MINUTE)
    assert [(d.rule, d.at - T) for d in folded.decisions] == [("gone", DAY)]


def test_a_fact_forgotten_by_name_is_settled_by_the_journal() -> None:
    core = core_of(TWICE)
    facts = [fact(at * MINUTE) for at in range(30)]
    folded = fold(core, met(core), NOBODY, facts, T + DAY)
    assert [at - T for at, _ in folded.state.remembered] == [at * MINUTE for at in range(20, 30)]
    assert fold(core, folded.state, NOBODY, facts[20:], T + DAY).changed is False
    with pytest.raises(NeedsJournal):
        fold(core, folded.state, NOBODY, facts[:1], T + DAY)
    again = rebuild(core, folded.state, NOBODY, facts, facts[:1], T + DAY)
    assert again.decisions == []
    assert again.state.packed == folded.state.packed


def test_nothing_at_or_before_a_forgotten_decision_is_decided_again() -> None:
    core = core_of(
        rule("each", {"n": CountSignal(of=types("A"), within=HOUR)}, [">=", name("n"), number("1")], None)
    )
    facts = [fact(at * 2 * HOUR) for at in range(REMEMBERED_DECISIONS + 8)]
    folded = fold(core, met(core), NOBODY, facts, facts[-1].received_at)
    assert len(folded.decisions) == len(facts)
    assert len(folded.state.decided["each"]) == REMEMBERED_DECISIONS
    assert rebuild(core, folded.state, NOBODY, facts, [], facts[-1].received_at).decisions == []


def test_a_draft_rule_is_not_evaluated_at_all() -> None:
    core = core_of(TWICE.model_copy(update={"mode": Mode.DRAFT}))
    assert core.rules == {}
    assert fold(core, met(core), NOBODY, [fact(HOUR), fact(2 * HOUR)], T + DAY).changed is False


def test_a_state_survives_being_stored() -> None:
    core = core_of(TWICE, GONE)
    folded = fold(core, met(core), NOBODY, [fact(0), fact(HOUR)], T + HOUR)
    assert stored(folded.state) == folded.state


def test_the_given_state_is_left_as_it_was() -> None:
    core = core_of(TWICE, GONE)
    state = fold(core, met(core), NOBODY, [fact(0)], T).state
    text = state.to_json()
    fold(core, state, NOBODY, [fact(HOUR), fact(2 * HOUR, "B")], T + 3 * HOUR)
    assert state.to_json() == text


def test_an_expression_of_the_published_rulebook_outside_the_whitelist_is_refused() -> None:
    with pytest.raises(ValueError, match="not a node"):
        core_of(changed(TWICE, when=Expression(source="x", tree=["import", "os"])))


def test_a_firing_keeps_its_clock_however_many_rises_are_skipped_after_it() -> None:
    often = rule(
        "often", {"n": CountSignal(of=types("A"), within=HOUR)}, [">=", name("n"), number("1")], 30 * 24
    )
    core = core_of(often)
    facts = [fact(at * 2 * HOUR) for at in range(3 * REMEMBERED_DECISIONS)]
    folded = fold(core, met(core), NOBODY, facts, facts[-1].received_at)
    assert reasons(folded) == ["fires"] + ["NOT_RE_ELIGIBLE"] * (len(facts) - 1)


def test_a_rule_that_was_away_decides_nothing_twice_when_it_comes_back() -> None:
    with_it, without_it = core_of(GONE, TWICE), core_of(GONE)
    facts = [fact(HOUR), fact(2 * HOUR)]
    fired = fold(with_it, met(with_it), NOBODY, facts, T + 2 * HOUR)
    assert [d.rule for d in fired.decisions] == ["twice"]
    away = rebuild(without_it, fired.state, NOBODY, facts, [], T + 3 * HOUR)
    back = rebuild(with_it, away.state, NOBODY, facts, [], T + 4 * HOUR)
    assert back.decisions == []


def test_a_too_late_fact_does_not_swallow_a_deadline_that_is_due() -> None:
    core = core_of(GONE, settle=5 * MINUTE, allowed_lateness=DAY)
    waiting = fold(core, met(core), NOBODY, [fact(0)], T)
    imported = fact(-10 * DAY, "B", received=DAY + 10 * MINUTE)
    folded = rebuild(core, waiting.state, NOBODY, [fact(0), imported], [imported], T + DAY + 10 * MINUTE)
    assert [(d.rule, d.at - T) for d in folded.decisions] == [("gone", DAY)]


def test_a_memory_that_was_too_large_to_keep_is_asked_of_the_journal() -> None:
    core = core_of(TWICE)
    first = fold(core, met(core), NOBODY, [fact(HOUR)], T + HOUR)
    spilled = stored(first.state.without_memory())
    with pytest.raises(NeedsJournal):
        fold(core, spilled, NOBODY, [fact(2 * HOUR)], T + 2 * HOUR)
    second = fact(2 * HOUR)
    folded = rebuild(core, spilled, NOBODY, [fact(HOUR), second], [second], T + 2 * HOUR)
    assert reasons(folded) == ["fires"]
    assert not folded.state.spilled


def test_an_event_kept_for_its_deadline_may_be_as_deep_as_an_event_may_be() -> None:
    event_named = changed(GONE, when=tree(["&&", name("gone"), ["has", ["name", "event"], "data"]]))
    core = core_of(event_named)
    deep: Any = "bottom"
    for _ in range(MAX_DEPTH - 2):
        deep = [deep]
    folded = fold(core, met(core), NOBODY, [fact(0, deep=deep)], T)
    assert stored(folded.state) == folded.state


def test_a_deadline_that_the_condition_does_not_name_waits_for_nothing() -> None:
    unnamed = changed(TWICE, signals={**TWICE.signals, **GONE.signals})
    core = core_of(unnamed)
    folded = fold(core, met(core), NOBODY, [fact(at * MINUTE) for at in range(50)], T + HOUR)
    assert list(core.rules["twice"].trackers) == ["n"]
    assert folded.due_at is None


def test_the_profile_is_a_map_of_what_is_there() -> None:
    removed = {"segment": Attribute(None, (T, T, "crm#1")), "locale": Attribute("de", (T, T, "crm#1"))}
    assert dict(ProfileView(Profile("c-1", removed), T)) == {"locale": "de"}


@pytest.mark.parametrize("until", ["9999-12-31T23:59:59Z", "1999-01-01T00:00:00Z", "soon", 7, None])
def test_an_until_that_gives_no_usable_time_sets_no_deadline(until: object) -> None:
    promised = AbsenceSignal(
        absence=types("B"),
        after=types("A"),
        until=tree(["field", ["field", name("event"), "data"], "by"]),
        timer="each",
    )
    core = core_of(rule("promised", {"late": promised}, name("late"), None))
    assert fold(core, met(core), NOBODY, [fact(0, by=until)], T).due_at is None


def test_a_change_beyond_what_a_decimal_holds_is_undefined() -> None:
    value = tree(["field", ["field", name("event"), "data"], "value"])
    change = ChangeSignal(value=value, of=types("A"), over=DAY)
    core = core_of(rule("change", {"c": change}, ["<=", name("c"), number("0")], None))
    facts = [fact(0, value=Decimal("1e-999998")), fact(DAY, value=Decimal("1e999998"))]
    assert fold(core, met(core), NOBODY, facts, T + DAY).decisions == []


def test_what_was_imported_counts_and_decides_nothing_however_fresh_it_is() -> None:
    core = core_of(TWICE)
    imported = [fact(at)._replace(imported=True) for at in (0, HOUR)]
    with pytest.raises(NeedsJournal, match="imported"):
        fold(core, met(core), Profile("c-1"), imported, T + HOUR)
    folded = rebuild(core, met(core), Profile("c-1"), imported, imported, T + HOUR)
    assert folded.decisions == []
    assert value_of(core, folded.state, "twice", "n", HOUR) == 2
    live = fact(9 * DAY), fact(9 * DAY + HOUR)
    later = fold(core, stored(folded.state), Profile("c-1"), live, T + 9 * DAY + HOUR)
    assert [decision.at for decision in later.decisions] == [T + 9 * DAY + HOUR]


def test_a_deadline_of_what_was_imported_is_met_if_it_is_still_to_come() -> None:
    core = core_of(GONE)
    imported = fact(0)._replace(imported=True)
    past = rebuild(core, met(core), Profile("c-1"), [imported], [imported], T + 2 * DAY)
    assert (past.decisions, past.due_at) == ([], None)
    ahead = rebuild(core, met(core), Profile("c-1"), [imported], [imported], T + HOUR)
    assert ahead.decisions == []
    assert ahead.due_at is not None
    due = fold(core, stored(ahead.state), Profile("c-1"), [], ahead.due_at)
    assert [decision.at for decision in due.decisions] == [T + DAY]
