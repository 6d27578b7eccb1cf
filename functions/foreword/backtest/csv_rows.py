"""CSV as rows. Python's own reader, record by record: each that is broken can be named by its line, and a quote
that is never closed costs its own line, not the rest of the file.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Collection, Iterator
from json.encoder import encode_basestring as json_string
from pathlib import Path
from typing import TypeAlias

from foreword.backtest.decode import text_of
from foreword.backtest.errors import Broken, CannotBacktest
from foreword.backtest.files import TOO_LONG, Advance, read_lines
from foreword.backtest.tables import DATA, Row, check_columns, text_cell

_MOST_LINES = 100
"""Of one record, whose cells may hold newlines."""

Line: TypeAlias = tuple[int, bytes | None]


def read_csv(
    path: Path, needed: Collection[str], texts: Collection[str], advance: Advance
) -> Iterator[tuple[int, Row | Broken]]:
    """Each record with the number of its first line. The columns `texts` are always text.

    Raises CannotBacktest where the file cannot be read, or its columns are not those needed.
    """
    records = _Records(path, advance)
    number, header = next(records, (1, []))
    if isinstance(header, Broken):
        raise CannotBacktest(f"{path}:{number}: {header}")
    check_columns(f"{path}:{number}", header, needed)
    for number, cells in records:
        if isinstance(cells, list) and len(cells) != len(header):
            cells = records.refuse(f"{len(cells)} cells, where the header has {len(header)}")
        yield number, cells if isinstance(cells, Broken) else _row(header, cells, texts)


def _row(header: list[str], cells: list[str], texts: Collection[str]) -> Row:
    return {
        name: cell if name == DATA else json_string(cell) if name in texts else text_cell(cell)
        for name, cell in zip(header, cells, strict=True)
        if cell
    }


class _Records:
    """Iterates over the records, each with the number of its first line; blank lines are none."""

    def __init__(self, path: Path, advance: Advance) -> None:
        self._lines = _Lines(path, advance)
        self._reader = csv.reader(self._lines, strict=True)

    def __iter__(self) -> Iterator[tuple[int, list[str] | Broken]]:
        return self

    def __next__(self) -> tuple[int, list[str] | Broken]:
        while True:
            self._lines.taken.clear()
            try:
                cells = next(self._reader)
            except (csv.Error, Broken) as error:
                return self._lines.taken[0][0], self.refuse(str(error))
            if cells:
                return self._lines.taken[0][0], cells

    def refuse(self, reason: str) -> Broken:
        """The last record was none: what it took beyond its first line is read again as records of their own."""
        self._lines.give_back()
        return Broken(reason)


class _Lines:
    """What the reader is fed; `taken` are the lines of the record that it is at."""

    def __init__(self, path: Path, advance: Advance) -> None:
        self.taken: list[Line] = []
        self._returned: deque[Line] = deque()
        self._numbered: Iterator[Line] = enumerate(
            (line for lines in read_lines(path, advance) for line in lines), 1
        )

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= _MOST_LINES:
            raise Broken(f"a quote is not closed within {_MOST_LINES} lines")
        number, line = self._returned.popleft() if self._returned else next(self._numbered)
        self.taken.append((number, line))
        if line is None:
            raise Broken(TOO_LONG if len(self.taken) == 1 else f"a quote is not closed before line {number}")
        return text_of(line) + "\n"

    def give_back(self) -> None:
        self._returned.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]
