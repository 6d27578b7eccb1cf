"""What holds a customer's messages back, told: which open case, which rule's firing, or the willingness index."""

from __future__ import annotations

from collections.abc import Iterator

from foreword.domain.core import Core
from foreword.domain.errors import NeedsJournal
from foreword.domain.holds import Held, Holds
from foreword.domain.instants import Instant, format_duration, format_instant
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import EventFilter
from foreword.domain.signals.holding import OpenCasesKeeper
from foreword.domain.state import State
from foreword.domain.walk import Walk
from foreword.explaining.explanation import HoldExplained
from foreword.explaining.written import shown


def holds_at(core: Core, walk: Walk, state: State, t: Instant) -> Holds:
    """As the core tells them of a customer's whole journal; `state` has the decisions made by `t`."""
    return core.holds.of(core.trackers, walk.memories, state, t)


def told_holds(core: Core, walk: Walk, holds: Holds, t: Instant) -> tuple[HoldExplained, ...]:
    return tuple(_told(core, walk, one, t) for one in holds.held_by)


def holds_on(holds: tuple[HoldExplained, ...], purpose: str, rule: str) -> tuple[HoldExplained, ...]:
    """Those that a message of the rule meets."""
    return tuple(one for one in holds if purpose in one.purposes and one.by_rule != rule)


def _told(core: Core, walk: Walk, held: Held, t: Instant) -> HoldExplained:
    why, ends = next(_why(core, walk, held, t))
    purposes = tuple(sorted(purpose.value for purpose in held.purposes))
    return HoldExplained(held.reason, purposes, held.until, held.by_rule, why, ends)


def _why(core: Core, walk: Walk, held: Held, t: Instant) -> Iterator[tuple[str, str]]:
    until = format_instant(held.until)
    if held.reason is Reason.UNWILLING:
        yield _index(core, walk, t), f"by itself at {until}, or by what has a positive score"
    if held.by_rule is not None:
        hold = core.rules[held.by_rule].rule.hold
        sooner = "" if hold is None or hold.until is None else f", or {_events(hold.until)} before that"
        yield f"a firing of the rule {held.by_rule} holds it", f"at {until}{sooner}"
    for key, cases in core.holds.cases:
        tracker = core.trackers[key]
        memory = walk.memories[key]
        if not isinstance(tracker, OpenCasesKeeper) or tracker.value(memory, t, None) != held.until:
            continue
        names = tracker.holding(memory, t)
        still_open = [name for name in names if memory[name][1] is None]
        words = ", ".join(
            f"{name.removeprefix(chr(34))}{'' if name in still_open else ' (closed)'}" for name in names
        )
        after = f" and {format_duration(cases.then_for)} after it" if cases.then_for else ""
        closing = f"{_events(cases.closed)} of it{after}; at the latest " if still_open else ""
        yield f"an open case of {_events(cases.opened)}: {words}", f"{closing}at {until}"


def _index(core: Core, walk: Walk, t: Instant) -> str:
    willingness, key = core.rulebook.policy.willingness, core.holds.willingness_key
    assert willingness is not None  # noqa: S101  it holds messages
    assert key is not None  # noqa: S101  likewise
    try:
        index = shown(core.trackers[key].value(walk.memories[key], t, None))
    except NeedsJournal:
        index = "of more interactions than are kept"
    line, within = willingness.hold_marketing_below, format_duration(willingness.within)
    return f"the willingness index of the last {within} is {index}, and marketing needs {line}"


def _events(event: EventFilter) -> str:
    return " or ".join(event.types) if event.types else "any event"
