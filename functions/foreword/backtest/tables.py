"""Rows of tables, as CSV and Parquet have them -> the same JSON text that a line of JSON Lines holds.

A row is its cells by column, each the JSON text of its value; a cell without a value is left out. So a number
keeps its source text on the whole way. The column `data` holds the text of a JSON object as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from json.encoder import encode_basestring as json_string
from typing import TypeAlias

from foreword.backtest.decode import ENVELOPE, load
from foreword.backtest.errors import Broken, CannotBacktest

Row: TypeAlias = dict[str, str]

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_BEGINS_A_NUMBER = frozenset("-0123456789")

DATA = "data"


def check_columns(where: str, columns: Sequence[str], needed: Collection[str]) -> None:
    """Raises CannotBacktest where one of those needed is missing, or one stands twice."""
    for name in needed:
        if name not in columns:
            raise CannotBacktest(
                f"{where}: no column {name!r}; there are: {', '.join(map(repr, columns)) or 'none'}"
            )
    for name in columns:
        if columns.count(name) > 1:
            raise CannotBacktest(f"{where}: two columns are named {name!r}")


def text_cell(cell: str) -> str:
    """The JSON text of a cell that is not empty: a JSON number is that number, anything else is text."""
    return cell if cell[0] in _BEGINS_A_NUMBER and _NUMBER.fullmatch(cell) else json_string(cell)


def event_record(row: Row) -> str:
    """The event of a row: what is not of the envelope is data, and a column `data` wins; raises Broken."""
    parts = [f'"{name}":{row[name]}' for name in ENVELOPE if name in row]
    data = ",".join(f"{json_string(name)}:{text}" for name, text in row.items() if name not in _NO_DATA)
    inner = _inside(row)
    if data or inner:
        parts.append(f'"data":{{{data}{"," if data and inner else ""}{inner}}}')
    return f"{{{','.join(parts)}}}"


def profile_record(row: Row) -> str:
    """The profile of a row: its columns are attributes, and a column `data` wins; raises Broken."""
    parts = [f"{json_string(name)}:{text}" for name, text in row.items() if name != DATA]
    inner = _inside(row)
    return f"{{{','.join([*parts, inner] if inner else parts)}}}"


def _inside(row: Mapping[str, str]) -> str:
    """The members of the JSON object in `data`. The last one of a name counts, so they go behind all others."""
    text = row.get(DATA)
    if text is None:
        return ""
    try:
        value = load(text)
    except Broken as error:
        raise Broken(f"data: {error}") from None
    if value is None:
        return ""
    if not isinstance(value, dict):
        raise Broken("data is not a JSON object")
    # An object's text begins and ends with its braces once the blanks around it are gone; a newline in it is one.
    return text.replace("\n", " ").strip()[1:-1].strip()


_NO_DATA = frozenset((*ENVELOPE, DATA))
