"""What is remembered so as to know what holds messages back: open cases, and the last of some events."""

from __future__ import annotations

from typing import Any

from foreword.domain.instants import Instant
from foreword.domain.rulebook import EventFilter, OpenCases
from foreword.domain.signals.packing import identity
from foreword.domain.signals.tracker import Keeper, Part


class Cases(dict[str, list[Any]]):
    """By case: [when it was opened, when it was closed or None]."""


class OpenCasesKeeper(Keeper):
    """A case that is opened while it is open goes on as it was; opened again after its end, it begins anew."""

    def __init__(self, cases: OpenCases) -> None:
        self._then_for = cases.then_for
        self._at_most = cases.at_most
        self.keep = cases.at_most + cases.then_for
        self.parts = (
            Part(cases.opened, "opened", "value", cases.by),
            Part(cases.closed, "closed", "value", cases.by),
        )

    def start(self) -> Cases:
        return Cases()

    def opened(self, memory: Cases, t: Instant, value: Any) -> None:
        name = identity(value)
        known = memory.get(name)
        if known is None or self._closing(*known) <= t:
            memory[name] = [t, None]

    def closed(self, memory: Cases, t: Instant, value: Any) -> None:
        known = memory.get(identity(value))
        if known is not None and known[1] is None:
            known[1] = t

    def value(self, memory: Cases, t: Instant, first_event: Instant | None) -> Instant | None:
        """Until when messages are held, as far as is known at `t`; None where they are not."""
        return max(self.holding(memory, t).values(), default=None)

    def holding(self, memory: Cases, t: Instant) -> dict[str, Instant]:
        """By case, until when it holds messages."""
        ends = {case: self._end(opened, closed) for case, (opened, closed) in memory.items()}
        return {case: end for case, end in ends.items() if end > t}

    def pack(self, memory: Cases, t: Instant) -> Any:
        kept = {case: span for case, span in memory.items() if self._end(*span) > t}
        return kept or None

    def unpack(self, packed: Any) -> Cases:
        return Cases({case: list(span) for case, span in packed.items()})

    def _end(self, opened: Instant, closed: Instant | None) -> Instant:
        return self._closing(opened, closed) + self._then_for

    def _closing(self, opened: Instant, closed: Instant | None) -> Instant:
        """A case that is not closed counts as closed after its longest time."""
        limit = opened + self._at_most
        return limit if closed is None else min(limit, closed)


class Latest:
    """When the latest of the events came, None while there was none."""

    __slots__ = ("at",)

    def __init__(self, at: Instant | None = None) -> None:
        self.at = at


class LatestKeeper(Keeper):
    """`kept_for` is how long after it the event can still matter."""

    def __init__(self, of: EventFilter, kept_for: Instant) -> None:
        self.keep = kept_for
        self.parts = (Part(of, "came"),)

    def start(self) -> Latest:
        return Latest()

    def came(self, memory: Latest, t: Instant) -> None:
        memory.at = t

    def value(self, memory: Latest, t: Instant, first_event: Instant | None) -> Instant | None:
        return memory.at

    def pack(self, memory: Latest, t: Instant) -> Any:
        return memory.at if memory.at is not None and memory.at > t - self.keep else None

    def unpack(self, packed: Any) -> Latest:
        return Latest(packed)
