"""Signals of the latest event: its value, the time since it, or that it happened at this very instant."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from foreword.domain import json_text
from foreword.domain.instants import Duration, Instant
from foreword.domain.rulebook import EachSignal, LastSignal, SinceSignal
from foreword.domain.signals.tracker import Moment, Part, Tracker


class Latest:
    """The latest event, and the latest of an earlier instant, which stands just before it; None for none."""

    __slots__ = ("at", "at_before", "value", "value_before")

    def __init__(self) -> None:
        self.at: Instant | None = None
        self.value: Any = None
        self.at_before: Instant | None = None
        self.value_before: Any = None

    def see(self, t: Instant, value: Any = None) -> None:
        if self.at != t:
            self.at_before, self.value_before = self.at, self.value
            self.at = t
        self.value = value


class LatestKeeper(Tracker):
    def __init__(self, within: Duration) -> None:
        self.within = self.keep = within

    def start(self) -> Latest:
        return Latest()

    def add(self, memory: Latest, t: Instant, value: Any = None) -> None:
        if not isinstance(
            value, datetime | timedelta
        ):  # no value of an event, and none that a state can hold
            memory.see(t, value)

    def pack(self, memory: Latest, t: Instant) -> Any:
        if memory.at is None or memory.at < t - self.keep:
            return None
        packed = [memory.at, self._pack_value(memory.value)]
        if memory.at == t and memory.at_before is not None and memory.at_before >= t - self.keep:
            packed += [memory.at_before, self._pack_value(memory.value_before)]
        return packed

    def unpack(self, packed: Any) -> Latest:
        memory = Latest()
        if len(packed) == 4:
            memory.see(packed[2], self._unpack_value(packed[3]))
        memory.see(packed[0], self._unpack_value(packed[1]))
        return memory

    def _pack_value(self, value: Any) -> Any:
        return json_text.dumps(value)

    def _unpack_value(self, packed: Any) -> Any:
        return json_text.loads(packed)


class LastTracker(LatestKeeper):
    """The value of the latest event in the window that has one."""

    def __init__(self, signal: LastSignal, retention: Duration) -> None:
        super().__init__(signal.within or retention)
        self.parts = (Part(signal.of, "add", "value", signal.value),)

    def value(self, memory: Latest, t: Instant, first_event: Instant | None) -> Any:
        return memory.value if memory.at is not None and memory.at > t - self.within else None

    def before(self, memory: Latest, t: Instant, first_event: Instant | None) -> Any:
        at, value = (memory.at_before, memory.value_before) if memory.at == t else (memory.at, memory.value)
        return value if at is not None and at >= t - self.within else None


class SinceTracker(LatestKeeper):
    """The time since the latest event in the window."""

    def __init__(self, signal: SinceSignal, retention: Duration) -> None:
        super().__init__(signal.within or retention)
        self.parts = (Part(signal.of, "add"),)

    def value(self, memory: Latest, t: Instant, first_event: Instant | None) -> Any:
        if memory.at is None or memory.at <= t - self.within:
            return None
        return timedelta(microseconds=t - memory.at)

    def before(self, memory: Latest, t: Instant, first_event: Instant | None) -> Any:
        at = memory.at_before if memory.at == t else memory.at
        if at is None or at < t - self.within:
            return None
        # In the limit it has not reached yet what it reaches at t.
        return timedelta(microseconds=t - at - 1)

    def _pack_value(self, value: Any) -> Any:
        return 0

    def _unpack_value(self, packed: Any) -> Any:
        return None


class Instance:
    """When it was true last."""

    __slots__ = ("at",)

    def __init__(self, at: Instant | None = None) -> None:
        self.at = at


class EachTracker(Moment):
    def __init__(self, signal: EachSignal) -> None:
        self.parts = (Part(signal.of, "add"),)

    def start(self) -> Instance:
        return Instance()

    def add(self, memory: Instance, t: Instant) -> None:
        memory.at = t

    def pack(self, memory: Instance, t: Instant) -> Any:
        return memory.at if memory.at == t else None

    def unpack(self, packed: Any) -> Instance:
        return Instance(packed)
