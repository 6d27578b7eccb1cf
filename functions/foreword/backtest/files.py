"""History files as they lie on disk: which format, plain or gzip, and their lines."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from itertools import chain
from pathlib import Path

from foreword.backtest.errors import CannotBacktest

LONGEST_LINE = 1024 * 1024
"""Bytes. No event is anywhere near as long; a file without newlines is not read into memory whole."""

TOO_LONG = f"longer than {LONGEST_LINE} bytes"

_CHUNK = 1024 * 1024
_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Format(StrEnum):
    JSONL = "JSON Lines"
    CSV = "CSV"
    PARQUET = "Parquet"


_FORMATS = {
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".csv": Format.CSV,
    ".parquet": Format.PARQUET,
}

Advance = Callable[[int], None]
"""Told how many bytes of a file have been read so far."""


def format_of(path: Path) -> Format:
    """By the file's name; raises CannotBacktest."""
    name = path.name.lower().removesuffix(".gz")
    found = _FORMATS.get(Path(name).suffix)
    if found is None or (found is Format.PARQUET and path.name.lower().endswith(".gz")):
        raise CannotBacktest(
            f"{path}: unknown format; a history is .jsonl, .ndjson or .csv, each also .gz, or .parquet"
        )
    return found


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """What goes wrong inside is that `path` cannot be read: raises CannotBacktest."""
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CannotBacktest(f"{path}: cannot be read: {reason}") from None


def size_of(path: Path) -> int:
    """In bytes, as it lies on disk; raises CannotBacktest."""
    with readable(path):
        return path.stat().st_size


def is_gzip(path: Path) -> bool:
    with readable(path), path.open("rb") as file:
        return file.read(2) == _GZIP


def read_lines(path: Path, advance: Advance) -> Iterator[list[bytes | None]]:
    """The file's lines, without their ends and many at a time; None for one that is too long to be read."""
    packed = is_gzip(path)
    with readable(path), path.open("rb") as raw, gzip.open(raw) if packed else raw as file:
        rest, skipping = b"", False
        beginning = file.read(len(_BYTE_ORDER_MARK)).removeprefix(_BYTE_ORDER_MARK)
        for chunk in chain([beginning], iter(lambda: file.read(_CHUNK), b"")):
            advance(raw.tell())
            lines: list[bytes | None] = list((rest + chunk).replace(b"\r\n", b"\n").split(b"\n"))
            rest = lines.pop() or b""
            if skipping and lines:
                lines[0], skipping = None, False
            if len(rest) > LONGEST_LINE:
                rest, skipping = b"", True
            if max(map(len, filter(None, lines)), default=0) > LONGEST_LINE:
                lines = [None if line is None or len(line) > LONGEST_LINE else line for line in lines]
            yield lines
        if skipping or rest:
            yield [None if skipping else rest.removesuffix(b"\r")]
