"""Keep what a customer brings to the comparisons of the periods that go on.

The close of a period is registered before the first value of it is kept, so that no value is ever without a close
that waits for it. Killed in between, a close finds no values, and ends at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from foreword.app.ports import Clock, PeerCloses, PeerStore
from foreword.domain.instants import Duration, Instant
from foreword.domain.peers import Comparison, PeerValue
from foreword.domain.peers_closing import Close


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
        self._registered: dict[Close, Instant] = {}

    def put(self, values: Sequence[PeerValue], version: int) -> None:
        last: dict[Close, PeerValue] = {}
        for value in values:
            close = self._comparisons[value.rule].close_of(value.period)
            if close not in last or last[close].at <= value.at:
                last[close] = value
        now = self._clock.now()
        for close, value in last.items():
            due_at = close.end + self._settle
            # What comes after the close does not reopen it.
            if now < due_at:
                self._register(close, due_at, now)
                self._store.put_value(close, value.customer_id, value.to_text(), version)

    def _register(self, close: Close, due_at: Instant, now: Instant) -> None:
        if close not in self._registered:
            self._closes.register(close, due_at)
            going_on = {known: due for known, due in self._registered.items() if now < due}
            self._registered = {**going_on, close: due_at}
