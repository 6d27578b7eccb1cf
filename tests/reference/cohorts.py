"""Rules with peers: all customers of a cohort compared after each period, by the last value of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from foreword.domain.facts import Fact
from foreword.domain.rulebook import PeersSignal, Policy, Rule, Rulebook
from tests.reference.conditions import equal, holds, is_number
from tests.reference.firing import ReferenceDecision, events_of, sends_of
from tests.reference.history import History, history_of
from tests.reference.signals import View, quotient


@dataclass(frozen=True)
class Customer:
    profile: Mapping[str, Any] | None
    facts: Iterable[Fact]


@dataclass(frozen=True)
class OwnValue:
    """A customer's last value of one period, at the event that gave it."""

    at: int
    value: Any
    cohort: Any
    view: View


def decide_cohorts(
    rulebook: Rulebook, rule_name: str, customers: Mapping[str, Customer], end: int
) -> dict[str, list[ReferenceDecision]]:
    """By customer, in time order: every period up to `end`, the last partial one too."""
    rule = next(rule for rule in rulebook.rules if rule.rule == rule_name)
    name, peers = next(
        (name, signal) for name, signal in rule.signals.items() if isinstance(signal, PeersSignal)
    )
    values = {
        customer_id: own_values(
            rule, peers, rulebook.policy, history_of(of.facts, of.profile, rulebook.lists).until(end)
        )
        for customer_id, of in customers.items()
    }
    decided: dict[str, list[ReferenceDecision]] = {customer_id: [] for customer_id in customers}
    was_true: dict[str, bool] = defaultdict(bool)
    fired: dict[str, int] = {}
    for period in sorted({period for own in values.values() for period in own}):
        present = {customer_id: own[period] for customer_id, own in values.items() if period in own}
        for customer_id, own in present.items():
            cohort = {
                other: theirs.value for other, theirs in present.items() if equal(theirs.cohort, own.cohort)
            }
            if len(cohort) < peers.at_least:
                continue
            compared = compare(peers, cohort, customer_id)
            signals = own.view.values() | ({} if compared is None else {name: compared})
            names = own.view.history.names(None, own.at) | signals
            is_true = holds(rule.when, names)
            if is_true and (rule.repeat or not was_true[customer_id]):
                reason = None
                last, apart = fired.get(customer_id), rule.re_eligible_after
                if not holds(rule.eligible, names):
                    reason = "NOT_ELIGIBLE"
                elif last is not None and apart is not None and own.at < last + apart:
                    reason = "NOT_RE_ELIGIBLE"
                else:
                    fired[customer_id] = own.at
                decided[customer_id].append(
                    ReferenceDecision(rule.rule, None, own.at, reason, signals, sends_of(rule, names))
                )
            was_true[customer_id] = is_true
    return decided


def own_values(rule: Rule, peers: PeersSignal, policy: Policy, history: History) -> dict[int, OwnValue]:
    """By period: the last defined value that an event of the signal gave in it."""
    found: dict[int, OwnValue] = {}
    for index, fact in enumerate(history.facts):
        if not any(history.matches(event, fact) for event in events_of(rule.signals[peers.signal])):
            continue
        view = View(rule, policy, history, None, history.facts[: index + 1], fact.occurred_at)
        value = view.value(peers.signal)
        cohort = history.value(peers.cohort, fact)
        if is_number(value) and cohort is not None:
            found[fact.occurred_at // peers.period] = OwnValue(fact.occurred_at, value, cohort, view)
    return found


def compare(peers: PeersSignal, cohort: Mapping[str, Any], customer_id: str) -> Any:
    """Own value minus the cohort's statistic; undefined where there is nobody to be compared with."""
    others = [Fraction(value) for other, value in cohort.items() if other != customer_id]
    own = Fraction(cohort[customer_id])
    compared = others if peers.excluding_self else [*others, own]
    if not compared:
        return None
    return quotient(own - statistic(peers.statistic, sorted(compared)))


def statistic(of: str, values: list[Fraction]) -> Fraction:
    """`values` are sorted; between two of them lies what their distance says."""
    match of:
        case "mean":
            return sum(values, Fraction(0)) / len(values)
        case "min":
            return values[0]
        case "max":
            return values[-1]
    part = Fraction(1, 2) if of == "median" else Fraction(int(of.removeprefix("p")), 100)
    rank = part * (len(values) - 1)
    below = int(rank)
    above = min(below + 1, len(values) - 1)
    return values[below] + (rank - below) * (values[above] - values[below])
