"""A record of a history, as JSON text -> a fact. Every event of a history comes through here: it has to be quick.

All formats arrive as the same JSON Lines (rules.md, History files for `backtest`), so that a history decides
the same in whichever format it is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from foreword.backtest.errors import Broken
from foreword.domain import json_text
from foreword.domain.consent import Consents
from foreword.domain.errors import InvalidEvent
from foreword.domain.facts import FOREWORD, NO_DATA, OWN_TYPES, PREFERENCE_CHANGED, Fact
from foreword.domain.instants import HOUR, MINUTE, SECOND, Instant, parse_instant

ENVELOPE = ("source", "type", "id", "customer_id", "occurred_at", "retracts")
"""What a record says beside its `data`."""

SOURCE = "history"
"""Of every record that names none, unless its type is one of Foreword's own."""

_CUSTOMER_ID = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)
_HALF_A_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")
_REMEMBERED = 100_000
_TOLD = 20


class Decoder:
    """Reads records, remembering what recurs: customers, types, sources, days, times of day.

    `unknown` holds each key that is no part of an event, with the number of the first record that has it.
    """

    def __init__(self) -> None:
        self.unknown: dict[str, int] = {}
        self._times = Times()
        self._customers: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._shapes: set[tuple[str, ...]] = set()

    def fact(self, record: str, number: int) -> Fact:
        """Its `received_at` is its own time, its id, where it has none, `number`; raises Broken."""
        event = load(record)
        if type(event) is not dict:
            raise Broken("an event is a JSON object")
        shape = tuple(event)
        if shape not in self._shapes:
            self._look_at(shape, number)
        get = event.get
        try:
            customer_id = self._customers[get("customer_id")]
        except (KeyError, TypeError):  # not seen yet; a list is no key of a dictionary at all
            customer_id = self._customer(get("customer_id"))
        try:
            kind = self._texts[get("type")]
        except (KeyError, TypeError):
            kind = self._text("type", get("type"))
        at = self._times.instant(get("occurred_at"))
        id, source, data, retracts = get("id"), get("source"), get("data"), get("retracts")
        if source is None:
            source = FOREWORD if kind in OWN_TYPES else SOURCE
        else:
            try:
                source = self._texts[source]
            except (KeyError, TypeError):
                source = self._text("source", source)
        if type(id) is not str or not id:
            id = str(number) if id is None else _id("id", id)
        if type(data) is not dict:
            if data is not None:
                raise Broken(f"data {_instead(data, 'a JSON object')}")
            data = NO_DATA
        if retracts is not None:
            retracts = _id("retracts", retracts)
        fact = Fact(source, id, kind, customer_id, at, at, data, retracts)
        if kind == PREFERENCE_CHANGED:
            _check_choice(fact)
        return fact

    def _look_at(self, shape: tuple[str, ...], number: int) -> None:
        for key in shape:
            if key != "data" and key not in ENVELOPE and len(self.unknown) < _TOLD:
                self.unknown.setdefault(key, number)
        if len(self._shapes) < _REMEMBERED:
            self._shapes.add(shape)

    def _customer(self, value: Any) -> str:
        text = customer_text(value)
        if len(self._customers) >= _REMEMBERED:
            self._customers.clear()
        return self._customers.setdefault(text, text)

    def _text(self, name: str, value: Any) -> str:
        if type(value) is not str or not value:
            raise Broken(f"{name} {_instead(value, 'text')}")
        if len(self._texts) >= _REMEMBERED:
            self._texts.clear()
        return self._texts.setdefault(value, value)


class Times:
    """RFC 3339 by its parts, each of which is read once and looked up from then on."""

    def __init__(self) -> None:
        self._days: dict[str, int] = {}
        self._minutes: dict[str, int] = {}
        self._seconds: dict[str, int] = {}
        self._rests: dict[str, int] = {}

    def instant(self, text: Any) -> Instant:
        """Of `occurred_at`; raises Broken."""
        try:
            return (
                self._days[text[:10]]
                + self._minutes[text[10:16]]
                + self._seconds[text[16:19]]
                + self._rests[text[19:]]
            )
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
            if len(self._rests) >= _REMEMBERED:
                self._rests.clear()
            day, minute, second, rest = text[:10], text[10:16], text[16:19], text[19:]
            if day not in self._days:
                self._days[day] = parse_instant(f"{day}T00:00:00Z")
            self._minutes[minute] = int(minute[1:3]) * HOUR + int(minute[4:]) * MINUTE
            self._seconds[second] = int(second[1:]) * SECOND
            self._rests[rest] = at - self._days[day] - self._minutes[minute] - self._seconds[second]
        return at


def load(record: str) -> Any:
    """The JSON value of a record, every number an int or the Decimal of its text; raises Broken."""
    try:
        value, end = _scan(record, 0)
    except (StopIteration, ValueError, InvalidOperation, RecursionError):
        return _load_with_care(record)
    deep = record.count("{") + record.count("[") > json_text.MAX_DEPTH
    escaped = "\\ud" in record or "\\uD" in record
    return _load_with_care(record) if deep or escaped or end != len(record) else value


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


def _load_with_care(record: str) -> Any:
    """Once more, for whatever is not plain: to say what is wrong with it, or that it is right after all."""
    try:
        value = json_text.loads(record)
    except json.JSONDecodeError as error:
        raise Broken(f"not JSON: {error.msg} at column {error.colno}") from None
    except ValueError as error:
        raise Broken(f"not JSON: {error}") from None
    if _HALF_A_CHARACTER.search(record):
        try:
            json_text.dumps(value).encode()
        except UnicodeEncodeError:
            message = "not JSON: an escape like \\ud800 without its other half stands for no character"
            raise Broken(message) from None
    return value


def _check_choice(fact: Fact) -> None:
    """A gate reads it, not only rules."""
    try:
        Consents(fact.customer_id).merge(fact)
    except InvalidEvent as error:
        raise Broken(error.detail) from None


def _id(name: str, value: Any) -> str:
    if type(value) is int:
        return str(value)
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


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


_scan = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse).scan_once
