"""Signals of different values: when each of them was seen last."""

from __future__ import annotations

from typing import Any

from foreword.domain.between import Between
from foreword.domain.errors import NeedsJournal
from foreword.domain.instants import Duration, Instant
from foreword.domain.rulebook import DistinctSignal, FirstTimeSignal
from foreword.domain.signals.packing import LONGEST_IDENTITY, identity, pack_times, unpack_times
from foreword.domain.signals.tracker import Part, Tracker

MOST_VALUES = 60
"""A stored memory holds the most recently seen values, where no threshold says how many are enough."""

_WORTH_DROPPING = 8
"""Values that left the window are forgotten many at a time."""


class Seen:
    """`latest` by value. `covered` is when a value seen at the instant `at` had been seen before that instant.

    `gone_through` is when the newest value was seen that was let go, if any; `first_at` the instant at which a
    value was seen for the first time. (Defaults of the class: one is made for every customer.)
    """

    at: Instant | None = None
    gone_through: Instant | None = None
    first_at: Instant | None = None

    def __init__(self) -> None:
        self.latest: dict[str, Instant] = {}
        self.covered: dict[str, Instant | None] = {}

    def see(self, t: Instant, value: Any) -> Instant | None:
        """When the value was seen before."""
        name = f'"{value}' if type(value) is str and len(value) < LONGEST_IDENTITY else identity(value)
        latest = self.latest
        before = latest.pop(name, None)
        covered = self.covered
        if self.at != t:
            self.at = t
            covered.clear()
            covered[name] = before
        elif name not in covered:
            covered[name] = before
        latest[name] = t  # last in the dictionary: it stays in order of time
        return before


class SeenTracker(Tracker):
    def __init__(self, within: Duration, enough: int | None) -> None:
        self.within = self.keep = within
        self._most = MOST_VALUES if enough is None else enough

    def start(self) -> Seen:
        return Seen()

    def prune(self, memory: Seen, t: Instant) -> None:
        lo = t - self.keep
        while memory.latest:
            oldest = next(iter(memory.latest))
            if memory.latest[oldest] >= lo:
                break
            del memory.latest[oldest]
        if memory.gone_through is not None and memory.gone_through < lo:
            memory.gone_through = None

    def pack(self, memory: Seen, t: Instant) -> Any:
        self.prune(memory, t)
        # What was seen at this very instant may be covered up just before it: as many must stand before.
        most = self._most + (len(memory.covered) if memory.at == t else 0)
        while len(memory.latest) > most:
            oldest = next(iter(memory.latest))
            memory.gone_through = memory.latest.pop(oldest)
        if not memory.latest and memory.gone_through is None:
            return None
        packed: dict[str, Any] = {"v": list(memory.latest), "t": pack_times(list(memory.latest.values()))}
        if memory.at == t:
            packed["c"] = [memory.at, dict(memory.covered)]
        if memory.gone_through is not None:
            packed["g"] = memory.gone_through
        if memory.first_at == t:
            packed["f"] = t
        return packed

    def unpack(self, packed: Any) -> Seen:
        memory = Seen()
        memory.latest = dict(zip(packed["v"], unpack_times(packed["t"]), strict=True))
        memory.gone_through = packed.get("g")
        memory.first_at = packed.get("f")
        if "c" in packed:
            memory.at, covered = packed["c"]
            memory.covered = dict(covered)
        return memory


class DistinctTracker(SeenTracker):
    number = True
    defined = True

    def __init__(self, signal: DistinctSignal, retention: Duration, enough: int | None = None) -> None:
        super().__init__(signal.within or retention, enough)
        self.parts = (Part(signal.of, "add", "value", signal.value),)

    def add(self, memory: Seen, t: Instant, value: Any) -> None:
        memory.see(t, value)

    def value(self, memory: Seen, t: Instant, first_event: Instant | None) -> Any:
        latest, lo = memory.latest, t - self.within
        n = len(latest)
        for seen in latest.values():
            if seen > lo:
                break
            n -= 1
        if n + _WORTH_DROPPING < len(latest):
            self.prune(memory, t)
        gone = memory.gone_through
        return n if gone is None or gone <= lo else Between(n, None)

    def before(self, memory: Seen, t: Instant, first_event: Instant | None) -> Any:
        lo = t - self.within
        n = 0
        for name, seen in memory.latest.items():
            stood = memory.covered.get(name) if seen == t and memory.at == t else seen
            n += stood is not None and stood >= lo
        gone = memory.gone_through
        return n if gone is None or gone < lo else Between(n, None)


class FirstTimeTracker(SeenTracker):
    """A moment: an event whose value was not seen before in the window."""

    moment = True
    defined = True

    def __init__(self, signal: FirstTimeSignal, retention: Duration) -> None:
        super().__init__(signal.within or retention, None)
        self.parts = (Part(signal.of, "add", "value", signal.value),)

    def add(self, memory: Seen, t: Instant, value: Any) -> None:
        before = memory.see(t, value)
        lo = t - self.within
        if before is not None and before > lo:
            return
        if before is None and memory.gone_through is not None and memory.gone_through > lo:
            raise NeedsJournal("whether the value was seen before is not kept")
        memory.first_at = t

    def value(self, memory: Seen, t: Instant, first_event: Instant | None) -> Any:
        return bool(memory.first_at == t)

    def before(self, memory: Seen, t: Instant, first_event: Instant | None) -> Any:
        return False
