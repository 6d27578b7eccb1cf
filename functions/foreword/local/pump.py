"""The pump: takes what is due from source to function until nothing is left to do at this instant.

The order is always the same. In turns: every asynchronous invocation that is due, oldest first; then one batch of
each queue; then one batch of each stream, both in the template's order. It ends with a turn in which nothing was
due.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from foreword.local.clock import VirtualClock
from foreword.local.sources.asynchronous import AsynchronousInvocations
from foreword.local.sources.source import Source

# Far above any test's need: two functions that wake one another would otherwise run for ever.
LIMIT = 100_000


class DoesNotSettle(RuntimeError):
    """The functions kept one another busy."""


class Pump:
    def __init__(
        self, clock: VirtualClock, asynchronous: AsynchronousInvocations, mappings: Sequence[Source]
    ) -> None:
        self._clock = clock
        self._asynchronous = asynchronous
        self._mappings = mappings

    def settle(self) -> None:
        """Run everything that is due; raises DoesNotSettle after `LIMIT` steps."""
        steps = 0
        while (done := self._turn()) > 0:
            steps += done
            if steps > LIMIT:
                raise DoesNotSettle(f"still busy after {LIMIT} steps: do two functions wake one another?")

    def waits_until(self) -> datetime | None:
        """When the next retry, or message out of sight, comes due."""
        times = [source.waits_until() for source in (self._asynchronous, *self._mappings)]
        return min((time for time in times if time is not None), default=None)

    def _turn(self) -> int:
        done = 0
        while self._asynchronous.step(self._clock.now):
            done += 1
        return done + sum(source.step(self._clock.now) for source in self._mappings)
