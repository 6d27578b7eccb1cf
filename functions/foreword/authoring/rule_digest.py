"""A hash of what decides: words, layout and messages may change without making another rule of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from foreword.authoring.signals.references import closure
from foreword.domain.conditions import root_names
from foreword.domain.rulebook import DateSignal, PeersSignal, Policy, Rule, Signal


def digest(rule: Rule, policy: Policy, lists: Mapping[str, tuple[str, ...]]) -> str:
    """Of what decides when it fires: signals, conditions, case, schedule and pause, and what they use of the policy
    and the lists.

    A send's `if` is such a condition, since a firing that makes no message sets no pause. What a firing then does
    (weights, follow-ups, exceptions, hold, experiment) is not.
    """
    signals = _deciding(rule)
    by_wall_clock = rule.evaluate is not None or any(
        isinstance(signal, DateSignal) for signal in signals.values()
    )
    deciding = {
        "signals": {name: _trees(signal.model_dump(mode="json")) for name, signal in signals.items()},
        "when": rule.when.tree,
        "eligible": rule.eligible.tree,
        "sends": [None if send.condition is None else send.condition.tree for send in rule.sends],
        "for_each": None if rule.for_each is None else rule.for_each.tree,
        "evaluate": None if rule.evaluate is None else rule.evaluate.model_dump(mode="json"),
        "repeat": rule.repeat,
        "re_eligible_after": rule.re_eligible_after,
        "retention": policy.retention,
        "default_timezone": policy.default_timezone if by_wall_clock else None,
    }
    written = json.dumps(deciding, sort_keys=True, separators=(",", ":"))
    used = {
        name: lists[name]
        for name in sorted(lists)
        if f'["field",["name","lists"],{json.dumps(name)}]' in written
    }
    return hashlib.sha256(f"{written}{json.dumps(used)}".encode()).hexdigest()


def _deciding(rule: Rule) -> dict[str, Signal]:
    """The signals that the conditions name, and all they are computed from; peers decide even unnamed."""
    named = frozenset[str]().union(*(root_names(condition) for condition in rule.conditions))
    peers = (name for name, signal in rule.signals.items() if isinstance(signal, PeersSignal))
    used = closure(named.union(peers), rule.signals)
    return {name: signal for name, signal in rule.signals.items() if name in used}


def _trees(document: Any) -> Any:
    """The document with every expression reduced to its tree."""
    if isinstance(document, dict):
        if document.keys() == {"source", "tree"}:
            return document["tree"]
        return {name: _trees(value) for name, value in document.items()}
    if isinstance(document, list):
        return [_trees(value) for value in document]
    return document
