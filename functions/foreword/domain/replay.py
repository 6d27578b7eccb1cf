"""Replaying a history through the core, with the clock going from event to event: what would have been decided.

Every rule counts as live, deadlines are decided as they fall due, and the profile is as given, always
(rules.md, The command line).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from foreword.domain.core import Core
from foreword.domain.decisions import Decision
from foreword.domain.facts import Fact
from foreword.domain.fold import fold
from foreword.domain.instants import Instant
from foreword.domain.profiles import Attribute, Profile
from foreword.domain.rulebook import Mode, Rulebook
from foreword.domain.state import BEGINNING, State


def replay(
    rulebook: Rulebook,
    customer_id: str,
    profile: Mapping[str, Any],
    facts: Sequence[Fact],
    until: Instant | None = None,
) -> list[Decision]:
    """The decisions over one customer's facts, in time order. The clock ends at the last fact or at `until`."""
    core = Core(
        rulebook.model_copy(
            update={
                "rules": tuple(rule.model_copy(update={"mode": Mode.LIVE}) for rule in rulebook.rules),
                "policy": rulebook.policy.model_copy(update={"settle": 0}),
            }
        )
    )
    known = Profile(customer_id, {name: Attribute(value, BEGINNING) for name, value in profile.items()})
    state = State(digests={name: rule.rule.digest for name, rule in core.rules.items()})
    decisions: list[Decision] = []
    due: Instant | None = None

    def take(batch: Sequence[Fact], now: Instant) -> None:
        nonlocal state, due
        folded = fold(core, state, known, batch, now)
        state, due = folded.state, folded.due_at
        decisions.extend(folded.decisions)

    # The same source and id is the same event: its first receipt counts.
    once = {fact.key: fact for fact in sorted(facts, key=attrgetter("received_at"), reverse=True)}
    ordered = sorted(once.values(), key=attrgetter("order"))
    for instant, group in groupby(ordered, key=attrgetter("occurred_at")):
        while due is not None and due < instant:
            take([], due)
        take(list(group), instant)
    end = max((fact.occurred_at for fact in ordered[-1:]), default=until) if until is None else until
    while end is not None and due is not None and due <= end:
        take([], due)
    return decisions
