"""Signals that count: sorted times of events, as far back as the window reaches."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

from foreword.domain.between import Between, between
from foreword.domain.condition_values import ARITHMETIC
from foreword.domain.instants import SECOND, Duration, Instant
from foreword.domain.rulebook import CountSignal, RatioSignal
from foreword.domain.signals.packing import pack_times, unpack_times
from foreword.domain.signals.tracker import Part, Tracker

EXACT = 8
"""How many times a stored memory keeps one by one where no threshold says how many are enough."""

TILES = 45
"""A window's older times are counted by about this many tiles: two days each, in a window of 90 days."""

_WORTH_DROPPING = 32
"""Times that left the window are forgotten many at a time."""

Tile = list[int]
"""[from, through, how many]: that many times, each somewhere from `from` through `through`."""


class Times(list[Instant]):
    """`older` stands for times before the first one, let go to keep the state small. `covered` is what a reset of
    the instant `covered[0]` took away: it still counts just before that instant. (Defaults of the class: most
    customers have neither.)"""

    older: Sequence[Tile] = ()
    covered: tuple[Instant, list[Instant], Sequence[Tile]] | None = None


class Window:
    """Counting in windows of one length; `keep` is how far back anybody asks, `enough` how many decide."""

    def __init__(self, within: Duration, keep: Duration, enough: int | None) -> None:
        self.within = within
        self.keep = keep
        self.enough = enough
        self._width = max(keep // TILES, SECOND)

    def count(self, times: Times, t: Instant, lo: Instant) -> int | Between:
        """How many stand in (lo, t]."""
        n = bisect_right(times, t) - bisect_right(times, lo)
        return n if not times.older else _with_older(n, times.older, lo, t, closed=False)

    def count_before(self, times: Times, t: Instant, lo: Instant) -> int | Between:
        """How many stand in [lo, t)."""
        kept: list[Instant] = times
        older = times.older
        if times.covered is not None and times.covered[0] == t:
            _, kept, older = times.covered
        n = bisect_left(kept, t) - bisect_left(kept, lo)
        return n if not older else _with_older(n, older, lo, t, closed=True)

    def reset(self, times: Times, t: Instant) -> None:
        if times.covered is None or times.covered[0] != t:
            times.covered = (t, list(times), times.older)
        del times[:]
        times.older = ()

    def prune(self, times: Times, t: Instant) -> None:
        """Let go what nobody asks for any more: one at exactly t - keep is still in just before t."""
        lo = t - self.keep
        if times and times[0] < lo:
            del times[: bisect_left(times, lo)]
        if times.older and times.older[0][1] < lo:
            times.older = [tile for tile in times.older if tile[1] >= lo]

    def pack(self, times: Times, t: Instant) -> Any:
        self.prune(times, t)
        self._compact(times, t)
        packed: dict[str, Any] = {}
        if times:
            packed["t"] = pack_times(times)
        if times.older:
            packed["o"] = self._pack_tiles(times.older)
        if times.covered is not None and times.covered[0] == t:
            at, kept, older = times.covered
            packed["c"] = [at, pack_times(kept), self._pack_tiles(older)]
        if packed.keys() == {"t"}:
            return packed["t"]
        return packed or None

    def unpack(self, packed: Any) -> Times:
        if isinstance(packed, list):
            return Times(unpack_times(packed))
        times = Times(unpack_times(packed.get("t", [])))
        times.older = self._unpack_tiles(packed.get("o", []))
        if times.older and times and times.older[-1][1] > times[0]:
            times.older[-1][1] = times[0]  # what is older came no later than what is kept
        if "c" in packed:
            at, kept, older = packed["c"]
            times.covered = (at, unpack_times(kept), self._unpack_tiles(older))
        return times

    def _compact(self, times: Times, t: Instant) -> None:
        # What came at this very instant may be covered up just before it: as many must stand before.
        before = bisect_left(times, t)
        exact = EXACT if self.enough is None else self.enough
        excess = before - exact
        if excess <= 0:
            return
        older = [list(tile) for tile in times.older]
        for at in times[:excess]:
            last = older[-1] if older else None
            if self.enough is not None:
                older = [[at if last is None else last[0], at, 1 if last is None else last[2] + 1]]
                continue
            start = at // self._width * self._width
            if last is not None and last[0] == start:
                last[1], last[2] = max(last[1], at), last[2] + 1
            else:
                older.append([start, start + self._width - 1, 1])
        times.older = older
        del times[:excess]

    def _pack_tiles(self, tiles: Sequence[Tile]) -> list[int]:
        """Where a threshold decides, the one tile as it is; else the first tile's number, then how many in each."""
        if not tiles or self.enough is not None:
            return tiles[0] if tiles else []
        first = tiles[0][0] // self._width
        packed = [first] + [0] * (tiles[-1][0] // self._width - first + 1)
        for start, _, many in tiles:
            packed[1 + start // self._width - first] = many
        return packed

    def _unpack_tiles(self, packed: list[int]) -> list[Tile]:
        if not packed or self.enough is not None:
            return [packed] if packed else []
        starts = range(packed[0] * self._width, 2**62, self._width)
        return [
            [start, start + self._width - 1, many]
            for start, many in zip(starts, packed[1:], strict=False)
            if many
        ]


class CountTracker(Tracker):
    number = True
    defined = True

    def __init__(
        self, signal: CountSignal, retention: Duration, keep: Duration = 0, enough: int | None = None
    ) -> None:
        self.within = signal.within or retention
        self.keep = max(keep, self.within)
        self.window = Window(self.within, self.keep, enough)
        of = Part(signal.of, "add")
        self.resettable = signal.reset is not None
        # A reset event counts from the next one on, and is itself not counted.
        self.parts = (
            (of,)
            if signal.reset is None
            else (Part(signal.reset, "reset"), Part(signal.of, "add", otherwise=True))
        )

    start = Times

    def add(self, memory: Times, t: Instant) -> None:
        memory.append(t)

    def reset(self, memory: Times, t: Instant) -> None:
        self.window.reset(memory, t)

    def value(self, memory: Times, t: Instant, first_event: Instant | None) -> Any:
        lo = t - self.within
        gone = bisect_right(memory, lo)
        inside = len(memory) - gone
        if gone > _WORTH_DROPPING or memory.older:
            self.window.prune(memory, t)
        return self.window.count(memory, t, lo) if memory.older else inside

    def before(self, memory: Times, t: Instant, first_event: Instant | None) -> Any:
        return self.window.count_before(memory, t, t - self.within)

    def between(self, memory: Times, lo: Instant, hi: Instant) -> Any:
        """The value in (lo, hi]."""
        return self.window.count(memory, hi, lo)

    def between_before(self, memory: Times, lo: Instant, hi: Instant) -> Any:
        """The value in [lo, hi)."""
        return self.window.count_before(memory, hi, lo)

    def pack(self, memory: Times, t: Instant) -> Any:
        return self.window.pack(memory, t)

    def unpack(self, packed: Any) -> Times:
        return self.window.unpack(packed)


class Pair:
    """The times of both events of a ratio."""

    __slots__ = ("of", "to")

    def __init__(self, of: Times, to: Times) -> None:
        self.of = of
        self.to = to


class RatioTracker(Tracker):
    number = True

    def __init__(self, signal: RatioSignal, retention: Duration, keep: Duration = 0) -> None:
        self.within = signal.within or retention
        self.keep = max(keep, self.within)
        self.window = Window(self.within, self.keep, None)
        self._at_least = max(signal.at_least, 1)
        self.parts = (Part(signal.of, "add_of"), Part(signal.to, "add_to"))

    def start(self) -> Pair:
        return Pair(Times(), Times())

    def add_of(self, memory: Pair, t: Instant) -> None:
        memory.of.append(t)

    def add_to(self, memory: Pair, t: Instant) -> None:
        memory.to.append(t)

    def value(self, memory: Pair, t: Instant, first_event: Instant | None) -> Any:
        of, to, lo = memory.of, memory.to, t - self.within
        gone_of, gone_to = bisect_right(of, lo), bisect_right(to, lo)
        part, whole = len(of) - gone_of, len(to) - gone_to
        if gone_of + gone_to > _WORTH_DROPPING or of.older or to.older:
            self.window.prune(of, t)
            self.window.prune(to, t)
        if of.older or to.older:
            return self.between(memory, lo, t)
        return None if whole < self._at_least else ARITHMETIC.divide(part, whole)

    def before(self, memory: Pair, t: Instant, first_event: Instant | None) -> Any:
        return self.between_before(memory, t - self.within, t)

    def between(self, memory: Pair, lo: Instant, hi: Instant) -> Any:
        """The value in (lo, hi]."""
        return self._share(self.window.count(memory.of, hi, lo), self.window.count(memory.to, hi, lo))

    def between_before(self, memory: Pair, lo: Instant, hi: Instant) -> Any:
        """The value in [lo, hi)."""
        return self._share(
            self.window.count_before(memory.of, hi, lo), self.window.count_before(memory.to, hi, lo)
        )

    def pack(self, memory: Pair, t: Instant) -> Any:
        of, to = self.window.pack(memory.of, t), self.window.pack(memory.to, t)
        return None if of is None and to is None else [of or [], to or []]

    def unpack(self, packed: Any) -> Pair:
        of, to = packed
        return Pair(self.window.unpack(of), self.window.unpack(to))

    def _share(self, part: int | Between, whole: int | Between) -> Any:
        if whole < self._at_least:
            return None
        if type(part) is int and type(whole) is int:
            return ARITHMETIC.divide(part, whole)
        (part_low, part_high), (whole_low, whole_high) = _bounds(part), _bounds(whole)
        return between(ARITHMETIC.divide(part_low, whole_high), ARITHMETIC.divide(part_high, whole_low))


def _bounds(n: int | Between) -> tuple[Any, Any]:
    return (n.low, n.high) if isinstance(n, Between) else (n, n)


def _with_older(n: int, older: Sequence[Tile], lo: Instant, hi: Instant, *, closed: bool) -> int | Between:
    """`n` and what the tiles hold in (lo, hi], or in [lo, hi) where `closed`."""
    low = high = n
    for first, last, many in older:
        if (first >= lo and last < hi) if closed else (first > lo and last <= hi):
            low += many
            high += many
        elif (last >= lo and first < hi) if closed else (last > lo and first <= hi):
            high += many
    return low if low == high else Between(low, high)
