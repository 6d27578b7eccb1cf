"""A rule that compares with peers: what the journal tells of its closes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from foreword.domain.core import CompiledRule
from foreword.domain.facts import PEERS_COMPARED, Fact
from foreword.domain.instants import parse_instant
from foreword.domain.peer_values import period_of, signals_from_json
from foreword.explaining.explanation import Compared, PeersExplained
from foreword.explaining.rises import Teller


def peers_explained(rule: CompiledRule, teller: Teller) -> PeersExplained | None:
    """None for a rule that compares with nobody."""
    if rule.peers is None:
        return None
    name, signal = rule.peers
    period = period_of(signal.period, teller.at)
    own = teller.walk.peer_values.get((rule.name, period))
    fact = last_comparison(rule, teller)
    closes_at = period + signal.period + teller.rulebook.policy.settle
    compared = None if fact is None else _compared(fact)
    return PeersExplained(name, compared, None if own is None else own.value, closes_at)


def _compared(fact: Fact) -> Compared:
    told = fact.data
    return Compared(
        at=parse_instant(told["at"]),
        is_true=told["true"],
        value=told["value"],
        statistic=told["statistic"],
        cohort=told["cohort"].removeprefix('"'),  # of a text its own name: it is kept quoted at its beginning
        members=told["members"],
    )


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
