"""The first reading of a file: each record goes to its customer's bucket, and is looked at no closer than that.

What is wrong with a record is found when its bucket is read (`decode`). Where its customer cannot be told, the
record lies in some bucket all the same, to be named there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from foreword.backtest.csv_rows import read_csv
from foreword.backtest.decode import ENVELOPE, customer_text, load, text_of
from foreword.backtest.errors import Broken, CannotBacktest
from foreword.backtest.files import TOO_LONG, Advance, Format, format_of, read_lines
from foreword.backtest.spool import REFUSED
from foreword.backtest.tables import Row, event_record, profile_record

_CUSTOMER = b'"customer_id"'
_CUSTOMER_OF_LINE = re.compile(rb'"customer_id": ?"([^"\n]*)"[^\n]*$', re.MULTILINE)
_NOBODY = b""
_ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds: the columns that a table of it must have, those always text, and a row as a record."""

    needed: tuple[str, ...]
    texts: frozenset[str]
    record: Callable[[Row], str]


EVENTS = Content(("customer_id", "occurred_at", "type"), frozenset(ENVELOPE), event_record)
PROFILES = Content(("customer_id",), frozenset({"customer_id"}), profile_record)


class Sink(Protocol):
    def put(self, key: bytes, number: int, record: bytes) -> None:
        """`key` is the customer; of a record that was REFUSED already, `record` is the reason."""

    def put_all(self, keys: Sequence[bytes], first: int, records: Sequence[bytes]) -> None:
        """The same for records numbered from `first` on."""


class Strict:
    """A sink that raises CannotBacktest at the first broken record, in the order of the file."""

    def __init__(self, sink: Sink, path: Path, decode: Callable[[str, int], Any]) -> None:
        self._sink = sink
        self._path = path
        self._decode = decode

    def put(self, key: bytes, number: int, record: bytes) -> None:
        try:
            self._decode(text_of(record), number)
        except Broken as error:
            raise CannotBacktest(f"{self._path}:{number & ~REFUSED}: {error}") from None
        self._sink.put(key, number, record)

    def put_all(self, keys: Sequence[bytes], first: int, records: Sequence[bytes]) -> None:
        for number, (key, record) in enumerate(zip(keys, records, strict=True), first):
            self.put(key, number, record)


def route(
    path: Path, content: Content, sink: Sink, advance: Advance, see: Callable[[bytes], None] = lambda _: None
) -> None:
    """Puts every record of the file into `sink`, and shows the text of many at a time to `see`.

    Raises CannotBacktest.
    """
    if format_of(path) is Format.JSONL:
        number = 1
        for lines in read_lines(path, advance):
            see(_route_lines(lines, number, sink))
            number += len(lines)
        return
    rows = _records(path, content, advance)
    while batch := list(islice(rows, _ROWS_AT_ONCE)):
        for customer, number, record in batch:
            sink.put(customer, number, record)
        see(b"\n".join(record for _, number, record in batch if not number & REFUSED))


def _route_lines(lines: Sequence[bytes | None], first: int, sink: Sink) -> bytes:
    """Gives their text back."""
    records = [line for line in lines if line]
    text = b"\n".join(records)
    customers = _CUSTOMER_OF_LINE.findall(text)
    # A line's one and only "customer_id", without escapes, is a key; or the line is no event at all.
    if len(customers) == len(lines) == text.count(_CUSTOMER) and b"\\" not in text:
        sink.put_all(customers, first, records)
        return text
    for number, line in enumerate(lines, first):
        if line is None:
            sink.put(_NOBODY, number | REFUSED, TOO_LONG.encode())
        elif line and not line.isspace():
            sink.put(_customer(line), number, line)
    return text


def _customer(record: bytes) -> bytes:
    try:
        value = load(text_of(record))
        return customer_text(value["customer_id"]).encode() if isinstance(value, dict) else _NOBODY
    except (Broken, KeyError):
        return _NOBODY


def _records(path: Path, content: Content, advance: Advance) -> Iterator[tuple[bytes, int, bytes]]:
    for number, row in _rows(path, content, advance):
        if isinstance(row, Broken):
            yield _NOBODY, number | REFUSED, str(row).encode()
            continue
        try:
            record = content.record(row).encode()
        except Broken as error:
            yield _NOBODY, number | REFUSED, str(error).encode()
        else:
            # A customer's text without its quotes: what would have been escaped in it, no customer's id may have.
            yield row.get("customer_id", "").strip('"').encode(), number, record


def _rows(path: Path, content: Content, advance: Advance) -> Iterator[tuple[int, Row | Broken]]:
    if format_of(path) is Format.CSV:
        return read_csv(path, content.needed, content.texts, advance)
    from foreword.backtest.parquet_rows import read_parquet  # DuckDB takes its time to load

    return read_parquet(path, content.needed, content.texts, advance)
