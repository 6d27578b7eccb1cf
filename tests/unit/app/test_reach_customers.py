from __future__ import annotations

from dataclasses import dataclass, field

from foreword.app.reach_customers import WAIT, ReachCustomers
from foreword.domain.core import Core
from foreword.domain.facts import DEADLINE_REACHED
from foreword.domain.instants import DAY, HOUR
from foreword.domain.reaching import Reach, mark_of
from foreword.domain.rulebook import Mode, Rule, Rulebook
from tests.fakes.customers import FakeClock, FakeJournal, FakeStates, evaluate_triggers
from tests.unit.domain.test_fold import GONE, TWICE, T, fact
from tests.unit.domain.test_peers import a_rule

CUSTOMERS = [f"c-{at}" for at in range(5)]


@dataclass
class FakeCustomers:
    """Pages of two; `lost` writes are refused as if another tick had come first."""

    kept: Reach | None = None
    met: set[str] = field(default_factory=set)
    lost: int = 0

    def progress(self) -> Reach | None:
        return self.kept

    def page(self, through: str | None, generation: str) -> tuple[list[str], str | None]:
        start = 0 if through is None else CUSTOMERS.index(through) + 1
        page = CUSTOMERS[start : start + 2]
        end = start + 2 >= len(CUSTOMERS)
        return [it for it in page if it not in self.met], None if end else page[-1]

    def keep(self, before: Reach, after: Reach) -> bool:
        if self.lost or (self.kept.version if self.kept else 0) != before.version:
            self.lost = max(0, self.lost - 1)
            return False
        self.kept = after
        return True


@dataclass
class Reaching:
    customers: FakeCustomers = field(default_factory=FakeCustomers)
    journal: FakeJournal = field(default_factory=FakeJournal)
    clock: FakeClock = field(default_factory=lambda: FakeClock(T))

    def __call__(self, mark: str = "m1") -> int:
        return ReachCustomers("g1", mark, self.customers, self.journal, self.clock)()

    @property
    def woken(self) -> list[str]:
        return sorted(fact.customer_id for fact in self.journal.facts.values())


def test_every_customer_is_woken_once_when_all_functions_have_the_rulebook() -> None:
    reaching = Reaching(FakeCustomers(met={"c-3"}))
    assert reaching() == 0
    reaching.clock.instant = T + WAIT - 1
    assert (reaching(), reaching.woken) == (0, [])
    reaching.clock.instant = T + WAIT
    assert (reaching(), reaching.woken) == (4, ["c-0", "c-1", "c-2", "c-4"])
    assert reaching() == 0
    assert reaching("m2") == 0
    reaching.clock.instant = T + 2 * WAIT
    assert reaching("m2") == 4


def test_a_tick_that_was_killed_before_it_kept_its_progress_wakes_nobody_twice() -> None:
    reaching = Reaching()
    reaching()
    reaching.clock.instant = T + WAIT
    reaching.customers.lost = 1
    assert reaching() == 2
    assert reaching() == 3
    assert reaching.woken == CUSTOMERS


def test_the_mark_changes_with_the_rules_that_wait_and_with_no_others() -> None:
    def mark(*rules: object) -> str:
        return mark_of(Rulebook(generation="g", rules=rules))

    assert mark(TWICE) == mark() == mark(GONE.model_copy(update={"mode": Mode.DRAFT}))
    assert mark(TWICE, GONE) == mark(GONE) != mark(TWICE)
    assert mark(GONE.model_copy(update={"digest": "another"})) != mark(GONE)


def test_a_customer_who_does_nothing_meets_the_deadline_of_a_new_rule() -> None:
    clock, states, journal = FakeClock(T + HOUR), FakeStates(), FakeJournal()
    journal.add(fact(0))
    evaluate_triggers(Core(Rulebook(generation="g1", rules=(TWICE,))), clock, states, journal)(
        "c-1", [fact(0)]
    )
    assert states.due["c-1"] is None
    core = Core(Rulebook(generation="g2", rules=(TWICE, GONE)))
    customers = FakeCustomers(met={"c-0", "c-2", "c-3", "c-4"})
    for _ in range(2):
        ReachCustomers("g2", mark_of(core.rulebook), customers, journal, clock)()
        clock.instant += WAIT
    woken = [it for it in journal.facts.values() if it.type == DEADLINE_REACHED]
    evaluate_triggers(core, clock, states, journal)("c-1", woken)
    assert states.due["c-1"] == T + DAY + core.rulebook.policy.settle


def test_a_comparison_with_peers_reaches_customers_for_its_first_period_too() -> None:
    """Whoever had a value before the rule was published belongs to the cohort."""

    def mark(*rules: Rule) -> str:
        return mark_of(Rulebook(generation="g1", rules=rules))

    peers = a_rule()
    assert mark(TWICE, peers) != mark(TWICE)
    assert mark(TWICE, peers.model_copy(update={"mode": Mode.DRAFT})) == mark(TWICE)
