"""The local cloud: Foreword's committed template, running in this process, under virtual time.

    with LocalCloud(at="2026-03-02T09:00:00Z") as cloud:
        cloud.emit("SupportContacted", "customer-1", {"channel": "phone"}, source="support")
        cloud.advance(by=timedelta(days=1))
        assert cloud.sent_to("ada@example.com")[0].subject == "..."

Tables, queues, bus, SES and SNS are moto's, mended (see mends/); what wakes a function, and what happens when it
fails, is our pump's (see pump.py and sources/). Nothing leaves the process.

What it is not: IAM and resource policies are not enforced, nothing is encrypted, functions run one at a time and
never time out, and batching windows do not wait.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from foreword.domain.instants import format_instant, to_instant
from foreword.local import metrics, project
from foreword.local.account import ACCOUNT, REGION
from foreword.local.clock import VirtualClock, moment
from foreword.local.faults import Faults
from foreword.local.machine import assembled
from foreword.local.mends.expiry import expire_items
from foreword.local.records import (
    BusEvent,
    DeadLetter,
    Invocation,
    Quarantined,
    Record,
    SentMessage,
    Tick,
)
from foreword.local.sources.http import HttpResponse
from foreword.local.sources.mail_events import Kind
from foreword.local.sources.schedules import ScheduleSource

START = "2026-03-02T09:00:00Z"


class Refused(RuntimeError):
    """The bus did not accept an event; says AWS's code and message."""


