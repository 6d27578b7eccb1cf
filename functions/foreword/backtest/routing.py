"""The first reading of a file: each record goes to its customer's bucket, and is looked at no closer than that.

What is wrong with a record is found when its bucket is read (`decode`). Where its customer cannot be told, the
record lies in some bucket all the same, to be named there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import msgspec

from foreword.backtest.csv_rows import read_csv
from foreword.backtest.decode import ENVELOPE, customer_text, load, text_of
from foreword.backtest.errors import Broken, CannotBacktest
from foreword.backtest.files import TOO_LONG, Advance, Format, format_of, read_lines
from foreword.backtest.spool import REFUSED
from foreword.backtest.tables import Row, event_record, profile_record

_ROWS_AT_ONCE = 1000

Batch: TypeAlias = tuple[Sequence[int], Sequence[bytes]]
"""Numbers and records; where a number is REFUSED, its record is the reason."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds: the columns that a table of it must have, those always text, and a row as a record."""

    needed: tuple[str, ...]
    texts: frozenset[str]
    record: Callable[[Row], str]


EVENTS = Content(("customer_id", "occurred_at", "type"), frozenset(ENVELOPE), event_record)
PROFILES = Content(("customer_id",), frozenset({"customer_id"}), profile_record)


class Sink(Protocol):
    def put_all(self, keys: Sequence[bytes], numbers: Sequence[int], records: Sequence[bytes]) -> None:
        """The key of a record is its customer; of one that was REFUSED already, the record is the reason."""


class Strict:
    """A sink that raises CannotBacktest at the first broken record, in the order of the file."""

    def __init__(self, sink: Sink, path: Path, decode: Callable[[str, int], Any]) -> None:
        self._sink = sink
        self._path = path
        self._decode = decode

    def put_all(self, keys: Sequence[bytes], numbers: Sequence[int], records: Sequence[bytes]) -> None:
        for number, record in zip(numbers, records, strict=True):
            try:
                self._decode(text_of(record), number)
            except Broken as error:
                raise CannotBacktest(f"{self._path}:{number & ~REFUSED}: {error}") from None
        self._sink.put_all(keys, numbers, records)


class _Head(msgspec.Struct, gc=False):
    """What is looked at of a record: whose it is, and the text of its time."""

    customer_id: str
    occurred_at: str = ""


_decode_head = msgspec.json.Decoder(_Head).decode
_NO_HEAD = _Head("")


def route(
    path: Path,
    content: Content,
    sink: Sink,
    advance: Advance,
    see: Callable[[Sequence[str]], None] = lambda _: None,
) -> None:
    """Puts every record of the file into `sink`, and shows the times of many at a time to `see`.

    Raises CannotBacktest.
    """
    lines = format_of(path) is Format.JSONL
    for numbers, records in _lines(path, advance) if lines else _rows(path, content, advance):
        heads = [_head(record) for record in records]
        see([head.occurred_at for head in heads])
        sink.put_all([head.customer_id.encode() for head in heads], numbers, records)


def _head(record: bytes) -> _Head:
    try:
        return _decode_head(record)
    except (ValueError, RecursionError):
        return _careful_head(record)


def _careful_head(record: bytes) -> _Head:
    """A customer may be a number; of what is no record there is none."""
    try:
        value = load(text_of(record))
        if not isinstance(value, dict):
            return _NO_HEAD
        at = value.get("occurred_at")
        return _Head(customer_text(value.get("customer_id")), at if isinstance(at, str) else "")
    except Broken:
        return _NO_HEAD


def _lines(path: Path, advance: Advance) -> Iterator[Batch]:
    """Those that are not blank."""
    first = 1
    for lines in read_lines(path, advance):
        records = [line for line in lines if line and not line.isspace()]
        numbers: Sequence[int] = range(first, first + len(lines))
        if len(records) < len(lines):
            kept = [
                (number, line) if line is not None else (number | REFUSED, TOO_LONG.encode())
                for number, line in enumerate(lines, first)
                if line is None or line.strip()
            ]
            numbers, records = [number for number, _ in kept], [line for _, line in kept]
        if records:
            yield numbers, records
        first += len(lines)


def _rows(path: Path, content: Content, advance: Advance) -> Iterator[Batch]:
    rows = (_record(number, row, content) for number, row in _read_table(path, content, advance))
    while batch := list(islice(rows, _ROWS_AT_ONCE)):
        yield [number for number, _ in batch], [record for _, record in batch]


def _record(number: int, row: Row | Broken, content: Content) -> tuple[int, bytes]:
    if isinstance(row, Broken):
        return number | REFUSED, str(row).encode()
    try:
        return number, content.record(row).encode()
    except Broken as error:
        return number | REFUSED, str(error).encode()


def _read_table(path: Path, content: Content, advance: Advance) -> Iterator[tuple[int, Row | Broken]]:
    if format_of(path) is Format.CSV:
        return read_csv(path, content.needed, content.texts, advance)
    from foreword.backtest.parquet_rows import read_parquet  # DuckDB takes its time to load

    return read_parquet(path, content.needed, content.texts, advance)
