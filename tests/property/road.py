"""One customer's road through `EvaluateTriggers`: facts arrive, time passes, rulebooks are published."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from hypothesis import strategies as st

from foreword.app.cached_states import CachedStates
from foreword.app.change_waiting import ChangeWaiting
from foreword.app.evaluate_triggers import EvaluateTriggers
from foreword.domain.core import Core
from foreword.domain.decisions import Decision
from foreword.domain.facts import Fact
from foreword.domain.profiles import Profile
from foreword.domain.rulebook import Rulebook
from tests.fakes.customers import (
    FakeClock,
    FakeJournal,
    FakePeerValues,
    FakeStates,
    FakeWaiting,
    admit_all,
    fail_the_test,
)
from tests.reference.engines import Decided, comparable, in_order
from tests.reference.writing import CUSTOMER


@dataclass
class Road:
    """`decisions` are all ever made, in the order of their making; `warm` functions keep the states they wrote."""

    rulebook: Rulebook
    warm: bool = False
    clock: FakeClock = field(default_factory=lambda: FakeClock(0))
    journal: FakeJournal = field(default_factory=FakeJournal)
    states: FakeStates = field(default_factory=FakeStates)
    decisions: list[Decision] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.publish(self.rulebook)

    def publish(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        states = CachedStates(self.states) if self.warm else self.states
        self._evaluate = EvaluateTriggers(
            Core(rulebook),
            self.clock,
            states,
            self.journal,
            ChangeWaiting(FakeWaiting(self.states), self.clock),
            admit_all,
            FakePeerValues(),
            fail_the_test,
        )

    def arrive(self, facts: Sequence[Fact], now: int) -> None:
        """Facts come in one batch, each deadline before `now` having been looked at in its time."""
        self.wait(now - 1)
        self.clock.instant = now
        for fact in facts:
            if self.journal.add(fact) and fact.type == "CustomerUpdated":
                profile = self.states.profiles.get(CUSTOMER, Profile(CUSTOMER))
                self.states.profiles[CUSTOMER] = profile.merge(fact)
        self._look(facts)

    def wait(self, until: int) -> None:
        """Time passes, and the tick wakes the customer whenever due."""
        rung: list[int] = []
        while (due := self.states.due.get(CUSTOMER)) is not None and due <= until:
            assert rung[-3:] != [due] * 3, "a deadline that is looked at is not due again"
            rung.append(due)
            self.clock.instant = max(self.clock.instant, due)
            self._look([])
        self.clock.instant = max(self.clock.instant, until)

    def touch(self) -> None:
        """Somebody looks at the customer, as the sweep after a publication does."""
        self._look([])

    def in_time(self, facts: Iterable[Fact]) -> None:
        """In their order, all of one instant in one batch."""
        for instant, group in groupby(
            sorted(facts, key=lambda fact: fact.order), key=lambda fact: fact.occurred_at
        ):
            self.arrive(list(group), instant)

    def decided(self, after: int | None = None) -> list[Decided]:
        return in_order(
            comparable(decision) for decision in self.decisions if after is None or decision.at > after
        )

    def _look(self, facts: Sequence[Fact]) -> None:
        evaluated = self._evaluate(CUSTOMER, facts)
        self.decisions += evaluated.decisions
        episodes = [(d.rule, d.case, d.episode) for d in self.decisions]
        instants = [(d.rule, d.case, d.at) for d in self.decisions]
        assert len(episodes) == len(set(episodes)), "an episode was decided twice"
        assert len(instants) == len(set(instants)), "a rise was decided twice"


def in_batches(data: st.DataObject, facts: Sequence[Fact]) -> list[list[Fact]]:
    """Cut anywhere."""
    batches: list[list[Fact]] = []
    rest = list(facts)
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        batches.append(rest[:size])
        rest = rest[size:]
    return batches
