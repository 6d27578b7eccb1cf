"""A bucket's records -> each customer's events, in order of time and each once.

The events of one instant keep the file's order, and of those with one source and id the first of the file counts
(rules.md, The command line).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import TypeAlias

from foreword.backtest.decode import Decoder, text_of
from foreword.backtest.errors import Broken
from foreword.backtest.span import Span
from foreword.backtest.spool import REFUSED, Bucket, Spool
from foreword.domain.facts import Fact
from foreword.domain.instants import Instant

IN_MEMORY = 16 * 1024 * 1024
"""Bytes of records that are made events of all at once; a larger bucket is sorted on disk."""

_READ_AHEAD = 256 * 1024

Read: TypeAlias = tuple[int, bytes, Fact]
"""A record's number, its text, and the event it is."""


@dataclass(slots=True)
class Found:
    """What was met while buckets were read: each event counted once, each broken record by its number and reason.

    `taken_back` counts the events that others retract; neither those nor these are among the events.
    """

    events: int = 0
    duplicates: int = 0
    taken_back: int = 0
    span: Span = field(default_factory=Span)
    broken: list[tuple[int, str]] = field(default_factory=list)


def histories(
    bucket: Bucket, decoder: Decoder, scratch: Path, until: Instant | None, found: Found
) -> Iterator[tuple[str, Sequence[Fact]]]:
    """Each customer of the bucket with the events up to `until`; `scratch` is a folder that may be written to.

    One customer's events have to be done with before the next one's are asked for.
    """
    read = _read(bucket, decoder, found)
    if bucket.size <= IN_MEMORY:
        customers = _sorted_in_memory(read, found)
    else:
        parts = bucket.size // IN_MEMORY + 1
        customers = _sorted_on_disk(_parts(read, scratch, parts), decoder, scratch, found)
    for customer_id, history in customers:
        ...


def _read(bucket: Bucket, decoder: Decoder, found: Found) -> Iterator[Read]:
    for number, record in bucket.records():
        try:
            if number & REFUSED:
                raise Broken(record.decode())
            yield number, record, decoder.fact(text_of(record), number)
        except Broken as error:
            found.broken.append((number & ~REFUSED, str(error)))