class LocalCloud:
    """A context manager; its records stay readable after it ends.

    `rulebook`, `messages`, `schemas` and `mappings` are folders, by default those of the project; `published` is a
    folder of documents that were published already, in place of the four. `every_tick` runs each minute's tick;
    otherwise those minutes are skipped in which no item of a `due` index is due, because such a tick finds nothing
    to do.
    """

    def __init__(
        self,
        *,
        at: datetime | str = START,
        template: Path | None = None,
        rulebook: Path | None = None,
        messages: Path | None = None,
        schemas: Path | None = None,
        mappings: Path | None = None,
        published: Path | None = None,
        every_tick: bool = False,
    ) -> None:
        ours = project.find()
        self._start = moment(at)
        self._template = template or ours.template
        self._sources = (rulebook or ours.rulebook, messages or ours.messages, schemas or ours.schemas)
        self._mappings = mappings or ours.mappings
        self._published = published
        self._every_tick = every_tick
        self._listeners: list[Callable[[Record], None]] = []
        self._emitted = self._told = 0
        self.faults = Faults()
        self.timeline: list[Record] = []

    def __enter__(self) -> LocalCloud:
        with ExitStack() as opening:
            folder = Path(opening.enter_context(tempfile.TemporaryDirectory(prefix="foreword-")))
            task_root = self._task_root(folder)
            self._clock = opening.enter_context(VirtualClock(self._start))
            self._machine = opening.enter_context(
                assembled(self._clock, self._template, task_root, self.faults, self._happened)
            )
            self._events = boto3.client("events")
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    # ---- what happens

    def emit(
        self,
        type: str,
        customer_id: str,
        data: Mapping[str, Any] | None = None,
        *,
        source: str = "test",
        id: str | None = None,
        occurred_at: datetime | str | None = None,
        retracts: str | None = None,
    ) -> str:
        """Put an event on Foreword's bus as another service would, and let it have its effect; returns its id."""
        self._emitted += 1
        event_id = id or f"event-{self._emitted:04d}"
        when = moment(occurred_at) if occurred_at is not None else self.now
        detail = {
            "id": event_id,
            "customer_id": customer_id,
            "occurred_at": format_instant(to_instant(when)),
            "data": dict(data or {}),
        }
        if retracts is not None:
            detail["retracts"] = retracts
        entry = {"Source": source, "DetailType": type, "Detail": json.dumps(detail)}
        (answer,) = self.put_events([entry])
        if "ErrorCode" in answer:
            raise Refused(f"{type} {event_id}: {answer['ErrorCode']}: {answer['ErrorMessage']}")
        return event_id

    def put_events(self, entries: Sequence[Mapping[str, Any]], settle: bool = True) -> list[dict[str, Any]]:
        """Raw PutEvents entries (at most ten, 256 KB), on Foreword's bus unless they say another.

        Returns AWS's answer to each: an EventId, or an ErrorCode and ErrorMessage.
        """
        named: Any = [{"EventBusName": self.bus_name, **entry} for entry in entries]
        answers = self._events.put_events(Entries=named)["Entries"]
        if settle:
            self.settle()
        return [dict(answer) for answer in answers]

    def settle(self) -> None:
        """Run functions until nothing is left to do at this instant; what waits for a later time waits on."""
        self._machine.pump.settle()

    def advance(self, *, by: timedelta | None = None, to: datetime | str | None = None) -> None:
        """Move the clock, running ticks, retries and what follows from them in the order of their times."""
        if (by is None) == (to is None):
            raise TypeError("say either by=timedelta(...) or to=<a time>")
        target = moment(to) if to is not None else self.now + (by or timedelta())
        if target < self.now:
            raise ValueError(f"time does not run backwards: it is {self.now}, not yet {target}")
        self.settle()
        while (when := self._next(target)) is not None:
            self._clock.advance_to(when)
            for schedule in self._machine.schedules:
                self._fire(schedule, when)
            self.settle()
        for schedule in self._machine.schedules:
            schedule.skip(target)
        self._clock.advance_to(target)
        self.settle()

    def feedback(self, message: SentMessage, kind: Kind) -> None:
        """SES reports of `message`, e.g. "Bounce"; sent and delivered are reported by themselves."""
        self._machine.tell_feedback(message, self._machine.stack.environment("CONFIGURATION_SET"), kind)
        self.settle()

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: str | bytes = "",
    ) -> HttpResponse:
        """Ask the HTTP API, by a whole address or a path like "/p/...", and let it have its effect."""
        response = self._machine.http.request(method, url, headers or {}, body, self.now)
        self.settle()
        return response

    def sms_failed(self, message: SentMessage, why: str) -> None:
        """SNS logs that `message`, a text message, was not delivered, in its own words; delivered ones are logged
        by themselves."""
        self._machine.sms.log(message, why, self.now)
        self.settle()

    def reply(self, number: str, text: str) -> None:
        """A customer answers by text message, as to a number with two-way SMS."""
        self._machine.sms.reply(number, text, self.now)
        self.settle()

    def expire_items(self) -> int:
        """Let DynamoDB delete what is past its TTL, as it does some time within days; returns how many."""
        expired = expire_items()
        self.settle()
        return expired

    # ---- what happened

    @property
    def now(self) -> datetime:
        """Virtual time, in UTC."""
        return self._clock.now

    @property
    def bus_name(self) -> str:
        return self._machine.stack.buses[0]

    @property
    def sent(self) -> list[SentMessage]:
        """What the providers accepted, in order."""
        return [record for record in self.timeline if isinstance(record, SentMessage)]

    def sent_to(self, address: str) -> list[SentMessage]:
        """By e-mail address or phone number."""
        return [message for message in self.sent if message.to == address]

    @property
    def bus_events(self) -> list[BusEvent]:
        """Every event Foreword's bus accepted, in order."""
        events = [record for record in self.timeline if isinstance(record, BusEvent)]
        return [event for event in events if event.bus == self.bus_name]

    @property
    def invocations(self) -> list[Invocation]:
        return [record for record in self.timeline if isinstance(record, Invocation)]

    @property
    def quarantined(self) -> list[Quarantined]:
        return [record for record in self.timeline if isinstance(record, Quarantined)]

    @property
    def dead_letters(self) -> dict[str, list[DeadLetter]]:
        """What was given up, by queue."""
        queues: dict[str, list[DeadLetter]] = {}
        for record in self.timeline:
            if isinstance(record, DeadLetter):
                queues.setdefault(record.queue, []).append(record)
        return queues

    def table(self, name: str) -> list[dict[str, Any]]:
        """The items of "activity", "customers", "messages" or "consents", as plain Python values."""
        return self._machine.tables.items(name)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The contact history: the items of "messages" but for the ledgers and counters of the policy."""
        return [item for item in self.table("messages") if not item["message_id"].startswith(" ")]

    @property
    def tasks(self) -> list[Mapping[str, Any]]:
        """What the topic for tasks handed to whoever subscribes, as the bus worded it."""
        return [event for _, event in self._machine.published]

    def deployed(self, variable: str) -> str:
        """An environment variable of whichever function has it, e.g. "PREFERENCES_URL"."""
        value = self._machine.stack.environment(variable)
        if value is None:
            raise LookupError(f"no function has the variable {variable}")
        return value

    @property
    def table_names(self) -> Mapping[str, str]:
        """The deployed tables' own names, by "activity", "customers" and so on."""
        return self._machine.tables.names

    def typed_table(self, name: str) -> list[dict[str, Any]]:
        """The same items as the DynamoDB client gives them: {"name": {"S": "Ada"}}."""
        return self._machine.tables.typed_items(name)

    def metrics(self, **dimensions: str) -> Counter[str]:
        """The sum of each metric the functions published, e.g. metrics(service="record_activity")."""
        return metrics.totals((one.logs for one in self.invocations), dimensions)

    @property
    def opted_out_numbers(self) -> list[str]:
        """The account's SMS opt-out list; append a number, and SNS refuses it."""
        numbers: list[str] = sns_backends[ACCOUNT][REGION].opt_out_numbers
        return numbers

    @property
    def suppressed_addresses(self) -> list[str]:
        """SES's suppression list of the account, which is read once a day; append an address."""
        return self._machine.suppressed_addresses

    def waiting(self) -> int:
        """How many messages wait in queues that feed a function, seen or out of sight."""
        queues = sqs_backends[ACCOUNT][REGION].queues
        return sum(len(queues[mapping.queue]._messages) for mapping in self._machine.stack.queue_mappings)

    def on(self, callback: Callable[[Record], None]) -> None:
        """Call `callback` with each record of the timeline, in order: those of an invocation when it has ended,
        so that a callback never runs with a function's environment and stdout."""
        self._listeners.append(callback)

    # ---- inside

    def _happened(self, record: Record) -> None:
        self.timeline.append(record)
        if not self._machine.runtime.busy:
            self._tell()

    def _tell(self) -> None:
        while self._told < len(self.timeline):
            record = self.timeline[self._told]
            self._told += 1
            for listener in self._listeners:
                listener(record)

    def _next(self, until: datetime) -> datetime | None:
        """The time of the next tick or retry that is due by `until`."""
        times = [self._machine.pump.waits_until()]
        times += [self._next_tick(schedule) for schedule in self._machine.schedules]
        return min((time for time in times if time is not None and time <= until), default=None)

    def _next_tick(self, schedule: ScheduleSource) -> datetime | None:
        wanted = self._clock.now if self._every_tick else self._machine.tables.next_due()
        return schedule.next_tick(wanted) if wanted is not None else None

    def _fire(self, schedule: ScheduleSource, when: datetime) -> None:
        if self._next_tick(schedule) == when:
            function = self._machine.stack.functions[schedule.schedule.function_arn]
            self._happened(Tick(self.now, function.name, when))
            schedule.fire(when, self.now)

    def _task_root(self, folder: Path) -> Path:
        """A folder with the published documents in it, as in the functions' code asset."""
        if self._published is not None:
            (folder / "published").symlink_to(self._published.resolve(), target_is_directory=True)
        else:
            from foreword.authoring.publish import publish

            publish(*self._sources, folder / "published", mappings=self._mappings)
        return folder
