"""A record of a history, as JSON text -> a fact. Every event of a history comes through here: it has to be quick.

All formats arrive as the same JSON Lines (rules.md, History files for `backtest`), so that a history decides
the same in whichever format it is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn, TypeVar

from foreword.backtest.errors import Broken
from foreword.backtest.spool import REFUSED
from foreword.domain import json_text
from foreword.domain.consent import Consents
from foreword.domain.errors import InvalidEvent
from foreword.domain.facts import CUSTOMER_UPDATED, FOREWORD, NO_DATA, OWN_TYPES, PREFERENCE_CHANGED, Fact
from foreword.domain.instants import HOUR, MINUTE, SECOND, Instant, parse_instant

ENVELOPE = ("source", "type", "id", "customer_id", "occurred_at", "retracts")
"""What a record says beside its `data`."""

SOURCE = "history"
"""Of every record that names none, unless its type is one of Foreword's own."""

_CUSTOMER_ID = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)
_KEYS = frozenset((*ENVELOPE, "data"))
_NOT_JSON = (StopIteration, ValueError, InvalidOperation, RecursionError)
_REMEMBERED = 100_000
_TOLD = 20

T = TypeVar("T")


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
        text = b"\n".join(records).decode(errors="surrogateescape")
        texts = text.split("\n")
        # Two braces a record: where there are not many more in all, none can be nested deep.
        careful = _may_be_odd(text, 2 * len(texts) + json_text.MAX_DEPTH - 2)
        customers, types, sources, times = self._customers, self._types, self._sources, self._times
        days, minutes, seconds, rests = times.days, times.minutes, times.seconds, times.rests
        make, scan = tuple.__new__, _scan
        for number, record in zip(numbers, texts, strict=True):
            try:
                event, end = scan(record, 0)
                get = event.get
                kind, when, data = event["type"], event["occurred_at"], event["data"]
                customer_id, own_source = customers[event["customer_id"]], types[kind]
                id, source = get("id"), get("source")
                at = days[when[:10]] + minutes[when[10:16]] + seconds[when[16:19]] + rests[when[19:]]
                keys = 4
                if source is None:
                    source = own_source
                else:
                    source = sources[source]
                    keys += 1
                if id is None:
                    id = str(number)
                else:
                    keys += 1
                plain = len(event) == keys and end == len(record) and type(data) is dict and type(id) is str
                if plain and id and not (careful and _may_be_odd(record)):
                    yield make(Fact, (source, id, kind, customer_id, at, at, data, None))
                    continue
            except (KeyError, TypeError, AttributeError, *_NOT_JSON):
                pass
            try:
                yield self.fact(record, number)
            except Broken as error:
                broken.append((number & ~REFUSED, str(error)))

    def fact(self, record: str, number: int) -> Fact:
        """Its `received_at` is its own time, its id, where it has none, `number`; raises Broken."""
        event = load_record(record, number)
        if not isinstance(event, dict):
            raise Broken("an event is a JSON object")
        for key in event.keys() - _KEYS:
            if len(self.unknown) < _TOLD:
                self.unknown.setdefault(key, number)
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
        self.days: dict[str, int] = {}
        self.minutes: dict[str, int] = {}
        self.seconds: dict[str, int] = {}
        self.rests: dict[str, int] = {}

    def instant(self, text: Any) -> Instant:
        """Of `occurred_at`; raises Broken."""
        try:
            return (
                self.days[text[:10]]
                + self.minutes[text[10:16]]
                + self.seconds[text[16:19]]
                + self.rests[text[19:]]
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
            day, minute, second, rest = text[:10], text[10:16], text[16:19], text[19:]
            if day not in self.days:
                self.days[day] = parse_instant(f"{day}T00:00:00Z")
            self.minutes[minute] = int(minute[1:3]) * HOUR + int(minute[4:]) * MINUTE
            self.seconds[second] = int(second[1:]) * SECOND
            _remember(self.rests, rest, at - self.days[day] - self.minutes[minute] - self.seconds[second])
        return at


def load_record(record: str, number: int) -> Any:
    """The same of a record that may have been REFUSED already, for the reason that it then is."""
    if number & REFUSED:
        raise Broken(record)
    return load(record)


def load(record: str) -> Any:
    """The JSON value of a record, every number an int or the Decimal of its text; raises Broken."""
    try:
        value, end = _scan(record, 0)
    except _NOT_JSON:
        return _load_with_care(record)
    return _load_with_care(record) if end != len(record) or _may_be_odd(record) else value


def _may_be_odd(text: str, braces: int = json_text.MAX_DEPTH) -> bool:
    """Nested too deep, or with half a character in it: its escape, or what stands for a byte that is not UTF-8."""
    deep = text.count("{") + text.count("[") > braces
    return deep or "\\ud" in text or "\\uD" in text or not (text.isascii() or _is_text(text))


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


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
    if not _is_text(record):
        raise Broken("not UTF-8 text")
    try:
        value = json_text.loads(record)
    except json.JSONDecodeError as error:
        raise Broken(f"not JSON: {error.msg} at column {error.colno}") from None
    except ValueError as error:
        raise Broken(f"not JSON: {error}") from None
    if not _is_text(json_text.dumps(value)):
        raise Broken("not JSON: an escape like \\ud800 without its other half stands for no character")
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


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


_decoder: Any = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse)
_scan: Callable[[str, int], tuple[Any, int]] = _decoder.scan_once
