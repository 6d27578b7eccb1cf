"""What the command hands to each engine: `WORKLOAD PASSES BUDGET`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks.workload import Event, Rule, Workload


class Arguments(NamedTuple):
    """`budget` is in seconds of CPU for a pass."""

    workload: Workload
    passes: int
    budget: float

    @classmethod
    def read(cls) -> Arguments:
        path, passes, budget = sys.argv[1:]
        return cls(Workload.read(Path(path)), int(passes), float(budget))


def bodies(events: list[Event]) -> list[dict[str, Any]]:
    """Events as conditions see them: `type` and `data`."""
    return [{"type": event.type, "data": event.data()} for event in events]


def condition(rule: Rule, *, type_is: str, all_of: str, any_of: str) -> str:
    """The rule's events as a condition: of its types, and not on the channel that does not count."""
    types = f" {any_of} ".join(type_is.format(type_) for type_ in rule.types)
    if rule.but_channel is None:
        return types
    return f'({types}) {all_of} event.data.channel != "{rule.but_channel}"'
