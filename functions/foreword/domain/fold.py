"""The fold: (state, facts, rulebook, now) -> (state, decisions), for one customer. Pure, and exact in effect.

`fold` takes new facts in their order and reads nothing else. Where it cannot be sure (a fact that may be known
already, one that comes late or is taken back, a rulebook that is new to this customer, a deadline behind later
facts, a value that a small memory cannot tell) it raises NeedsJournal, and `rebuild` walks the whole journal
instead. Decisions already made are input to both and are never made again: a rebuild that finds a new rise
decides that one only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import NamedTuple

from foreword.domain.core import Core
from foreword.domain.decisions import COUNTS_AS_SENT, Decision, message_ids
from foreword.domain.errors import NeedsJournal
from foreword.domain.facts import CUSTOMER_UPDATED, FOREWORD, MESSAGE_SKIPPED, OWN_TYPES, PEERS_COMPARED, Fact
from foreword.domain.holds import NO_HOLDS, Holds
from foreword.domain.instants import NEVER, Instant
from foreword.domain.peer_values import PeerValue
from foreword.domain.profiles import Attribute, Profile
from foreword.domain.state import NAME, State, rule_mark, short_name
from foreword.domain.verdicts import CLOSED_AFTER, Verdicts
from foreword.domain.walk import Rise, Walk


class CalledOff(NamedTuple):
    """A message, by its short id, that an exception event cancels while it has not left; of `messages` alone."""

    short_id: str
    messages: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Folded:
    """`changed` is False where nothing is worth a write; `due_at` is when a deadline will be decided.

    `peer_values` are the customer's own for the periods that may still be open: all there are where it is
    `complete`. `retracted` are the ids of messages whose rise no longer stands, since a fact was taken back;
    `called_off` those that an exception event cancels, `released` those that were held and are no longer, `moved`
    those that are held on, but until another time. `holds` is what holds messages back now, where anything was
    decided.
    """

    state: State
    decisions: list[Decision]
    changed: bool
    due_at: Instant | None
    peer_values: tuple[PeerValue, ...] = ()
    retracted: tuple[str, ...] = ()
    called_off: tuple[CalledOff, ...] = ()
    released: tuple[str, ...] = ()
    moved: tuple[tuple[str, Instant], ...] = ()
    holds: Holds = NO_HOLDS
    complete: bool = False


def fold(core: Core, state: State, profile: Profile, facts: Sequence[Fact], now: Instant) -> Folded:
    """Fold facts that came in order. `state` is left as it was; raises NeedsJournal when in doubt."""
    if state.fingerprint != core.fingerprint:
        raise NeedsJournal("the rulebook is not the one that filled this state")
    if state.spilled:
        raise NeedsJournal("the memory of this customer is not kept")
    state = state.copy()
    fresh = _fresh(core, state, facts)
    _give_clocks_back(state, fresh)
    walk = Walk(core, state, profile)
    settled = now - core.rulebook.policy.settle
    before = state.position
    held_before = _held_until(walk, now)
    for fact in fresh:
        if _stands_apart(core, fact):
            walk.fact(fact)  # it asks nothing of the signals: its place among the facts does not matter
            continue
        if fact.order < state.position:
            raise NeedsJournal(f"{fact.key} comes late")
        walk.deadlines(min(settled, fact.occurred_at - 1))
        if short_name(fact.key) not in state.retracted:
            walk.fact(fact)
        state.position = fact.order
    walk.deadlines(settled)
    state.remember(fresh)
    called_off = _called_off(state, walk)
    decisions = _decide(walk, profile.customer_id, now)
    changed = bool(fresh) or state.position != before
    return _folded(walk, decisions, called_off, now, held_before, changed=changed)


def rebuild(
    core: Core,
    state: State | None,
    profile: Profile,
    history: Iterable[Fact],
    batch: Sequence[Fact],
    now: Instant,
    cancelled: frozenset[str] = frozenset(),
) -> Folded:
    """Fold a customer's whole journal anew; `state` gives the decisions made, `batch` the facts just come.

    `cancelled` are short ids of messages that will certainly not leave: their firings hold no clock.

    A rule that a known customer meets for the first time knows the history at once, and decides from `batch` on.
    """
    facts = sorted((fact for fact in history if matters(core, fact)), key=attrgetter("order"))
    late = core.rulebook.policy.allowed_lateness
    rebuilt = _carried_over(core, state, batch, now)
    unknown = {fact.key for fact in facts if state is None or state.has(fact) is False}
    _give_clocks_back(rebuilt, facts)
    for entry in (entry for entries in rebuilt.decided.values() for entry in entries):
        entry.left = [left for left in entry.left if left not in cancelled]
    if any(fact.retracts is not None for fact in facts):
        rebuilt.first_event = None  # it may be what is taken back
    in_time = {f.key for f in facts if f.key in unknown and f.known_at - _due_from(f) <= late}
    if len(in_time) < len(unknown):
        # What came later than allowed shapes the signals and decides nothing: whatever it reveals among the
        # facts known before is noted as settled, before the facts that came in time are looked at.
        known = _walk_all(core, rebuilt.copy(), profile, [f for f in facts if f.key not in unknown], now)
        there_before = {(rise.rule.name, rise.case, rise.at) for rise in known.rises}
        silent = _walk_all(core, rebuilt.copy(), profile, [f for f in facts if f.key not in in_time], now)
        verdicts = Verdicts(rebuilt)
        for rise in silent.rises:
            if (rise.rule.name, rise.case, rise.at) not in there_before and not verdicts.decided(rise):
                verdicts.note(rise, [])
    walk = _walk_all(core, rebuilt, profile, facts, now)
    rebuilt.remember(facts)
    rebuilt.retracted = _taken_back_ahead(facts)
    fallen = _fallen(core, rebuilt, profile, facts, walk, now)
    called_off = _called_off(rebuilt, walk)
    decisions = _decide(walk, profile.customer_id, now)
    folded = _folded(walk, decisions, called_off, now, {}, changed=True)
    return replace(folded, retracted=fallen, complete=True)


def matters(core: Core, fact: Fact) -> bool:
    """Whether the fact can change anything: all others are not even remembered."""
    if fact.retracts is not None or fact.type == CUSTOMER_UPDATED or _is_skipped(fact):
        return True
    if core.asks_first_event and fact.type not in OWN_TYPES:
        return True
    return core.handler(fact.type) is not None


def retrace(core: Core, profile: Profile, history: Iterable[Fact], now: Instant) -> Walk:
    """The walk over a customer's whole journal with every deadline that is decided by `now`; decides nothing."""
    facts = sorted((fact for fact in history if matters(core, fact)), key=attrgetter("order"))
    return _walk_all(core, State(), profile, facts, now)


