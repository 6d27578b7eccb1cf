"""A rule that compares with peers: what the journal tells of its closes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from foreword.domain.core import CompiledRule
from foreword.domain.facts import PEERS_COMPARED, Fact
from foreword.domain.peer_values import period_of, signals_from_json
from foreword.explaining.explanation import PeersExplained
from foreword.explaining.rises import Teller


def peers_explained(rule: CompiledRule, teller: Teller) -> PeersExplained | None:
    """None for a rule that compares with nobody."""
    if rule.peers is None:
        return None
    name, signal = rule.peers
    period = period_of(signal.period, teller.at)
    own = teller.walk.peer_values.get((rule.name, period))
    compared = last_comparison(rule, teller)
    told: dict[str, Any] | None = None
    if compared is not None:
        names = ("at", "true", "value", "statistic", "cohort", "members")
        told = {of: compared.data[of] for of in names if of in compared.data}
    closes_at = period + signal.period + teller.rulebook.policy.settle
    return PeersExplained(name, told, None if own is None else own.value, closes_at)


def last_comparison(rule: CompiledRule, teller: Teller) -> Fact | None:
    """The latest close that changed the customer's truth: before the first one it is not true."""
    found = [
        fact
        for fact in teller.journal.facts
        if fact.type == PEERS_COMPARED and fact.data["rule"] == rule.name
    ]
    return found[-1] if found else None


def compared_signals(rule: CompiledRule, fact: Fact) -> Mapping[str, Any]:
    """All that were defined at that close, the comparison included."""
    return signals_from_json(rule.rule, fact.data["signals"])
