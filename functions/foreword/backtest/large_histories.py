"""A bucket larger than memory, as where one customer has most of the events: sorted on disk, and read from there.

The bucket is taken apart once more, by the identity of its events. So each part can be rid of duplicates and sorted
in memory by itself; merging the parts then gives customer by customer, in order of time.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, islice, takewhile
from pathlib import Path
from typing import TypeAlias, overload

from foreword.backtest.decode import Decoder
from foreword.backtest.histories import Found, received_in_order
from foreword.backtest.spool import Bucket, Spool
from foreword.domain.facts import Fact
from foreword.domain.instants import Instant

_READ_AHEAD = 256 * 1024
_IN_A_LIST = 10_000
"""Events of a customer; where there are more, they are read from disk whenever they are gone through."""

Read: TypeAlias = tuple[int, bytes, Fact]
"""A record's number, its text, and the event it is."""

Key: TypeAlias = tuple[str, str, str]
"""Customer, source and id."""

Place: TypeAlias = tuple[str, Instant, int]
"""Customer, time and number: what the events are sorted by."""


def large_histories(
    bucket: Bucket, decoder: Decoder, scratch: Path, until: Instant | None, found: Found, in_memory: int
) -> Iterator[tuple[str, Sequence[Fact]]]:
    """What `histories.histories` gives, with no more than `in_memory` bytes of records made events at once.

    One customer's events have to be done with before the next one's are asked for. `scratch` is to be written in.
    """
    with Spool(scratch / "parts", bucket.size // in_memory + 1) as parts:
        for number, record, fact in _read(bucket, decoder, found.broken):
            own = _identity(fact.source, fact.id)
            parts.put(own, number, record)
            if fact.retracts is not None:
                taken_back = _identity(fact.source, fact.retracts)
                if parts.bucket_of(taken_back) != parts.bucket_of(own):
                    parts.put(taken_back, number, record)
        of_parts = parts.buckets()
    runs = []
    for index, part in enumerate(of_parts):
        with Spool(scratch / f"run-{index}", 1, _READ_AHEAD) as run:
            for (_, _, number), record in _sorted_once(_read(part, decoder, []), parts, index, found):
                run.put(b"", number, record)
            runs += run.buckets()
    merged = heapq.merge(*(_read(run, decoder, []) for run in runs), key=_place)
    for customer_id, group in groupby(merged, key=lambda read: read[2].customer_id):
        yield customer_id, found.counted(_history(group, decoder, scratch / "history", until))


def _read(bucket: Bucket, decoder: Decoder, broken: list[tuple[int, str]]) -> Iterator[Read]:
    for number, record in bucket.records():
        for fact in decoder.facts((number,), (record,), broken):
            yield number, record, fact


def _identity(source: str, id: str) -> bytes:
    return f"{source}\n{id}".encode()


def _place(read: Read) -> Place:
    return (read[2].customer_id, read[2].occurred_at, read[0])


def _sorted_once(reads: Iterable[Read], parts: Spool, index: int, found: Found) -> list[tuple[Place, bytes]]:
    """The first of each identity, where it is not taken back, with its record."""
    kept: dict[Key, tuple[Place, bytes] | None] = {}
    taken_back: set[Key] = set()
    for number, record, fact in reads:
        key = (fact.customer_id, fact.source, fact.id)
        if fact.retracts is not None:
            taken_back.add((fact.customer_id, fact.source, fact.retracts))
            if parts.bucket_of(_identity(fact.source, fact.id)) != index:
                continue  # here for what it takes back; its own place is elsewhere
        if key in kept:
            found.duplicates += 1
        else:
            kept[key] = None if fact.retracts is not None else (_place((number, record, fact)), record)
    found.taken_back += len(taken_back & kept.keys())
    return sorted(place for key, place in kept.items() if place is not None and key not in taken_back)


def _history(group: Iterator[Read], decoder: Decoder, path: Path, until: Instant | None) -> Sequence[Fact]:
    reads = takewhile(lambda read: until is None or read[2].occurred_at <= until, group)
    head = list(islice(reads, _IN_A_LIST))
    if len(head) < _IN_A_LIST:
        return list(received_in_order(fact for _, _, fact in head))
    with Spool(path, 1, _READ_AHEAD) as spool:
        for number, record, _ in chain(head, reads):
            spool.put(b"", number, record)
        (bucket,) = spool.buckets()
    return _OnDisk(bucket, decoder, spool.count)


class _OnDisk(Sequence[Fact]):
    """One customer's events, read anew whenever they are gone through."""

    def __init__(self, bucket: Bucket, decoder: Decoder, length: int) -> None:
        self._bucket = bucket
        self._decoder = decoder
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Fact]:
        return received_in_order(fact for _, _, fact in _read(self._bucket, self._decoder, []))

    @overload
    def __getitem__(self, index: int) -> Fact: ...
    @overload
    def __getitem__(self, index: slice) -> list[Fact]: ...
    def __getitem__(self, index: int | slice) -> Fact | list[Fact]:
        if isinstance(index, slice):
            return [self[at] for at in range(self._length)[index]]
        return next(islice(self, range(self._length)[index], None))