def _stands_apart(core: Core, fact: Fact) -> bool:
    """What tells of decisions and not of the customer: no signal sees it, so that it is never late."""
    return fact.type == PEERS_COMPARED or (_is_skipped(fact) and core.handler(fact.type) is None)


def _is_skipped(fact: Fact) -> bool:
    return fact.type == MESSAGE_SKIPPED and fact.source == FOREWORD


def _folded(
    walk: Walk,
    decisions: list[Decision],
    called_off: tuple[CalledOff, ...],
    now: Instant,
    held_before: Mapping[str, Instant],
    *,
    changed: bool,
) -> Folded:
    """`held_before` is until when each held message was to wait, before what has happened."""
    state, holds = walk.state, NO_HOLDS
    released, moved = tuple[str, ...](), tuple[tuple[str, Instant], ...]()
    if decisions or state.held:
        t = max(now, state.position[0])
        holds = walk.core.holds.of(walk.core.trackers, walk.memories, state, t)
        until = _held_until(walk, now, holds)
        released = tuple(one.short_id for one in state.held if one.short_id not in until)
        moved = tuple((name, end) for name, end in until.items() if held_before.get(name) != end)
        state.held = [one for one in state.held if one.short_id in until]
    walk.finish()
    due_at = None if walk.due == NEVER else walk.due + walk.core.rulebook.policy.settle
    return Folded(
        state,
        decisions,
        changed or bool(decisions) or bool(released),
        due_at,
        tuple(walk.peer_values.values()),
        called_off=called_off,
        released=released,
        moved=moved,
        holds=holds,
    )


