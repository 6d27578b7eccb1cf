"""The fold: (state, facts, rulebook, now) -> (state, decisions), for one customer. Pure, and exact in effect.

`fold` takes new facts in their order and reads nothing else. Where it cannot be sure (a fact that may be known
already, one that comes late, a rule that is new to this customer, a deadline behind later facts) it raises
NeedsJournal, and `rebuild` walks the whole journal instead. Decisions already made are input to both and are
never made again: a rebuild that finds a new rise decides that one only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from foreword.domain.core import Core
from foreword.domain.decisions import Decision
from foreword.domain.errors import NeedsJournal
from foreword.domain.facts import CUSTOMER_UPDATED, FOREWORD, MESSAGE_SKIPPED, Fact
from foreword.domain.instants import Instant, sortable
from foreword.domain.messages import message_id
from foreword.domain.profiles import Attribute, Profile
from foreword.domain.reasons import Reason
from foreword.domain.state import Decided, State
from foreword.domain.walk import Rise, Walk

COUNTS_AS_SENT = (Reason.SHADOW,)
"""Messages that were not sent and hold their clock of re-eligibility all the same."""


@dataclass(frozen=True, slots=True)
class Folded:
    """`changed` is False where nothing is worth a write; `due_at` is when a deadline will be decided."""

    state: State
    decisions: list[Decision]
    changed: bool
    due_at: Instant | None


def fold(core: Core, state: State, profile: Profile, facts: Sequence[Fact], now: Instant) -> Folded:
    """Fold facts that came in order. `state` is left as it was; raises NeedsJournal when in doubt."""
    if any(state.digests.get(name) != rule.rule.digest for name, rule in core.rules.items()):
        raise NeedsJournal("the rulebook has a rule that this state has not met")
    if state.spilled:
        raise NeedsJournal("the memory of this customer is not kept")
    state = state.copy()
    fresh = _fresh(core, state, facts)
    _give_clocks_back(state, profile.customer_id, fresh)
    walk = Walk(core, state, profile)
    settled = now - core.rulebook.policy.settle
    before = state.position
    for fact in fresh:
        if fact.order < state.position:
            raise NeedsJournal(f"{fact.key} comes late")
        walk.deadlines(min(settled, fact.occurred_at - 1))
        walk.fact(fact)
    walk.deadlines(settled)
    state.remember(fresh)
    decisions = _decide(core, state, profile.customer_id, walk.rises, now)
    return _folded(core, walk, decisions, changed=bool(fresh) or state.position != before)


def rebuild(
    core: Core,
    state: State | None,
    profile: Profile,
    history: Iterable[Fact],
    batch: Sequence[Fact],
    now: Instant,
) -> Folded:
    """Fold a customer's whole journal anew; `state` gives the decisions made, `batch` the facts just come.

    A rule that a known customer meets for the first time knows the history at once, and decides from `batch` on.
    """
    facts = sorted((fact for fact in history if _matters(core, fact)), key=attrgetter("order"))
    late = core.rulebook.policy.allowed_lateness
    rebuilt = _carried_over(core, state, batch, now)
    unknown = {fact.key for fact in facts if state is None or state.has(fact) is False}
    _give_clocks_back(rebuilt, profile.customer_id, [fact for fact in facts if fact.key in unknown])
    in_time = {f.key for f in facts if f.key in unknown and f.received_at - f.occurred_at <= late}
    if len(in_time) < len(unknown):
        # What came later than allowed shapes the signals and decides nothing: whatever it reveals among the
        # facts known before is noted as settled, before the facts that came in time are looked at.
        known = _walk_all(core, rebuilt.copy(), profile, [f for f in facts if f.key not in unknown], now)
        there_before = {(rise.rule.name, rise.at) for rise in known.rises}
        silent = _walk_all(core, rebuilt, profile, [f for f in facts if f.key not in in_time], now)
        for rise in silent.rises:
            if (rise.rule.name, rise.at) not in there_before and not _is_decided(rebuilt, rise):
                rebuilt.decide(rise.rule.name, Decided(rise.at, _episode(rise), False, rise.moment))
    walk = _walk_all(core, rebuilt, profile, facts, now)
    rebuilt.remember(facts)
    decisions = _decide(core, rebuilt, profile.customer_id, walk.rises, now)
    return _folded(core, walk, decisions, changed=True)


def _folded(core: Core, walk: Walk, decisions: list[Decision], *, changed: bool) -> Folded:
    deadline = walk.next_deadline()
    due_at = None if deadline is None else deadline + core.rulebook.policy.settle
    return Folded(walk.state, decisions, changed or bool(decisions), due_at)


def _matters(core: Core, fact: Fact) -> bool:
    """Whether the fact can change anything: all others are not even remembered."""
    if fact.type == MESSAGE_SKIPPED and fact.source == FOREWORD:
        return True
    return fact.type == CUSTOMER_UPDATED or bool(core.touched_by(fact.type))


def _fresh(core: Core, state: State, facts: Sequence[Fact]) -> list[Fact]:
    """The facts that matter and are not in the state yet, in order, each once."""
    fresh: dict[str, Fact] = {}
    for fact in facts:
        if not _matters(core, fact):
            continue
        known = state.has(fact)
        if known is None:
            raise NeedsJournal(f"{fact.key} may be in the state already")
        if not known:
            fresh.setdefault(fact.key, fact)
    return sorted(fresh.values(), key=attrgetter("order"))


def _carried_over(core: Core, state: State | None, batch: Sequence[Fact], now: Instant) -> State:
    """A state with no memory that keeps what was decided and which facts were known."""
    digests = {name: rule.rule.digest for name, rule in core.rules.items()}
    if state is None:
        return State(digests=digests)
    met = min((fact.received_at for fact in batch), default=now)
    since = {
        name: state.since[name] if state.digests.get(name) == digest and name in state.since else met
        for name, digest in digests.items()
        if name in state.since or state.digests.get(name) != digest
    }
    kept = state.copy()
    return State(
        decided=kept.decided,
        decided_before=kept.decided_before,
        digests=digests,
        since=since,
        remembered=kept.remembered,
        forgotten_through=kept.forgotten_through,
    )


def _walk_all(core: Core, carried: State, profile: Profile, facts: Sequence[Fact], now: Instant) -> Walk:
    """Walk the facts from nothing; decisions and marks of `carried` are the walked state's too."""
    carried.position, carried.memory, carried.before = State().position, {}, {}
    earlier: dict[str, list[Attribute]] = {}
    for fact in facts:
        if fact.type == CUSTOMER_UPDATED:
            for name, value in fact.data.items():
                earlier.setdefault(name, []).append(Attribute(value, fact.order))
    walk = Walk(core, carried, profile, earlier)
    settled = now - core.rulebook.policy.settle
    for fact in facts:
        walk.deadlines(min(settled, fact.occurred_at - 1))
        walk.fact(fact)
    walk.deadlines(settled)
    return walk


