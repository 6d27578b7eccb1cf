"""Virtual time: it stands still unless somebody moves it, for every thread and every library of the process.

Each invocation of a function costs `INVOCATION`, so that what is received later has a later time; a `sleep`
inside a function moves the clock instead of waiting.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import TracebackType

import time_machine

from foreword.domain.instants import parse_instant, to_datetime

INVOCATION = timedelta(milliseconds=1)


def moment(when: datetime | str) -> datetime:
    """An aware datetime in UTC out of an aware datetime or RFC 3339 text; raises ValueError otherwise."""
    if isinstance(when, str):
        return to_datetime(parse_instant(when))
    if when.tzinfo is None:
        raise ValueError(f"{when!r} has no time zone: say datetime(..., tzinfo=UTC)")
    return when.astimezone(UTC)


class VirtualClock:
    """A context manager; only while it is entered is time virtual. Clocks nest like any context manager."""

    def __init__(self, start: datetime | str) -> None:
        self._travel = time_machine.travel(moment(start), tick=False)

    def __enter__(self) -> VirtualClock:
        self._traveller = self._travel.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._travel.stop()

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    def advance(self, by: timedelta) -> None:
        if by < timedelta(0):
            raise ValueError(f"time does not run backwards: {by}")
        self._traveller.shift(by)

    def advance_to(self, when: datetime) -> None:
        """Never backwards: a moment already past leaves the clock where it is."""
        if when > self.now:
            self._traveller.shift(when - self.now)

    def sleep(self, seconds: float) -> None:
        """What `time.sleep` is while a function runs."""
        self.advance(timedelta(seconds=seconds))
