"""Keep what a customer brings to the comparisons of the periods that go on.

The close of a period is registered before the first value of it is kept, so that no value is ever without a close
that waits for it. Killed in between, a close finds no values, and ends at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from foreword.app.ports import Clock, PeerCloses, PeerStore
from foreword.domain.instants import Duration, Instant
from foreword.domain.peer_values import PeerValue, period_of
from foreword.domain.peers import Comparison, is_comparable
from foreword.domain.peers_closing import Close
from foreword.domain.peers_lines import value_line

MOST_BYTES = 256 * 1024
"""Of a value with all that its rule knows beside it; an item holds 400 KB."""


class KeepPeerValues:
    """The port `PeerValues`. `comparisons` are those of the published rulebook; it remembers what it registered."""

    def __init__(
        self,
        comparisons: Mapping[str, Comparison],
        settle: Duration,
        clock: Clock,
        closes: PeerCloses,
        store: PeerStore,
    ) -> None:
        self._comparisons = comparisons
        self._settle = settle
        self._clock = clock
        self._closes = closes
        self._store = store
        self._registered: set[Close] = set()

    def put(
        self, customer_id: str, values: Sequence[PeerValue], version: int, *, complete: bool = False
    ) -> int:
        now = self._clock.now()
        last: dict[Close, PeerValue] = {}
        for value in values:
            close = self._comparisons[value.rule].close_of(value.period)
            # What comes after the close does not reopen it.
            if is_comparable(value.value) and self._is_open(close, now):
                last[close] = value
        left_out = 0
        for close, value in last.items():
            line = value_line(value)
            if len(line.encode()) > MOST_BYTES:
                left_out += 1
                continue
            self._register(close, now)
            self._store.put_value(close, customer_id, line, version)
        if complete:
            for close in self._open_closes(now):
                if close not in last:
                    self._store.put_value(close, customer_id, None, version)
        return left_out

    def _is_open(self, close: Close, now: Instant) -> bool:
        return now < close.end + self._settle

    def _open_closes(self, now: Instant) -> Iterator[Close]:
        for comparison in self._comparisons.values():
            period = period_of(comparison.period, now)
            while self._is_open(close := comparison.close_of(period), now):
                yield close
                period -= comparison.period

    def _register(self, close: Close, now: Instant) -> None:
        if close not in self._registered:
            self._closes.register(close, close.end + self._settle)
            self._registered = {known for known in self._registered if self._is_open(known, now)} | {close}