def _give_clocks_back(state: State, customer_id: str, facts: Iterable[Fact]) -> None:
    """A firing of which nothing left in the end does not hold the next one up (rules.md, Re-eligibility)."""
    for fact in facts:
        if (
            fact.type != MESSAGE_SKIPPED
            or fact.source != FOREWORD
            or fact.data.get("reason") in COUNTS_AS_SENT
        ):
            continue
        rule = fact.data.get("rule", "")
        for entry in state.decided.get(rule, []):
            if message_id(customer_id, rule, None, entry.episode, 0) == fact.data.get("message_id"):
                entry.fired = False


def _episode(rise: Rise) -> str:
    """A moment's episode is the fact that made it; another is named by its first decided rise."""
    return rise.cause.key if rise.moment else sortable(rise.at)


def _is_decided(state: State, rise: Rise) -> bool:
    """Whether the rise belongs to an episode that was decided, or to times that are closed."""
    name = rise.rule.name
    if rise.at <= state.decided_before.get(name, rise.at - 1):
        return True
    episode = _episode(rise)
    for entry in state.decided.get(name, []):
        if entry.at == rise.at or (rise.moment and entry.episode == episode):
            return True
        if not rise.moment and entry.at > rise.at and (rise.until is None or entry.at < rise.until):
            return True
    return False


def _decide(core: Core, state: State, customer_id: str, rises: list[Rise], now: Instant) -> list[Decision]:
    """Decide every rise that was not decided before, in the order of their times."""
    decisions: list[Decision] = []
    late = core.rulebook.policy.allowed_lateness
    for rise in sorted(rises, key=attrgetter("at")):
        name = rise.rule.name
        if _is_decided(state, rise):
            continue
        episode = _episode(rise)
        since = state.since.get(name)
        if (since is not None and rise.cause.known_at < since) or rise.cause.known_at - rise.at > late:
            state.decide(name, Decided(rise.at, episode, False, rise.moment))
            continue
        reason = _reason(state, rise, now)
        fired = reason is None or reason is Reason.SHADOW
        state.decide(name, Decided(rise.at, episode, fired, rise.moment))
        signals = {signal: value for signal, value in rise.signals.items() if value is not None}
        decisions.append(Decision(customer_id, name, None, rise.at, episode, reason, signals))
    return decisions


def _reason(state: State, rise: Rise, now: Instant) -> Reason | None:
    """The first gate that closes before a message is made; None where the rule fires."""
    rule = rise.rule.rule
    if not rise.eligible:
        return Reason.NOT_ELIGIBLE
    apart = rule.re_eligible_after
    fired = [entry.at for entry in state.decided.get(rule.rule, []) if entry.fired]
    if apart is not None and any(abs(rise.at - at) < apart for at in fired):
        return Reason.NOT_RE_ELIGIBLE
    if now > rise.at + rule.expires_after:
        return Reason.TOO_LATE
    if rule.mode == "shadow":
        return Reason.SHADOW
    return None
