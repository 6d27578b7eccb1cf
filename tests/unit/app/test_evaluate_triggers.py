from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from foreword.app.cached_states import CachedStates
from foreword.app.change_waiting import ChangeWaiting
from foreword.app.evaluate_triggers import MOST_STATE_BYTES, PARKED_FOR, EvaluateTriggers
from foreword.domain.core import Core
from foreword.domain.errors import NewerState, StoreConflict
from foreword.domain.facts import Fact
from foreword.domain.instants import DAY, HOUR, MINUTE, sortable
from foreword.domain.messages import MessageStatus, message_id
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Policy, Rulebook
from foreword.domain.walk import Walk
from tests.fakes.customers import (
    FakeClock,
    FakeJournal,
    FakePeerValues,
    FakeStates,
    FakeWaiting,
    admit_all,
    evaluate_triggers,
)
from tests.reference.rules import name, tree
from tests.unit.domain.test_fold import GONE, TWICE, T, changed, fact, value_of

KEEPS_EVENTS = changed(GONE, when=tree(["&&", name("gone"), ["has", ["name", "event"], "data"]]))


@dataclass
class Evaluation:
    clock: FakeClock = field(default_factory=lambda: FakeClock(T + DAY))
    states: FakeStates = field(default_factory=FakeStates)
    journal: FakeJournal = field(default_factory=FakeJournal)
    peers: FakePeerValues = field(default_factory=FakePeerValues)
    reported: list[str] = field(default_factory=list)
    core: Core = field(default_factory=lambda: Core(Rulebook(generation="g1", rules=(TWICE, GONE))))

    def __call__(self, facts: Sequence[Fact]) -> list[str | None]:
        """Record and evaluate; gives the decisions' reasons."""
        for one in facts:
            self.journal.add(one)
        evaluated = self.use_case()("c-1", facts)
        return [decision.reason for decision in evaluated.decisions]

    def use_case(self) -> EvaluateTriggers:
        return evaluate_triggers(self.core, self.clock, self.states, self.journal, self.report, self.peers)

    def report(self, customer_id: str, error: Exception) -> None:
        self.reported.append(type(error).__name__)


def test_what_fires_becomes_one_message_that_is_ready() -> None:
    evaluation = Evaluation()
    assert evaluation([fact(HOUR), fact(2 * HOUR)]) == [None]
    (message,) = evaluation.states.messages
    assert (message.status, message.rule, message.signals) == (MessageStatus.READY, "twice", {"n": 2})
    assert message.decided_for == T + 2 * HOUR
    assert message.generation == "g1"


def test_an_unknown_customer_is_folded_from_the_journal() -> None:
    evaluation = Evaluation()
    evaluation.journal.add(fact(HOUR))
    assert evaluation([fact(2 * HOUR)]) == [None]


def test_facts_in_order_need_no_read_of_the_journal() -> None:
    evaluation = Evaluation()
    evaluation([fact(HOUR)])
    reads = evaluation.journal.reads
    evaluation([fact(2 * HOUR)])
    evaluation([fact(3 * HOUR)])
    assert evaluation.journal.reads == reads


def test_a_write_that_lost_is_folded_anew() -> None:
    evaluation = Evaluation(states=FakeStates(lose=2))
    assert evaluation([fact(HOUR), fact(2 * HOUR)]) == [None]
    assert len(evaluation.states.messages) == 1


def test_a_customer_who_is_always_written_by_others_comes_again() -> None:
    evaluation = Evaluation(states=FakeStates(lose=100))
    with pytest.raises(StoreConflict):
        evaluation([fact(HOUR)])
    assert evaluation.reported == []


def test_a_customer_whose_fold_raises_is_parked_and_mended_by_a_rebuild() -> None:
    evaluation = Evaluation()
    evaluation([fact(HOUR)])
    handlers = evaluation.core.handlers
    healthy = handlers[fact(HOUR).type]

    def poison(walk: Walk, fact: Fact) -> None:
        raise AttributeError

    handlers[fact(HOUR).type] = poison
    evaluation([fact(2 * HOUR)])
    assert evaluation.reported == ["AttributeError"]
    stored = evaluation.states.stored["c-1"]
    assert stored.parked
    assert stored.state is not None, "the decisions made are kept"
    assert evaluation.states.due["c-1"] == T + DAY + PARKED_FOR

    handlers[fact(HOUR).type] = healthy
    assert evaluation([]) == [None]
    assert not evaluation.states.stored["c-1"].parked
    assert value_of(evaluation.core, evaluation.states.state_of("c-1"), "twice", "n", 2 * HOUR) == 2


