"""The clock of a backtest: from the history's first event to its last one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from foreword.backtest.decode import Times
from foreword.backtest.errors import Broken
from foreword.domain.instants import Instant

_TIME = re.compile(rb'"occurred_at": ?"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Span:
    """The times of the first and the last event; both None where there is none."""

    first: Instant | None = None
    last: Instant | None = None

    def __or__(self, other: Span) -> Span:
        firsts = [first for first in (self.first, other.first) if first is not None]
        lasts = [last for last in (self.last, other.last) if last is not None]
        return Span(min(firsts, default=None), max(lasts, default=None))


class SpanGuess:
    """What the span will be, told from the records' text before any of them is read as an event.

    Nearly always right, and then every customer's clock starts and ends where it must without a reading of its own.
    Where it is not (a record at either end may be broken), that is seen when all events have been read.
    """

    def __init__(self) -> None:
        self.span = Span()
        self._times = Times()

    def see(self, records: bytes) -> None:
        texts = _TIME.findall(records)
        if not texts:
            return
        # In UTC text order is time order, near enough for a guess, and two times stand for all.
        in_utc = {text[-1:] for text in texts} == {b"Z"}
        times = self._instants((min(texts), max(texts)) if in_utc else texts)
        if len(times) < 2:
            times = self._instants(texts)
        self.span |= Span(min(times, default=None), max(times, default=None))

    def _instants(self, texts: Iterable[bytes]) -> list[Instant]:
        times = []
        for text in texts:
            try:
                times.append(self._times.instant(text.decode("ascii", "replace")))
            except Broken:
                continue
        return times
