"""What all trackers have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from foreword.domain.instants import Duration, Instant
from foreword.domain.rulebook import EventFilter, Expression

Memory = Any
"""Mutable, of the tracker's own kind: made by `start` or `unpack`, stored as the JSON value that `pack` gives."""


@dataclass(frozen=True, slots=True)
class Part:
    """An EVENT of a signal: what `take` does with a fact that matches.

    `takes` says what `take` is called with after the memory and the time: nothing, the `value` of an expression
    (left out where it is missing), or the fact itself with that value (None where it is missing). `otherwise`:
    not for a fact that the part before has taken.
    """

    of: EventFilter
    take: str
    takes: str = ""
    value: Expression | None = None
    otherwise: bool = False


class Keeper(ABC):
    """What is remembered of one customer's events, and what it says at a time.

    `first_event` is when the customer's first event of any type came, None while there is none.
    """

    parts: tuple[Part, ...]
    keep: Duration = 0

    @abstractmethod
    def start(self) -> Memory:
        """The memory of a customer of whom nothing is known."""

    @abstractmethod
    def value(self, memory: Memory, t: Instant, first_event: Instant | None) -> Any:
        """The value at `t`, None while undefined. `t` is never before the last fact."""

    @abstractmethod
    def pack(self, memory: Memory, t: Instant) -> Any:
        """A small JSON value for what can still matter from `t` on; None where nothing can."""

    @abstractmethod
    def unpack(self, packed: Any) -> Memory: ...


class Tracker(Keeper):
    """One signal, compiled: conditions ask what it was just before, too.

    A `moment` is true at its instant alone; `number` and `defined` are known beforehand.
    """

    moment: ClassVar[bool] = False
    number: ClassVar[bool] = False
    defined: ClassVar[bool] = False

    @abstractmethod
    def before(self, memory: Memory, t: Instant, first_event: Instant | None) -> Any:
        """The value in the limit just before `t`, whatever facts of the instant `t` were taken already."""


class Moment(Tracker):
    """True at the instant that its memory's `at` names."""

    moment = True
    defined = True

    def value(self, memory: Memory, t: Instant, first_event: Instant | None) -> Any:
        return bool(memory.at == t)

    def before(self, memory: Memory, t: Instant, first_event: Instant | None) -> Any:
        return False
