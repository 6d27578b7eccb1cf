"""Parquet as rows, through DuckDB, which reads a few thousand of them at a time."""

from __future__ import annotations

import glob
import math
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from json.encoder import encode_basestring as json_string
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb

from foreword.backtest.errors import Broken, CannotBacktest
from foreword.backtest.files import Advance, readable, size_of
from foreword.backtest.tables import DATA, Row, check_columns, text_cell
from foreword.domain.instants import format_instant, to_instant

_AT_ONCE = 4096
_FROM = "FROM read_parquet(?, binary_as_string = true, hive_partitioning = false)"
_NO_VALUE = frozenset({"BLOB", "BIT", "INTERVAL", "UNION", "VARIANT", "GEOMETRY"})
_TIME = "occurred_at"


def read_parquet(
    path: Path, needed: Collection[str], texts: Collection[str], advance: Advance
) -> Iterator[tuple[int, Row | Broken]]:
    """Each row with its number, counted from 1. The columns `texts` are always text.

    A cell of text is read as one of CSV is. A time without a zone is in UTC, a float its shortest decimal. Raises
    CannotBacktest where the file cannot be read, or its columns are not those needed.
    """
    size = size_of(path)
    with readable(path), path.open("rb"):  # what the system has against it is said in the system's words
        pass
    pattern = [glob.escape(str(path))]
    settings: dict[str, str | bool | int | float | list[str]] = {
        "threads": 1,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    try:
        with duckdb.connect(":memory:", config=settings) as database:
            described = database.execute("DESCRIBE SELECT * " + _FROM, pattern).fetchall()
            kinds = {name: str(kind) for name, kind, *_ in described}
            check_columns(str(path), list(kinds), needed)
            selected = ", ".join(_selected(path, name, kind, needed) for name, kind in kinds.items())
            (rows,) = database.execute("SELECT count(*) " + _FROM, pattern).fetchone() or (0,)
            database.execute(f"SELECT {selected} {_FROM}", pattern)
            done = 0
            while found := database.fetchmany(_AT_ONCE):
                for number, values in enumerate(found, done + 1):
                    yield number, _row(kinds, values, texts)
                done += len(found)
                advance(size * done // rows)
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise CannotBacktest(f"{path}: cannot be read as Parquet: {reason}") from None


def _selected(path: Path, name: str, kind: str, needed: Collection[str]) -> str:
    """The SQL of a column as Python can have it without loss."""
    column = '"' + name.replace('"', '""') + '"'
    if kind.startswith("TIMESTAMP") and not kind.endswith("]"):
        utc = f"timezone('UTC', {column})" if kind.endswith("TIME ZONE") else f"{column}::TIMESTAMP"
        return f"replace(strftime({utc}, '%Y-%m-%dT%H:%M:%S.%fZ'), '.000000Z', 'Z')"
    if name == _TIME and name in needed and kind != "VARCHAR":
        raise CannotBacktest(f"{path}: column {name!r} must hold timestamps, or times as text, not {kind}")
    if kind in _NO_VALUE:
        raise CannotBacktest(f"{path}: column {name!r} holds {kind} values, which no event can hold")
    return (
        f"{column}::VARCHAR::DOUBLE" if kind == "FLOAT" else column
    )  # the shortest decimal of 32 bits, not of 64


def _row(kinds: dict[str, str], values: tuple[Any, ...], texts: Collection[str]) -> Row | Broken:
    row: Row = {}
    for name, value in zip(kinds, values, strict=True):
        try:
            text = _text(value) if name in texts else _cell(name, value)
        except Broken as error:
            return Broken(f"{name} {error}")
        if text is not None:
            row[name] = text
    return row


def _text(value: Any) -> str | None:
    """13093 and 13093.0 are both the text 13093: pandas makes floats of whole numbers where some are missing."""
    if value is None or value == "" or value != value:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json_string(str(value))


def _cell(name: str, value: Any) -> str | None:
    if not isinstance(value, str):
        return _json(value)
    if not value:
        return None
    return value if name == DATA else text_cell(value)


def _json(value: Any) -> str | None:
    """None where the value is missing. Raises Broken where JSON has none like it."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return json_string(value)
        case float() if math.isnan(value):
            return None
        case float() | Decimal() if math.isfinite(value):
            return str(value)
        case datetime():
            aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
            return json_string(format_instant(to_instant(aware)))
        case date() | time() | UUID():
            return json_string(str(value))
        case dict():
            members = ((json_string(str(name)), _json(member)) for name, member in value.items())
            return "{" + ",".join(f"{name}:{text}" for name, text in members if text is not None) + "}"
        case list() | tuple():
            return "[" + ",".join(_json(element) or "null" for element in value) + "]"
        case _:
            raise Broken(f"is {value}, which no event can hold")
