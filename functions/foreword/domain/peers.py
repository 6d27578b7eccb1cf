"""Peers: a customer's value of a period beside those of its cohort, and what a rule makes of it.

A rule with a `peers` signal is evaluated when a period is over, over all customers at once: by `peers_decisions`
where all values are at hand (backtest, rule tests), and in the cloud shard by shard (see app.compare_peers).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from foreword.domain import json_text
from foreword.domain.core import CompiledRule, Core
from foreword.domain.decisions import Decision
from foreword.domain.instants import Duration, Instant, sortable
from foreword.domain.peers_closing import Close
from foreword.domain.peers_statistics import Standing, Statistic, difference, measured, standing
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Mode, PeersSignal, Rule


class PeerValue(NamedTuple):
    """What a customer brings to the comparison of one period, as of `at`.

    `period` is where it starts, `cohort` canonical JSON text. `signals` are the rule's other defined signals,
    `profile` what its conditions name of the profile.
    """

    customer_id: str
    rule: str
    period: Instant
    at: Instant
    value: Decimal | int
    cohort: str
    signals: Mapping[str, Any]
    profile: Mapping[str, Any]

    @property
    def measured(self) -> Decimal:
        return measured(self.value)

    def to_text(self) -> str:
        """One line of JSON; what all values of one comparison share is left out."""
        return json_text.dumps(
            [self.customer_id, self.at, self.value, self.cohort, dict(self.signals), dict(self.profile)]
        )

    @classmethod
    def from_text(cls, rule: str, period: Instant, text: str) -> PeerValue:
        customer_id, *rest = json_text.loads(text, max_depth=2 * json_text.MAX_DEPTH)
        return cls(customer_id, rule, period, *rest)


class Compared(NamedTuple):
    """A customer's value beside its cohort; `signals` are all that are defined then, that of `peers` included."""

    statistic: Decimal | None
    signals: Mapping[str, Any]
    is_true: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a rule compares: its `peers` signal, called `signal`."""

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
                return cls(rule.rule, rule.digest, name, statistic, signal.at_least, signal.period)
        return None

    def period_of(self, at: Instant) -> Instant:
        """Where the period begins that `at` lies in."""
        return at // self.period * self.period

    def close_of(self, period: Instant) -> Close:
        return Close(self.rule, self.digest, period, period + self.period)

    def compare(self, compiled: CompiledRule, value: PeerValue, cohort: Standing) -> Compared:
        """`cohort` is the standing of the customer's own, large enough to be compared with."""
        statistic = self.statistic.of(cohort, value.measured)
        apart = None if statistic is None else difference(value.measured, statistic)
        signals = dict(value.signals) if apart is None else {**value.signals, self.signal: apart}
        return Compared(statistic, signals, compiled.is_true(signals, value.profile))


def comparisons(rules: Iterable[Rule]) -> dict[str, Comparison]:
    """Of the rules that are more than drafts, by name."""
    found = (Comparison.of(rule) for rule in rules if rule.mode is not Mode.DRAFT)
    return {comparison.rule: comparison for comparison in found if comparison is not None}


def peers_decisions(core: Core, rule: str, values: Iterable[PeerValue], end: Instant) -> list[Decision]:
    """What the rule decides at the close of each period up to `end`, the last and partial one included.

    In the order of their times. The rule counts as live. `values` are those of all customers; of one customer's in
    one period the last counts.
    """
    compiled = core.rules[rule]
    comparison = Comparison.of(compiled.rule)
    if comparison is None:
        return []
    periods: dict[Instant, dict[str, PeerValue]] = {}
    for value in values:
        members = periods.setdefault(value.period, {})
        known = members.get(value.customer_id)
        if value.at <= end and (known is None or known.at <= value.at):
            members[value.customer_id] = value
    true: set[str] = set()
    fired: dict[str, Instant] = {}
    decisions: list[Decision] = []
    for _, members in sorted(periods.items()):
        for value, compared in _compared(compiled, comparison, members.values()):
            if compared.is_true and value.customer_id not in true:
                decisions.append(_decided(compiled, value, compared, fired))
            (true.add if compared.is_true else true.discard)(value.customer_id)
    return sorted(decisions, key=lambda decision: (decision.at, decision.customer_id))


def _compared(
    compiled: CompiledRule, comparison: Comparison, members: Iterable[PeerValue]
) -> Iterable[tuple[PeerValue, Compared]]:
    """Every member of a cohort that is large enough."""
    cohorts: dict[str, list[PeerValue]] = {}
    for value in members:
        cohorts.setdefault(value.cohort, []).append(value)
    for cohort in cohorts.values():
        if len(cohort) >= comparison.at_least:
            found = standing(comparison.statistic, (value.measured for value in cohort))
            for value in cohort:
                yield value, comparison.compare(compiled, value, found)


def _decided(
    compiled: CompiledRule, value: PeerValue, compared: Compared, fired: dict[str, Instant]
) -> Decision:
    """The rise of one customer; `fired` remembers when each customer's last firing was."""
    apart = compiled.rule.re_eligible_after
    last = fired.get(value.customer_id)
    reason: Reason | None = None
    if not compiled.is_eligible(compared.signals, value.profile):
        reason = Reason.NOT_ELIGIBLE
    elif last is not None and apart is not None and value.at - last < apart:
        reason = Reason.NOT_RE_ELIGIBLE
    else:
        fired[value.customer_id] = value.at
    return Decision(
        customer_id=value.customer_id,
        rule=value.rule,
        case=None,
        at=value.at,
        episode=sortable(value.at),
        reason=reason,
        signals=compared.signals,
        sends=compiled.sends_of(compared.signals, value.profile),
    )
