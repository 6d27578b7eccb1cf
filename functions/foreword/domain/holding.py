"""The holds of a rulebook, made ready: which memories tell of them, and what they say of one customer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from foreword.domain.errors import NeedsJournal
from foreword.domain.holds import NO_HOLDS, Held, Holds, holds_of
from foreword.domain.instants import HOUR, Instant
from foreword.domain.memories import Memories
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Hold, Mode, OpenCases, Policy, Purpose, Rule, WillingnessSignal
from foreword.domain.signals.holding import LatestKeeper, OpenCasesKeeper
from foreword.domain.signals.log import first_reaching
from foreword.domain.signals.tracker import Keeper
from foreword.domain.state import State

Register = Callable[[str, Any, Callable[[], Keeper]], str]
"""Keeps a tracker under the key that its kind and meaning have; makes it where there is none yet."""

_MARKETING = frozenset({Purpose.MARKETING})


class CompiledHolds:
    """`keys` are those of all memories that tell of a hold, `cases` those of open cases with what they are of."""

    def __init__(
        self, policy: Policy, rules: Iterable[Rule], register: Register, willingness_key: str | None
    ) -> None:
        self._willingness = policy.willingness
        self._willingness_key = willingness_key
        self._cases = [
            (register("open cases", cases, _tracker_of(cases)), cases) for cases in policy.open_cases
        ]
        self._rules = [
            (rule.rule, rule.hold, _until(rule.hold, register))
            for rule in rules
            if rule.hold is not None and rule.mode is Mode.LIVE
        ]
        keys = [key for key, _ in self._cases] + [key for _, _, key in self._rules if key is not None]
        if willingness_key is not None:
            keys.append(willingness_key)
        self.cases, self.willingness_key = tuple(self._cases), willingness_key
        self.keys = tuple(dict.fromkeys(keys))
        self.exist = bool(keys or self._rules)

    def of(
        self, trackers: Mapping[str, Keeper], memories: Mapping[str, Any], state: State, t: Instant
    ) -> Holds:
        """What is known at `t`, which is not before the last fact that the memories hold."""
        return holds_of(self._all(trackers, memories, state, t)) if self.exist else NO_HOLDS

    def _all(
        self, trackers: Mapping[str, Keeper], memories: Mapping[str, Any], state: State, t: Instant
    ) -> Iterator[Held]:
        for key, cases in self._cases:
            until = trackers[key].value(memories[key], t, None)
            if until is not None:
                yield Held(Reason.ON_HOLD, frozenset(cases.hold), until)
        for name, hold, until in self._rules:
            ended = None if until is None else trackers[until].value(memories[until], t, None)
            fired = [
                entry.at
                for entry in state.decided.get(name, [])
                if entry.left
                and entry.at <= t < entry.at + hold.lasts
                and (ended is None or ended <= entry.at)
            ]
            if fired:
                yield Held(Reason.ON_HOLD, frozenset(hold.purposes), max(fired) + hold.lasts, name)
        yield from self._unwilling(memories, t)

    def _unwilling(self, memories: Mapping[str, Any], t: Instant) -> Iterator[Held]:
        willingness, key = self._willingness, self._willingness_key
        if willingness is None or key is None or willingness.hold_marketing_below is None:
            return
        try:
            reached = first_reaching(memories[key], t, willingness.within, willingness.hold_marketing_below)
        except NeedsJournal:
            reached = t + HOUR  # more interactions than are kept: asked again
        if reached > t:
            yield Held(Reason.UNWILLING, _MARKETING, reached)


def holds_in(holds: CompiledHolds, trackers: Mapping[str, Keeper], state: State, now: Instant) -> Holds:
    """What the stored state says. A state whose memory is not kept holds everything back: nobody knows."""
    t = max(now, state.position[0])
    if state.spilled and holds.keys:
        return Holds((Held(Reason.ON_HOLD, frozenset(Purpose), t + HOUR),))
    return holds.of(trackers, Memories(trackers, state.packed), state, t)


def willingness_signal(policy: Policy) -> WillingnessSignal | None:
    """The signal by which marketing is held, where it is."""
    willingness = policy.willingness
    if willingness is None or willingness.hold_marketing_below is None:
        return None
    return WillingnessSignal(scores=willingness.scores, within=willingness.within)


def _tracker_of(cases: OpenCases) -> Callable[[], Keeper]:
    return lambda: OpenCasesKeeper(cases)


def _until(hold: Hold, register: Register) -> str | None:
    until = hold.until
    if until is None:
        return None
    return register("hold until", hold, lambda: LatestKeeper(until, hold.lasts))
