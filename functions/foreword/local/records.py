"""What happened in a local cloud, as plain values, each with its (virtual) time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias


@dataclass(frozen=True)
class BusEvent:
    """An event that a bus accepted. `detail` is what was in it, read as JSON."""

    at: datetime
    bus: str
    id: str
    source: str
    type: str
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class TableChange:
    """A write as the table's stream tells it: INSERT, MODIFY or REMOVE; items are plain (see `plain`)."""

    at: datetime
    table: str
    kind: str
    key: Mapping[str, Any]
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None


@dataclass(frozen=True)
class SentMessage:
    """What a provider accepted. `raw` is the e-mail as a file (.eml); an SMS has none of the e-mail's parts.

    `tags` are SES message tags, or the SMS's message attributes; `headers` those of the e-mail, by lower-case name.
    `customer` is the tag or header that names the customer, where there is one.
    """

    at: datetime
    channel: str
    to: str
    text: str
    provider_id: str
    subject: str | None = None
    html: str | None = None
    raw: bytes | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    customer: str | None = None


@dataclass(frozen=True)
class Invocation:
    """One run of a function. `error` as Lambda reports it ({errorType, errorMessage, ...}), None if it went well.

    `aws_calls` are (service, operation) as boto3 spells them, each attempt by itself; `logs` is what it wrote to
    stdout and stderr.
    """

    at: datetime
    function: str
    event: Mapping[str, Any]
    result: Any
    error: Mapping[str, Any] | None
    logs: str
    aws_calls: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class QueueMessage:
    """A message that came to rest in a queue nobody reads: quarantine, or a dead-letter queue."""

    at: datetime
    queue: str
    body: str
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> Any:
        """The body read as JSON, or the body itself where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body


@dataclass(frozen=True)
class Quarantined(QueueMessage):
    """An event that was refused, with its reason."""


@dataclass(frozen=True)
class DeadLetter(QueueMessage):
    """What was given up after its retries."""


@dataclass(frozen=True)
class Tick:
    """A schedule that fired; `scheduled_for` is its own time, which may be a little before `at`."""

    at: datetime
    function: str
    scheduled_for: datetime


Record: TypeAlias = BusEvent | TableChange | SentMessage | Invocation | Quarantined | DeadLetter | Tick
