"""A record of a history, as JSON text -> a fact. Every event of a history comes through here: it has to be quick.

All formats arrive as the same JSON Lines (rules.md, History files for `backtest`), so that a history decides
the same in whichever format it is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import msgspec

from foreword.backtest.errors import Broken
from foreword.backtest.spool import REFUSED
from foreword.domain import json_text
from foreword.domain.consent import Consents
from foreword.domain.errors import InvalidEvent
from foreword.domain.facts import CUSTOMER_UPDATED, FOREWORD, NO_DATA, OWN_TYPES, PREFERENCE_CHANGED, Fact
from foreword.domain.instants import MINUTE, SECOND, Instant, parse_instant

ENVELOPE = ("source", "type", "id", "customer_id", "occurred_at", "retracts")
"""What a record says beside its `data`."""

SOURCE = "history"
"""Of every record that names none, unless its type is one of Foreword's own."""

_CUSTOMER_ID = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)
_KEYS = frozenset((*ENVELOPE, "data"))
_NOT_JSON = (ValueError, InvalidOperation, RecursionError)
_REMEMBERED = 100_000
_TOLD = 20

T = TypeVar("T")


class _Plain(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A record as nearly all are; one of any other shape is refused, and read with care."""

    customer_id: str
    type: str
    occurred_at: str
    data: dict[str, Any] = {}
    source: str | None = None
    id: str | None = None


# Three times as fast as the standard library's, and as strict.
_decode_plain = msgspec.json.Decoder(_Plain, float_hook=Decimal).decode


class Decoder:
    """Reads records, remembering what recurs: customers, types, sources, days, times of day.

    `unknown` holds each key that is no part of an event, with the number of the first record that has it;
    `changes_profiles` tells whether there was any CustomerUpdated.
    """

    def __init__(self) -> None:
        self.unknown: dict[str, int] = {}
        self.changes_profiles = False
        self._types: dict[str, str] = {}  # each with the source of a record that names none
        self._times = Times()
        self._customers = _Customers()
        self._sources: dict[str, str] = {}

    def facts(
        self, numbers: Sequence[int], records: Sequence[bytes], broken: list[tuple[int, str]]
    ) -> Iterator[Fact]:
        """The events of some records, as `fact` gives them; the others are added to `broken` with their reason.

        Most records are plain, and read without a call: whatever is not goes to `fact`.
        """
        # Two braces a record: where there are not many more in all, none can be nested deep.
        careful = _braces(b"".join(records)) > 2 * len(records) + json_text.MAX_DEPTH - 2
        customers, types, sources, times = self._customers, self._types, self._sources, self._times
        hours, seconds, rests = times.hours, times.seconds, times.rests
        make, decode = tuple.__new__, _decode_plain
        for number, record in zip(numbers, records, strict=True):
            try:
                event = decode(record)
                kind, when, source, id = event.type, event.occurred_at, event.source, event.id
                customer_id, own_source = customers[event.customer_id], types[kind]
                at = hours[when[:13]] + seconds[when[13:19]] + rests[when[19:]]
                source = own_source if source is None else sources[source]
                if id is None:
                    id = str(number)
                if id and not (careful and _braces(record) > json_text.MAX_DEPTH):
                    yield make(Fact, (source, id, kind, customer_id, at, at, event.data, None, False))
                    continue
            except (KeyError, *_NOT_JSON):  # odd, or not seen before
                pass
            try:
                yield self.fact(text_of(record), number)
            except Broken as error:
                broken.append((number & ~REFUSED, str(error)))

    def fact(self, record: str, number: int) -> Fact:
        """Its `received_at` is its own time, its id, where it has none, `number`; raises Broken."""
        event = load_record(record, number)
        if not isinstance(event, dict):
            raise Broken("an event is a JSON object")
        for key in event.keys() - _KEYS:
            if key in self.unknown or len(self.unknown) < _TOLD:
                self.unknown[key] = min(number, self.unknown.get(key, number))
        kind, source, id = event.get("type"), event.get("source"), event.get("id")
        data, retracts = event.get("data"), event.get("retracts")
        customer_id = customer_text(event.get("customer_id"))
        kind = _text("type", kind)
        at = self._times.instant(event.get("occurred_at"))
        own_source = FOREWORD if kind in OWN_TYPES else SOURCE
        source = own_source if source is None else _text("source", source)
        id = str(number) if id is None else _text("id", str(id) if type(id) is int else id)
        if data is not None and not isinstance(data, dict):
            raise Broken(f"data {_instead(data, 'a JSON object')}")
        if retracts is not None:
            retracts = _text("retracts", str(retracts) if type(retracts) is int else retracts)
        fact = Fact(source, id, kind, customer_id, at, at, NO_DATA if data is None else data, retracts)
        if kind == PREFERENCE_CHANGED:
            _check_choice(fact)  # which is why this type is never remembered
        else:
            _remember(self._types, kind, own_source)
            self.changes_profiles = self.changes_profiles or kind == CUSTOMER_UPDATED
        _remember(self._sources, source, source)
        return fact


class _Customers(dict[str, str]):
    """Each id that is looked up and is one: a customer's events share its text."""

    def __missing__(self, id: Any) -> str:
        """Raises KeyError where it is none, to be told why elsewhere."""
        if type(id) is not str or _CUSTOMER_ID.fullmatch(id) is None:
            raise KeyError(id)
        _remember(self, id, id)
        return id


class Times:
    """RFC 3339 by its parts, each of which is read once and looked up from then on."""

    def __init__(self) -> None:
        self.hours: dict[str, int] = {}  # with their day
        self.seconds: dict[str, int] = {}  # with their minute
        self.rests: dict[str, int] = {}  # fraction and offset

    def instant(self, text: Any) -> Instant:
        """Of `occurred_at`; raises Broken."""
        try:
            return self.hours[text[:13]] + self.seconds[text[13:19]] + self.rests[text[19:]]
        except (KeyError, TypeError):  # not seen yet; no text
            return self._learn(text)

    def _learn(self, text: Any) -> Instant:
        if type(text) is not str:
            raise Broken(f"occurred_at {_instead(text, 'text')}")
        try:
            at = parse_instant(text)
        except ValueError as error:
            raise Broken(f"occurred_at: {error}") from None
        # At the calendar's ends a time is always read whole: its offset may push it out of the calendar.
        if not text.startswith(("0001", "9999")):
            hour, second, rest = text[:13], text[13:19], text[19:]
            if hour not in self.hours:
                _remember(self.hours, hour, parse_instant(f"{hour}:00:00Z"))
            self.seconds[second] = int(second[1:3]) * MINUTE + int(second[4:]) * SECOND
            _remember(self.rests, rest, at - self.hours[hour] - self.seconds[second])
        return at


def load_record(record: str, number: int) -> Any:
    """The same of a record that may have been REFUSED already, for the reason that it then is."""
    if number & REFUSED:
        raise Broken(record)
    return load(record)


def load(record: str) -> Any:
    """The JSON value of a record, every number an int or the Decimal of its text; raises Broken."""
    try:
        value = json_text.loads(record)
    except json.JSONDecodeError as error:
        raise Broken(f"not JSON: {error.msg} at column {error.colno}") from None
    except ValueError as error:
        raise Broken(f"not JSON: {error}") from None
    if "\\ud" in record or "\\uD" in record:
        try:
            json_text.dumps(value).encode()
        except UnicodeEncodeError:
            message = "not JSON: an escape like \\ud800 without its other half stands for no character"
            raise Broken(message) from None
    return value


def _braces(record: bytes) -> int:
    return record.count(b"{") + record.count(b"[")


def text_of(record: bytes) -> str:
    """Raises Broken where it is not UTF-8."""
    try:
        return record.decode()
    except UnicodeDecodeError:
        raise Broken("not UTF-8 text") from None


def customer_text(value: Any) -> str:
    """A customer's id, which is always text, a whole number's digits included; raises Broken."""
    if type(value) is int:
        value = str(value)
    if type(value) is not str:
        raise Broken(f"customer_id {_instead(value, 'text')}")
    if _CUSTOMER_ID.fullmatch(value) is None:
        raise Broken("customer_id must be 1 to 128 visible ASCII characters")
    return value


def _check_choice(fact: Fact) -> None:
    """A gate reads it, not only rules."""
    try:
        Consents(fact.customer_id).merge(fact)
    except InvalidEvent as error:
        raise Broken(error.detail) from None


def _remember(known: dict[str, T], text: str, value: T) -> None:
    if len(known) >= _REMEMBERED:
        known.clear()
    known[text] = value


def _text(name: str, value: Any) -> str:
    if type(value) is not str or not value:
        raise Broken(f"{name} {_instead(value, 'text')}")
    return value


def _instead(value: Any, needed: str) -> str:
    if value is None:
        return "is missing"
    if value == "":
        return "is empty"
    kinds = {bool: "a boolean", dict: "an object", list: "a list", str: "text"}
    return f"must be {needed}, not {kinds.get(type(value), 'a number')}"