def _held_until(walk: Walk, now: Instant, holds: Holds | None = None) -> dict[str, Instant]:
    """The end of what holds each message that waits held, as far as is known; those that are held no longer, or
    have expired, are not in it."""
    state = walk.state
    if not state.held:
        return {}
    t = max(now, state.position[0])
    known = holds or walk.core.holds.of(walk.core.trackers, walk.memories, state, t)
    until: dict[str, Instant] = {}
    for one in state.held:
        held = known.held_of(one.purpose, one.rule, t)
        if held is not None and one.deliver_by >= t:
            until[one.short_id] = min(held[1], one.deliver_by)
    return until


def _fresh(core: Core, state: State, facts: Sequence[Fact]) -> list[Fact]:
    """The facts that matter and are not in the state yet, in order, each once."""
    fresh: dict[str, Fact] = {}
    for fact in facts:
        if not matters(core, fact):
            continue
        known = state.has(fact)
        if known is None:
            raise NeedsJournal(f"{fact.key} may be in the state already")
        if not known:
            if fact.retracts is not None:
                raise NeedsJournal(f"{fact.key} takes a fact back")
            if fact.imported:
                raise NeedsJournal(f"{fact.key} was imported: what it reveals is settled")
            fresh.setdefault(fact.key, fact)
    return sorted(fresh.values(), key=attrgetter("order"))


def _due_from(fact: Fact) -> Instant:
    """A retraction reveals what stood there all along: it is not late, unless it was imported."""
    return fact.occurred_at if fact.retracts is None else fact.received_at


def _carried_over(core: Core, state: State | None, batch: Sequence[Fact], now: Instant) -> State:
    """A state with no memory that keeps what was decided and which facts were known."""
    marks = {name: rule_mark(rule.rule.digest) for name, rule in core.rules.items()}
    fresh = State(fingerprint=core.fingerprint, met=frozenset(marks.values()))
    if state is None:
        return fresh
    since_now = min((fact.received_at for fact in batch), default=now)
    kept = state.copy()
    fresh.since = {
        name: kept.since.get(name, since_now) if mark in kept.met else since_now
        for name, mark in marks.items()
        if name in kept.since or mark not in kept.met
    }
    fresh.decided, fresh.decided_before, fresh.held = kept.decided, kept.decided_before, kept.held
    fresh.remembered, fresh.forgotten_through = kept.remembered, kept.forgotten_through
    fresh.first_event = kept.first_event if core.asks_first_event else None
    return fresh


def _walk_all(core: Core, carried: State, profile: Profile, facts: Sequence[Fact], now: Instant) -> Walk:
    """Walk the facts from nothing, without those that are taken back."""
    taken_back = _retracted_keys(facts)
    carried.position = State().position
    earlier: dict[str, list[Attribute]] = {}
    written = {attribute.written for attribute in profile.attributes.values()}
    for fact in facts:
        if fact.type == CUSTOMER_UPDATED:
            written.discard(fact.order)
            for name, value in fact.data.items():
                earlier.setdefault(name, []).append(Attribute(value, fact.order))
    walk = Walk(core, carried, profile, earlier)
    settled = now - core.rulebook.policy.settle
    # The profile outlives the journal: what was written before it still sets dates.
    points = sorted(order for order in written if core.dates and order[0] <= now)
    for fact in facts:
        while points and points[0] < fact.order:
            _at_point(walk, points.pop(0)[0], settled)
        if fact.retracts is not None or fact.key in taken_back:
            continue
        walk.deadlines(min(settled, fact.occurred_at - 1))
        walk.fact(fact)
        if not _stands_apart(core, fact):
            carried.position = max(carried.position, fact.order)
    for order in points:
        _at_point(walk, order[0], settled)
    walk.deadlines(settled)
    return walk


