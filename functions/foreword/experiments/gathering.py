"""Who was in which arm, and when each had the goal's events: out of the contact history and the journals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from foreword.domain.assignment import in_holdout
from foreword.domain.exposures import Exposure
from foreword.domain.instants import Instant
from foreword.domain.matching import Matching
from foreword.domain.replay import once
from foreword.domain.rulebook import Experiment, Goal
from foreword.experiments.arms import Entered, entered
from foreword.experiments.ports import ContactHistory, Journal


def gather_customers(
    rule: str,
    experiment: Experiment,
    history: ContactHistory,
    global_holdout: Decimal,
    found: Callable[[int], None],
) -> Mapping[str, Entered]:
    """`found` is told how many exposures there are so far.

    Customers of the global control group get nothing by any rule, so none of them is in an arm.
    """
    exposures: list[Exposure] = []
    for page in history.exposures(rule):
        exposures += (one for one in page if not in_holdout(one.customer_id, global_holdout))
        found(len(exposures))
    return entered(exposures, experiment)


def gather_conversions(
    goal: Goal,
    customers: Mapping[str, Entered],
    journal: Journal,
    lists: Mapping[str, tuple[str, ...]],
    read: Callable[[int, int], None],
) -> Mapping[str, list[Instant]]:
    """`read` is told of how many customers the journal was read, and how many they are."""
    conversions: dict[str, list[Instant]] = {}
    for number, customer_id in enumerate(customers, start=1):
        happened = Matching(once(journal.read(customer_id)), lists, {})
        conversions[customer_id] = [
            fact.occurred_at for fact in happened.facts if happened.means(goal.event, fact)
        ]
        read(number, len(customers))
    return conversions
