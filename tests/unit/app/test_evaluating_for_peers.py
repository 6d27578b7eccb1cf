"""What evaluate_triggers brings to comparisons with peers, and what it makes of a comparison's result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from foreword.domain.core import Core
from foreword.domain.facts import FOREWORD, PEERS_COMPARED, Fact
from foreword.domain.instants import DAY, HOUR, MINUTE, sortable
from foreword.domain.messages import Message
from foreword.domain.peer_values import PeerValue
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Rule, Rulebook
from tests.fakes.customers import FakeClock, FakeJournal, FakePeerValues, FakeStates, evaluate_triggers
from tests.reference.rules import SEND, name, number, tree
from tests.unit.domain.test_peers import a_rule

T = 20_000 * DAY


@dataclass
class Evaluation:
    rule: Rule = field(default_factory=a_rule)
    clock: FakeClock = field(default_factory=lambda: FakeClock(T + 12 * HOUR))
    states: FakeStates = field(default_factory=FakeStates)
    journal: FakeJournal = field(default_factory=FakeJournal)
    peers: FakePeerValues = field(default_factory=FakePeerValues)

    def __call__(self, *facts: Fact) -> list[str]:
        for fact in facts:
            self.journal.add(fact)
        core = Core(Rulebook(generation="g1", rules=(self.rule,)))
        use_case = evaluate_triggers(core, self.clock, self.states, self.journal, peers=self.peers)
        return [decision.reason or "fires" for decision in use_case("c-1", facts).decisions]

    @property
    def values(self) -> list[tuple[int, int | Decimal, int]]:
        """(at, value, version) of all that was ever kept."""
        return [
            (one.at - T, one.value, version) for _, given, version, _ in self.peers.calls for one in given
        ]

    @property
    def messages(self) -> Sequence[Message]:
        return self.states.messages


def valued(at: int, own: int, retracts: str | None = None) -> Fact:
    data = {"value": own, "class": "a"}
    return Fact("test", f"valued/{at}/{own}", "Valued", "c-1", T + at, T + at, data, retracts)


def compared(at: int = 8 * HOUR, *, is_true: bool = True, **data: Any) -> Fact:
    """As the close of the day puts it into the journal."""
    return Fact(
        FOREWORD,
        f"peers/behind/behind/{sortable(T)}",
        PEERS_COMPARED,
        "c-1",
        T + DAY,
        T + DAY + 6 * MINUTE,
        {
            "rule": "behind",
            "period": sortable(T),
            "at": sortable(T + at),
            "true": is_true,
            "value": 10,
            "statistic": Decimal(20),
            "cohort": '"a',
            "members": 3,
            "signals": {"value": 10, "behind": Decimal(-10)},
            "profile": {},
            **data,
        },
    )


def test_a_value_is_kept_under_the_version_that_the_state_will_have() -> None:
    evaluation = Evaluation()
    evaluation(valued(HOUR, 10))
    evaluation(valued(2 * HOUR, 11))
    assert evaluation.values == [(HOUR, 10, 1), (2 * HOUR, 11, 2)]
    assert evaluation.states.stored["c-1"].version == 2
    [_, (_, [value], _, _)] = evaluation.peers.calls
    signals = {"value": 11}
    assert value == PeerValue("c-1", "behind", T, T + 2 * HOUR, 11, value.cohort, signals, {})


def test_a_value_is_kept_before_the_state_is_written_and_again_when_that_write_is_lost() -> None:
    evaluation = Evaluation()
    evaluation.states.lose = 1
    evaluation(valued(HOUR, 10))
    assert evaluation.values == [(HOUR, 10, 1), (HOUR, 10, 1)]

    class Killed(Exception):
        pass

    def killed(*_: object) -> bool:
        raise Killed

    evaluation.states.save = killed  # type: ignore[method-assign, assignment]
    with pytest.raises(Killed):
        evaluation(valued(2 * HOUR, 12))
    assert evaluation.values[-1] == (2 * HOUR, 12, 2)


def test_a_fact_that_is_known_brings_nothing_again() -> None:
    evaluation = Evaluation()
    evaluation(valued(HOUR, 10))
    evaluation(valued(HOUR, 10))
    assert evaluation.values == [(HOUR, 10, 1)]


def test_a_late_fact_leaves_the_last_value_of_the_period_the_last() -> None:
    evaluation = Evaluation()
    evaluation(valued(2 * HOUR, 11))
    evaluation(valued(HOUR, 10))
    assert evaluation.values == [(2 * HOUR, 11, 1), (2 * HOUR, 11, 2)]


def test_when_a_fact_is_taken_back_what_is_left_is_all_there_is() -> None:
    evaluation = Evaluation()
    evaluation(valued(HOUR, 10))
    evaluation(valued(2 * HOUR, 11))
    evaluation(valued(3 * HOUR, 0, retracts=valued(2 * HOUR, 11).id))
    evaluation(valued(4 * HOUR, 0, retracts=valued(HOUR, 10).id))
    assert evaluation.values == [(HOUR, 10, 1), (2 * HOUR, 11, 2), (HOUR, 10, 3)]
    assert [complete for *_, complete in evaluation.peers.calls] == [False, False, True, True]


def test_only_a_rebuild_knows_that_there_is_nothing_else() -> None:
    evaluation = Evaluation()
    evaluation(valued(HOUR, 10))
    taken_back = valued(3 * HOUR, 0, retracts="never came")
    evaluation(taken_back)
    evaluation(taken_back, valued(4 * HOUR, 12))
    assert [complete for *_, complete in evaluation.peers.calls] == [False, True, False]
    evaluation(valued(2 * HOUR, 11))  # late: a rebuild, but nothing was taken back
    assert evaluation.peers.calls[-1][-1] is False


def test_a_comparison_that_has_become_true_fires_and_expires_from_the_close() -> None:
    evaluation = Evaluation()
    evaluation(valued(8 * HOUR, 10))
    evaluation.clock.instant = T + DAY + 6 * MINUTE
    assert evaluation(compared()) == ["fires"]
    [message] = evaluation.messages
    assert (message.decided_for, message.deliver_by) == (T + 8 * HOUR, T + DAY + SEND.expires_after)
    assert message.signals == {"value": 10, "behind": -10}
    assert evaluation(compared()) == []


def test_one_that_is_not_true_any_more_fires_nothing() -> None:
    evaluation = Evaluation()
    assert evaluation(compared(is_true=False)) == []


def test_a_comparison_needs_no_journal_though_later_facts_were_applied() -> None:
    evaluation = Evaluation()
    evaluation(valued(8 * HOUR, 10))
    evaluation(valued(DAY + MINUTE, 12))
    reads = evaluation.journal.reads
    assert evaluation(compared()) == ["fires"]
    assert evaluation.journal.reads == reads


def test_who_is_not_eligible_by_the_comparison_is_skipped() -> None:
    near = tree([">", name("behind"), ["neg", number("8")]])
    evaluation = Evaluation(a_rule().model_copy(update={"eligible": near}))
    assert evaluation(compared()) == [Reason.NOT_ELIGIBLE]


def test_a_duration_beside_the_comparison_is_one_again() -> None:
    quiet = tree([">", name("quiet"), ["call", "duration", ["string", "5h"]]])
    evaluation = Evaluation(a_rule().model_copy(update={"eligible": quiet}))
    signals = {"value": 10, "behind": Decimal(-10), "quiet": 6 * HOUR}
    assert evaluation(compared(signals=signals)) == ["fires"]
    other = Evaluation(a_rule().model_copy(update={"eligible": quiet}))
    assert other(compared(signals={**signals, "quiet": 5 * HOUR})) == [Reason.NOT_ELIGIBLE]


def test_a_comparison_with_nobody_fires_by_the_other_signals() -> None:
    evaluation = Evaluation()
    assert evaluation(compared(statistic=None, signals={"value": 10})) == ["fires"]
