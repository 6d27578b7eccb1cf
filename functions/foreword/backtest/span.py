"""The clock of a backtest: from the history's first event to its last one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from foreword.backtest.decode import Times
from foreword.backtest.errors import Broken
from foreword.domain.instants import Instant


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

    def see(self, texts: Sequence[str]) -> None:
        """Some records' times; of a record that has none, an empty text."""
        # In UTC and without its mark, text order is time order ("09:00:00" < "09:00:00.5"): two stand for all.
        if {text[-1:] for text in texts} == {"Z"}:
            utc = [text[:-1] for text in texts]
            times = self._instants([f"{min(utc)}Z", f"{max(utc)}Z"])
            if len(times) == 2:
                self.span |= Span(*times)
                return
        times = self._instants(texts)
        self.span |= Span(min(times, default=None), max(times, default=None))

    def _instants(self, texts: Iterable[str]) -> list[Instant]:
        times = []
        for text in texts:
            try:
                times.append(self._times.instant(text))
            except Broken:
                continue
        return times
