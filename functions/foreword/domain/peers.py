"""Peers: a customer's value of a period beside those of its cohort, and what a rule makes of it.

A rule with a `peers` signal is evaluated when a period is over, over all customers at once: by `peers_decisions`
where all values are at hand (backtest, rule tests), and in the cloud shard by shard (see app.compare_peers).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

from foreword.domain.core import CompiledRule, Core
from foreword.domain.decisions import Decision, message_ids
from foreword.domain.instants import Duration, Instant
from foreword.domain.peer_values import PeerValue
from foreword.domain.peers_closing import Close
from foreword.domain.peers_statistics import Standing, Statistic, difference, measured, standing
from foreword.domain.rulebook import Mode, PeersSignal, Rule
from foreword.domain.state import NAME, State
from foreword.domain.verdicts import Verdicts
from foreword.domain.walk import Cause, Rise

DIGEST = 8
"""Digits of a rule's digest that tell one definition of it from another."""


class Compared(NamedTuple):
    """A customer's value beside its cohort; `signals` are all that are defined then, that of `peers` included."""

    statistic: Decimal | None
    signals: Mapping[str, Any]
    is_true: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a rule compares: its `peers` signal, called `signal`. `digest` tells of which definition of the rule."""

    rule: str
    digest: str
    signal: str
    statistic: Statistic
    at_least: int
    period: Duration

    @classmethod
    def of(cls, rule: Rule) -> Comparison | None:
        """None for a rule without a `peers` signal."""
        for name, signal in rule.signals.items():
            if isinstance(signal, PeersSignal):
                statistic = Statistic.named(signal.statistic, excluding_self=signal.excluding_self)
                digest = rule.digest[:DIGEST]
                return cls(rule.rule, digest, name, statistic, signal.at_least, signal.period)
        return None

    def close_of(self, period: Instant) -> Close:
        return Close(self.rule, self.digest, period, period + self.period)

    def compare(self, compiled: CompiledRule, value: PeerValue, cohort: Standing) -> Compared:
        """`cohort` is the standing of the customer's own, large enough to be compared with."""
        own = measured(value.value)
        statistic = self.statistic.of(cohort, own)
        apart = None if statistic is None else difference(own, statistic)
        signals = dict(value.signals) if apart is None else {**value.signals, self.signal: apart}
        return Compared(statistic, signals, compiled.is_true(signals, value.profile))


def comparisons(rules: Iterable[Rule]) -> dict[str, Comparison]:
    """Of the rules that are more than drafts, by name."""
    found = (Comparison.of(rule) for rule in rules if rule.mode is not Mode.DRAFT)
    return {comparison.rule: comparison for comparison in found if comparison is not None}


def is_comparable(value: Any) -> bool:
    """A number: a text, a truth or a duration has no place among others."""
    return type(value) in (int, Decimal)


def peers_decisions(core: Core, rule: str, values: Iterable[PeerValue], end: Instant) -> list[Decision]:
    """What the rule decides at the close of each period up to `end`, the last and partial one included.

    In the order of their times. `values` are those of all customers; of one customer's in one period the last
    counts. No close is late.
    """
    decisions = decisions_by_period(core, rule, sorted(_by_period(values, end).items()), end)
    return sorted(decisions, key=attrgetter("at", "customer_id"))


def decisions_by_period(
    core: Core, rule: str, periods: Iterable[tuple[Instant, Iterable[PeerValue]]], end: Instant
) -> Iterator[Decision]:
    """The same, one period after the other, each with one value at most of a customer."""
    compiled = core.rules[rule]
    comparison = Comparison.of(compiled.rule)
    if comparison is None:
        raise ValueError(f"{rule} has no peers signal")
    true: set[str] = set()
    states: dict[str, State] = {}
    for period, members in periods:
        closed_at = min(comparison.close_of(period).end, end)
        for value, compared in _compared(compiled, comparison, members):
            if not compared.is_true:
                true.discard(value.customer_id)
            elif value.customer_id not in true:
                true.add(value.customer_id)
                state = states.setdefault(value.customer_id, State())
                yield _decided(compiled, state, value, compared, closed_at)


def _by_period(values: Iterable[PeerValue], end: Instant) -> dict[Instant, list[PeerValue]]:
    last: dict[tuple[Instant, str], PeerValue] = {}
    for value in values:
        known = last.get((value.period, value.customer_id))
        if is_comparable(value.value) and value.at <= end and (known is None or known.at <= value.at):
            last[value.period, value.customer_id] = value
    periods: dict[Instant, list[PeerValue]] = {}
    for value in last.values():
        periods.setdefault(value.period, []).append(value)
    return periods


def _compared(
    compiled: CompiledRule, comparison: Comparison, members: Iterable[PeerValue]
) -> Iterator[tuple[PeerValue, Compared]]:
    """Every member of a cohort that is large enough."""
    cohorts: dict[str, list[PeerValue]] = {}
    for value in members:
        if is_comparable(value.value):
            cohorts.setdefault(value.cohort, []).append(value)
    for cohort in cohorts.values():
        if len(cohort) >= comparison.at_least:
            found = standing(comparison.statistic, (measured(value.value) for value in cohort))
            for value in cohort:
                yield value, comparison.compare(compiled, value, found)


def _decided(
    compiled: CompiledRule, state: State, value: PeerValue, compared: Compared, closed_at: Instant
) -> Decision:
    """As it is decided on the road; `state` remembers the customer's decisions before."""
    rise = Rise(
        compiled,
        case=None,
        cause=Cause("peers", None, value.at, closed_at, closed_at),
        moment=False,
        eligible=compiled.is_eligible(compared.signals, value.profile),
        sends=compiled.sends_of(compared.signals, value.profile),
        signals=dict(compared.signals),
        scores=compiled.scores_of(compared.signals, value.profile),
    )
    verdicts = Verdicts(state)
    decision = verdicts.decision(rise, value.customer_id, closed_at)
    fired = decision.reason is None
    verdicts.note(rise, [message[:NAME] for message in message_ids(decision)] if fired else [])
    return decision