def test_a_state_that_cannot_be_read_parks_its_customer_and_decides_nothing_twice() -> None:
    evaluation = Evaluation()
    evaluation([fact(HOUR), fact(2 * HOUR)])
    stored = evaluation.states.stored["c-1"]
    evaluation.states.stored["c-1"] = replace(stored, state="{")
    assert evaluation([fact(3 * HOUR)]) == []
    assert evaluation.states.stored["c-1"].parked
    assert len(evaluation.states.messages) == 1


def test_a_store_that_fails_parks_nobody() -> None:
    @dataclass
    class Broken(FakeJournal):
        def read(self, customer_id: str) -> list[Fact]:
            raise ConnectionError

    evaluation = Evaluation(journal=Broken())
    with pytest.raises(ConnectionError):
        evaluation([fact(HOUR)])
    assert evaluation.states.stored == {}


def test_the_ticks_clock_decides_where_it_is_ahead_of_ours() -> None:
    evaluation = Evaluation(clock=FakeClock(T))
    evaluation([fact(0)])
    due = evaluation.states.due["c-1"]
    assert due is not None
    woken = Fact("foreword", "deadline/1", "DeadlineReached", "c-1", due, due)
    assert evaluation([woken]) == [None]
    assert evaluation.states.due["c-1"] is None


def test_another_rulebook_is_met_by_asking_the_journal_whatever_the_fact() -> None:
    evaluation = Evaluation()
    evaluation([fact(0)])
    assert evaluation.states.due["c-1"] is not None
    # The rule with the deadline is withdrawn: the next look at the customer lets it go.
    evaluation.core = Core(Rulebook(generation="g2", rules=(TWICE,)))
    evaluation([fact(HOUR, "Z")])
    assert evaluation.states.due["c-1"] is None


def test_a_longer_settle_moves_the_deadline_that_waits() -> None:
    evaluation = Evaluation()
    evaluation([fact(0)])
    before = evaluation.states.due["c-1"]
    patient = Policy(settle=2 * HOUR)
    evaluation.core = Core(Rulebook(generation="g2", rules=(TWICE, GONE), policy=patient))
    evaluation([])
    assert before is not None
    assert evaluation.states.due["c-1"] == T + DAY + 2 * HOUR > before


def test_a_state_too_large_for_its_item_is_kept_without_its_memory() -> None:
    evaluation = Evaluation(core=Core(Rulebook(generation="g1", rules=(KEEPS_EVENTS,))))
    evaluation([fact(at * HOUR, text="x" * 60_000) for at in range(8)])
    text = evaluation.states.stored["c-1"].state
    assert text is not None
    assert len(text) < MOST_STATE_BYTES
    assert evaluation.states.due["c-1"] is not None
    evaluation.clock.instant = T + 3 * DAY
    assert evaluation([]) == [None] * 8, "the deadlines are still met"


def test_a_poison_that_is_parked_keeps_what_it_had_decided() -> None:
    evaluation = Evaluation()
    evaluation([fact(HOUR), fact(2 * HOUR)])
    evaluation.states.park(evaluation.states.load("c-1"), "c-1", T)
    assert evaluation([fact(3 * HOUR)]) == []
    assert len(evaluation.states.messages) == 1


def retraction(of: Fact, at: int) -> Fact:
    return Fact(of.source, f"{of.id}/back", of.type, of.customer_id, T + at, T + at, {}, retracts=of.id)


def test_a_fact_that_is_taken_back_ends_as_if_it_had_never_come() -> None:
    evaluation = Evaluation(clock=FakeClock(T + 3 * HOUR))
    evaluation([fact(HOUR), fact(2 * HOUR)])
    (message,) = evaluation.states.messages
    assert evaluation([retraction(fact(2 * HOUR), 3 * HOUR)]) == []
    (cancelled,) = evaluation.states.messages
    assert (cancelled.message_id, cancelled.status, cancelled.reason) == (
        message.message_id,
        MessageStatus.NOT_SENT,
        Reason.RETRACTED,
    )
    assert value_of(evaluation.core, evaluation.states.state_of("c-1"), "twice", "n", 3 * HOUR) == 1


def test_a_message_that_was_sent_stays_sent_when_its_fact_is_taken_back() -> None:
    evaluation = Evaluation(clock=FakeClock(T + 3 * HOUR))
    evaluation([fact(HOUR), fact(2 * HOUR)])
    (message,) = evaluation.states.messages
    sent = message.sent("ses-1", T + 2 * HOUR)
    evaluation.states.messages = [sent]
    evaluation([retraction(fact(2 * HOUR), 3 * HOUR)])
    assert evaluation.states.messages == [sent]


