"""What a file of customers or of history says, record by record, as facts that decide nothing.

A customer's record is an object of attributes, with a few fields of their own:

    customer_id    whose it is
    updated_at     since when it stands, RFC 3339; the file's own time where it is left out
    preferences    choices, each {topic, channel, choice} and perhaps `at`
    suppressed     channels that must not be used: at the address given beside it, or at all where none is given

or an endpoint of Amazon Pinpoint (see cli.pinpoint). An event's record is that of `backtest`. A record without an
id is known by what it says: the same line again is the same fact, in whatever file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foreword.backtest.csv_rows import read_csv
from foreword.backtest.decode import customer_text, load, text_of
from foreword.backtest.errors import Broken
from foreword.backtest.files import TOO_LONG, Advance, read_lines
from foreword.backtest.profiles import choices_of
from foreword.backtest.tables import Row, event_record, profile_record
from foreword.cli.pinpoint import attributes_of, is_endpoint
from foreword.contracts.bus_events import BusEvents
from foreword.domain import json_text
from foreword.domain.addresses import ATTRIBUTES
from foreword.domain.errors import InvalidEvent
from foreword.domain.facts import ADDRESS_SUPPRESSED, CUSTOMER_UPDATED, PREFERENCE_CHANGED, Fact
from foreword.domain.instants import Instant, format_instant
from foreword.domain.rulebook import Channel
from foreword.domain.suppression import Cause, suppression

SOURCE = "import"
HISTORY = "history"
"""The source of an event that names none, as in `backtest`."""

_CUSTOMER = "customer_id"
_EVENT = frozenset(("source", "type", "id", _CUSTOMER, "occurred_at", "data", "retracts"))
_TEXTS = (_CUSTOMER, "id", "phone", "updated_at", "occurred_at", "retracts", "suppressed")


@dataclass(frozen=True, slots=True)
class Write:
    """One fact for the journal; `suppresses` is the entry that goes with it into the customer's suppressions."""

    fact: Fact
    suppresses: str | None = None


def read_records(path: Path, *, events: bool, advance: Advance) -> Iterator[tuple[int, str | Broken]]:
    """Each record's JSON text, with its line. CSV by its name, plain or gzipped; all else is JSON Lines.

    Raises CannotBacktest where the file cannot be read.
    """
    if path.name.lower().removesuffix(".gz").endswith(".csv"):
        needed = (_CUSTOMER, "occurred_at", "type") if events else (_CUSTOMER,)
        for number, row in read_csv(path, needed, _TEXTS, advance):
            yield number, row if isinstance(row, Broken) else _row(row, events=events)
        return
    number = 0
    for lines in read_lines(path, advance):
        for line in lines:
            number += 1
            if line is None:
                yield number, Broken(TOO_LONG)
            elif line.strip():
                yield number, _text(line)


class Records:
    """Makes facts of records; `bus_events` holds each against what the intake would."""

    def __init__(self, bus_events: BusEvents) -> None:
        self._bus_events = bus_events

    def event(self, record: str, now: Instant) -> list[Write]:
        """Raises Broken."""
        event = _object(record)
        unknown = sorted(event.keys() - _EVENT)
        if unknown:
            raise Broken(f"unknown field {unknown[0]!r}; what an event says of itself stands in data")
        source = event.get("source", HISTORY)
        detail = {
            name: event[name] for name in (_CUSTOMER, "occurred_at", "data", "retracts") if name in event
        }
        id = str(event["id"]) if "id" in event else f"{HISTORY}/{_digest(record)}"
        return [Write(self._fact(source, event.get("type"), {**detail, "id": id}, now))]

    def customer(self, record: str, standing_since: Instant, now: Instant) -> list[Write]:
        """The profile, the choices and the suppressions of a record; raises Broken."""
        fields = _object(record)
        if is_endpoint(fields):
            fields = attributes_of(fields)
        customer_id = customer_text(fields.pop(_CUSTOMER, None))
        at = fields.pop("updated_at", None) or format_instant(standing_since)
        name = _digest(record)
        preferences, channels = (
            choices_of(fields.pop("preferences", None)),
            _channels(fields.pop("suppressed", None)),
        )
        writes = [
            Write(self._preference(customer_id, choice, at, f"preference/{name}/{nth}", now))
            for nth, choice in enumerate(preferences)
        ]
        writes += [
            self._suppression(customer_id, channel, fields, at, f"suppressed/{name}/{channel}", now)
            for channel in channels
        ]
        if fields:
            writes.append(
                Write(self._own(CUSTOMER_UPDATED, customer_id, fields, at, f"customer/{name}", now))
            )
        return writes

    def _preference(self, customer_id: str, choice: Any, at: str, id: str, now: Instant) -> Fact:
        if not isinstance(choice, Mapping):
            raise Broken("preferences must be a list of {topic, channel, choice}")
        said = {name: value for name, value in choice.items() if name != "at"}
        return self._own(PREFERENCE_CHANGED, customer_id, said, choice.get("at", at), id, now)

    def _suppression(
        self, customer_id: str, channel: Channel, fields: Mapping[str, Any], at: str, id: str, now: Instant
    ) -> Write:
        said = {"channel": channel.value, "cause": Cause.IMPORTED.value}
        fact = self._own(ADDRESS_SUPPRESSED, customer_id, said, at, id, now)
        address = fields.get(ATTRIBUTES.get(channel, ""))
        entry = channel.value if address is None else suppression(customer_id, channel, str(address))
        return Write(fact, entry)

    def _own(
        self, kind: str, customer_id: str, data: Mapping[str, Any], at: str, id: str, now: Instant
    ) -> Fact:
        detail = {_CUSTOMER: customer_id, "occurred_at": at, "id": id, "data": data}
        return self._fact(SOURCE, kind, detail, now)

    def _fact(self, source: Any, kind: Any, detail: Mapping[str, Any], now: Instant) -> Fact:
        body = json_text.dumps({"source": source, "detail-type": kind, "detail": detail})
        try:
            return self._bus_events.parse(body, now)._replace(imported=True)
        except InvalidEvent as error:
            raise Broken(f"{error.reason}: {error.detail.replace('detail.', '')}") from None


def _object(record: str) -> dict[str, Any]:
    value = load(record)
    if not isinstance(value, dict):
        raise Broken("a record is a JSON object")
    return {name: one for name, one in value.items() if one is not None}


def _row(row: Row, *, events: bool) -> str | Broken:
    try:
        return event_record(row) if events else profile_record(row)
    except Broken as error:
        return error


def _text(line: bytes) -> str | Broken:
    try:
        return text_of(line)
    except Broken as error:
        return error


def _channels(value: Any) -> list[Channel]:
    """A list, or in a cell words: `email sms`."""
    words = value.replace(",", " ").split() if isinstance(value, str) else value or []
    try:
        return [Channel(word) for word in words]
    except (TypeError, ValueError):
        raise Broken(f"suppressed must name channels: {', '.join(Channel)}") from None


def _digest(record: str) -> str:
    """Of what the record says, however it is spaced."""
    return hashlib.sha256(json_text.dumps(load(record)).encode()).hexdigest()[:32]
