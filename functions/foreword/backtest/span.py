"""The clock of a backtest: from the history's first event to its last one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from foreword.backtest.decode import Times
from foreword.backtest.errors import Broken
from foreword.domain.instants import Instant

_TIME = re.compile(rb'"occurred_at": ?"([^"]*)"')
_UTC = re.compile(rb'"occurred_at": ?"([^"]*)Z"')


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
        # In UTC and without its mark, text order is time order ("09:00:00" < "09:00:00.5"): two stand for all.
        texts = _UTC.findall(records)
        if texts and len(texts) == records.count(b'"occurred_at"'):
            times = self._instants([min(texts) + b"Z", max(texts) + b"Z"])
            if len(times) == 2:
                self.span |= Span(*times)
                return
        times = self._instants(_TIME.findall(records))
        self.span |= Span(min(times, default=None), max(times, default=None))

    def _instants(self, texts: Iterable[bytes]) -> list[Instant]:
        times = []
        for text in texts:
            try:
                times.append(self._times.instant(text.decode("ascii", "replace")))
            except Broken:
                continue
        return times
