"""Records on disk, those of one customer together: what makes the memory of a backtest the customers', not the
events'.

Records are put in as they come and come out by bucket, in the order in which they went in. A bucket lies in the
file as extents: the records, a line each, and their numbers behind.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple
from zlib import crc32

REFUSED = 1 << 63
"""Added to a record's number: it was found to be none already, and what is kept is the reason."""

HELD = 32 * 1024 * 1024
"""Bytes of records that wait in memory before they are written, all buckets together."""


class Extent(NamedTuple):
    """`size` bytes of `records` from `offset` on."""

    offset: int
    size: int
    records: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where some customers' records lie; small, and sent to whichever process reads them."""

    path: Path
    extents: tuple[Extent, ...]

    @property
    def size(self) -> int:
        return sum(extent.size for extent in self.extents)

    def pieces(self) -> Iterator[tuple[Sequence[int], list[bytes]]]:
        """Numbers and records, in the order of the file and some megabytes at a time."""
        if not self.extents:
            return
        with self.path.open("rb") as file:
            for extent in self.extents:
                file.seek(extent.offset)
                records = file.read(extent.size).split(b"\n")
                numbers = array("Q")
                numbers.frombytes(file.read(extent.records * numbers.itemsize))
                yield numbers, records

    def records(self) -> Iterator[tuple[int, bytes]]:
        """The same, one by one."""
        for numbers, records in self.pieces():
            yield from zip(numbers, records, strict=True)


class Spool:
    """`put` each record, then ask for the `buckets`. A record holds no newline."""

    def __init__(self, path: Path, buckets: int, held: int = HELD) -> None:
        self.path = path
        self._most = held
        self.count = 0
        self._file: BinaryIO = path.open("wb")
        self._records: list[list[bytes]] = [[] for _ in range(buckets)]
        self._numbers = [array("Q") for _ in range(buckets)]
        self._extents: list[list[Extent]] = [[] for _ in range(buckets)]
        self._held = 0

    def put(self, key: bytes, number: int, record: bytes) -> None:
        """Records of one `key` come together; `number` is given back with the record."""
        bucket = self.bucket_of(key)
        self._records[bucket].append(record)
        self._numbers[bucket].append(number)
        self._count(1, len(record))

    def put_all(self, keys: Sequence[bytes], first: int, records: Sequence[bytes]) -> None:
        """The same for records numbered from `first` on."""
        buckets, all_records, all_numbers = len(self._records), self._records, self._numbers
        for number, (key, record) in enumerate(zip(keys, records, strict=True), first):
            bucket = crc32(key) % buckets
            all_records[bucket].append(record)
            all_numbers[bucket].append(number)
        self._count(len(records), sum(map(len, records)))

    def bucket_of(self, key: bytes) -> int:
        return crc32(key) % len(self._records)

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def buckets(self) -> list[Bucket]:
        """All of them, also those that are empty. Raises OSError where the disk is full."""
        self._write()
        self._file.flush()
        return [Bucket(self.path, tuple(extents)) for extents in self._extents]

    def _count(self, records: int, held: int) -> None:
        self.count += records
        self._held += held
        if self._held >= self._most:
            self._write()

    def _write(self) -> None:
        for records, numbers, extents in zip(self._records, self._numbers, self._extents, strict=True):
            if not records:
                continue
            offset = self._file.tell()
            size = self._file.write(b"\n".join(records))
            self._file.write(numbers.tobytes())
            extents.append(Extent(offset, size, len(numbers)))
            records.clear()
            del numbers[:]
        self._held = 0
