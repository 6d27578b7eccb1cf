"""Customers who are put aside, each with a history: to be replayed again, perhaps several times.

They lie on disk and are read one event at a time, however long a history is.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, overload

from foreword.backtest.delivery import Customer
from foreword.domain.facts import Fact


@dataclass(frozen=True, slots=True)
class Aside:
    """`as_given`: nothing in the history changes the profile."""

    customer: Customer
    history: Sequence[Fact]
    as_given: bool


class AsideWriter:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def put(self, aside: Aside) -> None:
        customer, history = aside.customer, aside.history
        customer = Customer(customer.customer_id, customer.given, list(map(_plain, customer.told)))
        ends = (_plain(history[0]), _plain(history[-1])) if history else None
        pickle.dump((customer, aside.as_given, len(history), ends), self._file)
        for fact in history:
            pickle.dump(tuple(_plain(fact)), self._file)


class Asides:
    """Those of a file, by customer, found again by where they lie in it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[str, int] = {}
        with path.open("rb") as file:
            while True:
                place = file.tell()
                try:
                    customer, _, length, _ = pickle.load(file)  # noqa: S301  (written by this very backtest)
                except EOFError:
                    break
                self._places[customer.customer_id] = place
                for _ in range(length):
                    pickle.load(file)  # noqa: S301

    def __iter__(self) -> Iterator[Aside]:
        return map(self.of, self._places)

    def of(self, customer_id: str) -> Aside:
        with self._path.open("rb") as file:
            file.seek(self._places[customer_id])
            customer, as_given, length, ends = pickle.load(file)  # noqa: S301
            return Aside(customer, _Stored(self._path, file.tell(), length, ends), as_given)


class _Stored(Sequence[Fact]):
    """Read anew whenever it is gone through."""

    def __init__(self, path: Path, place: int, length: int, ends: tuple[Fact, Fact] | None) -> None:
        self._path = path
        self._place = place
        self._length = length
        self._ends = ends

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Fact]:
        with self._path.open("rb") as file:
            file.seek(self._place)
            for _ in range(self._length):
                yield Fact(*pickle.load(file))  # noqa: S301

    @overload
    def __getitem__(self, index: int) -> Fact: ...
    @overload
    def __getitem__(self, index: slice) -> list[Fact]: ...
    def __getitem__(self, index: int | slice) -> Fact | list[Fact]:
        if index in (0, -1) and self._ends is not None:
            return self._ends[0 if index == 0 else 1]
        return list(self)[index]


def _plain(fact: Fact) -> Fact:
    """With data that can be written down."""
    return fact._replace(data=dict(fact.data))