def _at_point(walk: Walk, t: Instant, settled: Instant) -> None:
    walk.deadlines(min(settled, t - 1))
    walk.set_dates(t)


def _retracted_keys(facts: Iterable[Fact]) -> frozenset[str]:
    """The keys of what is taken back, by a fact of the same source."""
    return frozenset(fact._replace(id=fact.retracts).key for fact in facts if fact.retracts is not None)


def _taken_back_ahead(facts: Sequence[Fact]) -> tuple[str, ...]:
    """Short names of facts that were taken back and have not come yet."""
    present = {fact.key for fact in facts}
    return tuple(sorted(short_name(key) for key in _retracted_keys(facts) if key not in present))


def _fallen(
    core: Core, state: State, profile: Profile, facts: Sequence[Fact], walk: Walk, now: Instant
) -> tuple[str, ...]:
    """Short ids of the messages left of firings whose rise stood until a fact was taken back."""
    if not any(fact.retracts is not None for fact in facts):
        return ()
    never_taken_back = [fact for fact in facts if fact.retracts is None]
    before = _walk_all(core, state.copy(), profile, never_taken_back, now)
    verdicts = Verdicts(state)
    standing = {id(entry) for rise in walk.rises for entry in verdicts.entries(rise)}
    stood = {id(entry): entry for rise in before.rises for entry in verdicts.entries(rise)}
    return tuple(left for key, entry in stood.items() if key not in standing for left in entry.left)


def _give_clocks_back(state: State, facts: Iterable[Fact]) -> None:
    """A firing of which nothing left in the end does not hold the next one up (rules.md, Re-eligibility)."""
    for fact in facts:
        if not _is_skipped(fact) or fact.data.get("reason") in COUNTS_AS_SENT:
            continue
        gone = str(fact.data.get("message_id", ""))[:NAME]
        state.gone(str(fact.data.get("rule", "")), gone)


def _decide(walk: Walk, customer_id: str, now: Instant) -> list[Decision]:
    """Decide every rise that was not decided before, in the order of their times."""
    decisions: list[Decision] = []
    state = walk.state
    late = walk.core.rulebook.policy.allowed_lateness
    verdicts = Verdicts(state)
    for rise in sorted(walk.rises, key=attrgetter("at")):
        if verdicts.decided(rise):
            continue
        since = state.since.get(rise.rule.name)
        known_at = rise.cause.known_at
        if (since is not None and known_at < since) or known_at - rise.cause.expires_from > late:
            verdicts.note(rise, [])
            continue
        decision = verdicts.decision(rise, customer_id, now, _called_off_already(walk, rise))
        left = message_ids(decision) if decision.reason in (None, *COUNTS_AS_SENT) else []
        verdicts.note(rise, [message[:NAME] for message in left])
        decisions.append(decision)
    return decisions


def _called_off_already(walk: Walk, rise: Rise) -> frozenset[int]:
    """The sends that an exception event after the rise calls off."""
    if not walk.exceptions:
        return frozenset()

    def is_after(send: int | None) -> bool:
        came = walk.exceptions.get((rise.rule.name, send, rise.case))
        return came is not None and came > rise.at

    return frozenset(at for at in range(len(rise.rule.rule.sends)) if is_after(None) or is_after(at))


def _called_off(state: State, walk: Walk) -> tuple[CalledOff, ...]:
    """What is left of firings before an exception event, as far as it may still be waiting."""
    found: list[CalledOff] = []
    for (name, send, case), came in walk.exceptions.items():
        rule = walk.core.rules[name].rule
        only = None if send is None else frozenset({rule.sends[send].message})
        for entry in state.decided.get(name, []):
            if entry.case == case and came - CLOSED_AFTER - rule.expires_after < entry.at < came:
                found += [CalledOff(left, only) for left in entry.left]
    return tuple(found)
