"""One customer's memories while a walk works on them: unpacked when first asked for, packed when it is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from foreword.domain.instants import Instant
from foreword.domain.signals.tracker import Keeper


class Memories(dict[str, Any]):
    """By key: a tracker's own, or `key/case`. `packed` is what the state holds, and is left as it was."""

    def __init__(self, trackers: Mapping[str, Keeper], packed: Mapping[str, Any]) -> None:
        self._trackers = trackers
        self._packed = packed

    def __missing__(self, key: str) -> Any:
        trackers, packed = self._trackers, self._packed
        tracker = trackers[key] if key in trackers else trackers[tracker_key(key)]
        memory = self[key] = tracker.unpack(packed[key]) if key in packed else tracker.start()
        return memory

    def knows(self, key: str) -> bool:
        """Whether anything was ever remembered there."""
        return key in self or key in self._packed

    def pack(self, t: Instant, *, everything: bool) -> dict[str, Any]:
        """What can still matter from `t` on. What was not asked for is taken as it is, unless `everything`."""
        if everything:
            for key in self._packed:
                self[key]
        packed = dict(self._packed)
        for key, memory in self.items():
            small = self._trackers[tracker_key(key)].pack(memory, t)
            if small is None:
                packed.pop(key, None)
            else:
                packed[key] = small
        return packed


def tracker_key(key: str) -> str:
    """Without its case."""
    return key.partition("/")[0]


def case_in(key: str) -> str | None:
    """The case, which may be empty; None where there is none."""
    _, slash, case = key.partition("/")
    return case if slash else None