def test_a_message_whose_rise_still_stands_is_not_cancelled() -> None:
    evaluation = Evaluation(clock=FakeClock(T + 3 * HOUR))
    evaluation([fact(HOUR), fact(2 * HOUR), fact(2 * HOUR, "B")])
    evaluation([retraction(fact(2 * HOUR, "B"), 3 * HOUR)])
    assert [message.status for message in evaluation.states.messages] == [MessageStatus.READY]


def test_a_fact_that_was_taken_back_before_it_came_counts_for_nothing() -> None:
    evaluation = Evaluation(clock=FakeClock(T + 3 * HOUR))
    evaluation([fact(HOUR)])
    evaluation([retraction(fact(2 * HOUR), 2 * HOUR)])
    reads = evaluation.journal.reads
    assert evaluation([fact(2 * HOUR, received=2 * HOUR + 1)]) == []
    assert evaluation.journal.reads == reads
    assert evaluation([fact(150 * MINUTE)]) == [None]


def test_a_customer_known_here_is_not_read_again() -> None:
    evaluation = Evaluation()
    use_case = EvaluateTriggers(
        evaluation.core,
        evaluation.clock,
        CachedStates(evaluation.states),
        evaluation.journal,
        ChangeWaiting(FakeWaiting(evaluation.states), evaluation.clock),
        admit_all,
        evaluation.peers,
        evaluation.report,
    )
    for at in (1, 2, 3):
        evaluation.journal.add(fact(at * HOUR))
        use_case("c-1", [fact(at * HOUR)])
    assert (evaluation.states.loads, evaluation.states.stored["c-1"].version) == (
        4,
        3,
    )  # each save looks once
    assert len(evaluation.states.messages) == 1


def test_what_is_kept_here_is_given_up_when_somebody_else_wrote() -> None:
    evaluation = Evaluation()
    cached = CachedStates(evaluation.states)
    use_case = EvaluateTriggers(
        evaluation.core,
        evaluation.clock,
        cached,
        evaluation.journal,
        ChangeWaiting(FakeWaiting(evaluation.states), evaluation.clock),
        admit_all,
        evaluation.peers,
        evaluation.report,
    )
    evaluation.journal.add(fact(HOUR))
    use_case("c-1", [fact(HOUR)])
    evaluation([fact(2 * HOUR)])  # by another instance
    evaluation.journal.add(fact(3 * HOUR))
    use_case("c-1", [fact(3 * HOUR)])
    assert value_of(evaluation.core, evaluation.states.state_of("c-1"), "twice", "n", 3 * HOUR) >= 2
    assert len(evaluation.states.messages) == 1


def test_a_state_of_code_that_is_still_coming_is_left_to_it() -> None:
    evaluation = Evaluation()
    evaluation([fact(HOUR)])
    later = evaluation.states.stored["c-1"]
    assert later.state is not None
    evaluation.states.stored["c-1"] = replace(later, state=later.state.replace('"v":2', '"v":3'))
    with pytest.raises(NewerState):
        evaluation([fact(2 * HOUR)])
    assert evaluation.reported == []


def test_a_state_of_the_first_release_keeps_its_decisions() -> None:
    evaluation = Evaluation(clock=FakeClock(T + 3 * HOUR))
    episode = sortable(T + 2 * HOUR)
    first_format = {
        "position": [T + 2 * HOUR, T + 2 * HOUR, "test#A/2"],
        "memory": {"twice": {"n": {"times": [T + HOUR, T + 2 * HOUR]}}},
        "before": {"twice": {"n": 1}},
        "decided": {"twice": [{"at": T + 2 * HOUR, "episode": episode, "fired": True, "moment": False}]},
        "decided_before": {},
        "digests": {"twice": "twice", "gone": "gone"},
        "since": {},
        "remembered": [],
        "forgotten_through": None,
        "spilled": False,
    }
    nobody = evaluation.states.load("c-1")
    evaluation.states.stored["c-1"] = replace(nobody, state=json.dumps(first_format), version=1)
    for known in (fact(HOUR), fact(2 * HOUR)):
        evaluation.journal.add(known)
    assert evaluation([fact(3 * HOUR)]) == []
    (kept,) = evaluation.states.state_of("c-1").decided["twice"]
    assert message_id("c-1", "twice", None, episode, 0).startswith(kept.left[0])
