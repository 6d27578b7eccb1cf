"""Replaying a history through the core, with the clock going from event to event: what would have been decided.

Every rule counts as live and deadlines are decided as they fall due (rules.md, The command line). A CustomerUpdated
among the facts changes the profile from its own time on, unless that is as given, always.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from foreword.domain.contacting import Contacting
from foreword.domain.core import Core
from foreword.domain.decisions import Decision, message_ids
from foreword.domain.facts import CUSTOMER_UPDATED, Fact, fact_key
from foreword.domain.instants import NEVER, Instant
from foreword.domain.peer_values import PeerValue
from foreword.domain.profiles import Attribute, Profile
from foreword.domain.state import BEGINNING, NAME, State
from foreword.domain.verdicts import Verdicts
from foreword.domain.walk import Walk

_NO_RISES: list[Decision] = []


@dataclass(frozen=True, slots=True)
class Replayed:
    """In time order. `peer_values` are the customer's own, one for each rule and period."""

    decisions: list[Decision]
    peer_values: list[PeerValue]


def replay(
    core: Core,
    customer_id: str,
    profile: Mapping[str, Any],
    facts: Sequence[Fact],
    start: Instant | None = None,
    end: Instant | None = None,
    *,
    as_given: bool = False,
    contacting: Contacting | None = None,
) -> Replayed:
    """One customer's facts, as `once` gives them, decided by a core that is `as_live`.

    The clock goes from `start` (the first fact) to `end` (the last one); deadlines, dates and schedules exactly
    at `end` count. `as_given`: no fact changes the profile. With `contacting` the messages go through the gates
    as time goes by, and what becomes of them is known there.
    """
    walk = Walk(core, State(), profile) if as_given else _walk(core, customer_id, profile, facts)
    begin = start if start is not None else (facts[0].occurred_at if facts else end)
    if core.dates and begin is not None:
        walk.set_dates(begin)
    if contacting is not None:
        _contacted(walk, contacting, facts, end)
        values = sorted(walk.peer_values.values(), key=attrgetter("at"))
        return Replayed(contacting.decisions, values)
    handlers, handler = core.handlers, core.handler
    asks_first = core.asks_first_event
    for fact in facts:
        if walk.due < fact.occurred_at:
            walk.deadlines(fact.occurred_at - 1)
        if asks_first:
            walk.fact(fact)
            continue
        kind = fact.type
        handle = handlers[kind] if kind in handlers else handler(kind)
        if handle is not None:
            handle(walk, fact)
    end = end if end is not None else (facts[-1].occurred_at if facts else None)
    if end is not None and walk.due != NEVER:
        walk.deadlines(end)
    values = sorted(walk.peer_values.values(), key=attrgetter("at")) if walk.peer_values else []
    return Replayed(_decided(walk, customer_id) if walk.rises else _NO_RISES, values)


def _contacted(walk: Walk, contacting: Contacting, facts: Sequence[Fact], end: Instant | None) -> None:
    """Instant by instant, each with all its facts, and the deadlines behind them."""
    t: Instant | None = None
    for fact in facts:
        if fact.occurred_at != t:
            if t is not None:
                _instant_is_over(walk, contacting, t)
            t = fact.occurred_at
            if walk.due < t or contacting.due < t:
                _time_passes(walk, contacting, t - 1)
        walk.fact(fact)
    if t is not None:
        _instant_is_over(walk, contacting, t)
    last = end if end is not None else t
    if last is not None:
        _time_passes(walk, contacting, last)
        contacting.at(walk, last)


def _instant_is_over(walk: Walk, contacting: Contacting, t: Instant) -> None:
    if walk.due <= t:
        walk.deadlines(t)
    if walk.rises or walk.exceptions or contacting.due <= t or contacting.asks_for_holds:
        contacting.at(walk, t)


def _time_passes(walk: Walk, contacting: Contacting, through: Instant) -> None:
    """Deadlines and what waits, each at its time."""
    while (t := min(walk.due, contacting.due)) <= through:
        walk.deadlines(t)
        contacting.at(walk, t)


def once(facts: Iterable[Fact]) -> list[Fact]:
    """Sorted by time and receipt; the same source and id is the same event: its first receipt counts.

    What is taken back is left out, and so is what takes it back.
    """
    first: dict[str, Fact] = {}
    for fact in sorted(facts, key=attrgetter("received_at")):
        first.setdefault(fact.key, fact)
    gone = {fact_key(fact.source, fact.retracts) for fact in first.values() if fact.retracts is not None}
    kept = (fact for key, fact in first.items() if fact.retracts is None and key not in gone)
    return sorted(kept, key=attrgetter("order"))


def _walk(core: Core, customer_id: str, profile: Mapping[str, Any], facts: Sequence[Fact]) -> Walk:
    if not any(fact.type == CUSTOMER_UPDATED for fact in facts):
        return Walk(core, State(), profile)
    given = {name: Attribute(value, BEGINNING) for name, value in profile.items()}
    known = Profile(customer_id, given)
    earlier = {name: [attribute] for name, attribute in given.items()}
    for fact in facts:
        if fact.type == CUSTOMER_UPDATED:
            known = known.merge(fact)
            for name, value in fact.data.items():
                earlier.setdefault(name, []).append(Attribute(value, fact.order))
    return Walk(core, State(), known, earlier)


def _decided(walk: Walk, customer_id: str) -> list[Decision]:
    """Each rise as it would have been decided at its own time."""
    verdicts = Verdicts(walk.state)
    decisions = []
    for rise in sorted(walk.rises, key=attrgetter("at")):
        decision = verdicts.decision(rise, customer_id, rise.at)
        fired = decision.reason is None
        verdicts.note(rise, [message[:NAME] for message in message_ids(decision)] if fired else [])
        decisions.append(decision)
    return decisions
