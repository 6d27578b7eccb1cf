"""Schedules with a rate fire on whole multiples of it (a minute's schedule on every full minute).

Which of them is worth running is the cloud's question (see `LocalCloud.advance`): the time of the next tick is
asked with the time from which one is wanted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from foreword.local.account import ACCOUNT, REGION
from foreword.local.deploy.stack import Schedule

Accept: TypeAlias = Callable[[str, Mapping[str, Any], datetime], None]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ScheduleSource:
    """One schedule; what it starts is an asynchronous invocation."""

    def __init__(self, schedule: Schedule, accept: Accept, deployed: datetime) -> None:
        self.schedule = schedule
        self._accept = accept
        self._next = self._after(deployed)

    def skip(self, until: datetime) -> None:
        """The ticks up to then that nobody wanted will not be run late."""
        self._next = max(self._next, self._after(until))

    def next_tick(self, wanted: datetime) -> datetime:
        """The first tick not yet run at or after `wanted`."""
        return max(self._next, _rounded_up(wanted, self.schedule.every))

    def fire(self, tick: datetime, now: datetime) -> None:
        self._next = tick + self.schedule.every
        self._accept(self.schedule.function_arn, self._event(tick), now)

    def _after(self, when: datetime) -> datetime:
        return _rounded_up(when + timedelta(microseconds=1), self.schedule.every)

    def _event(self, tick: datetime) -> dict[str, Any]:
        scheduled = tick.strftime("%Y-%m-%dT%H:%M:%SZ")
        execution = str(UUID(int=int(tick.timestamp()), version=4))
        if self.schedule.input is not None:
            text = (
                self.schedule.input.replace("<aws.scheduler.scheduled-time>", scheduled)
                .replace("<aws.scheduler.schedule-arn>", self.schedule.arn)
                .replace("<aws.scheduler.execution-id>", execution)
                .replace("<aws.scheduler.attempt-number>", "1")
            )
            event: dict[str, Any] = json.loads(text)
            return event
        return {
            "version": "0",
            "id": execution,
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": ACCOUNT,
            "time": scheduled,
            "region": REGION,
            "resources": [self.schedule.arn],
            "detail": "{}",
        }


def _rounded_up(when: datetime, every: timedelta) -> datetime:
    return _EPOCH + -((_EPOCH - when) // every) * every
