"""What the pump needs of a source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from foreword.local.records import Invocation

# Runs the function of an ARN with an event, and records the invocation.
Invoke: TypeAlias = Callable[[str, Mapping[str, Any]], Invocation]
# Puts a JSON value into the queue of an ARN.
Send: TypeAlias = Callable[[str, Any], None]


class Source(Protocol):
    def step(self, now: datetime) -> bool:
        """Do one thing that is due; False when there is nothing."""

    def waits_until(self) -> datetime | None:
        """When something that waits (a retry, a message out of sight) comes due; None when nothing waits."""


def failed_items(result: Any, known: list[str]) -> list[str] | None:
    """The `batchItemFailures` of a partial-failure answer, in the order of `known`.

    None: the whole batch failed, because AWS takes an answer it cannot read, or an item it does not know, so.
    """
    if result is None:
        return []
    if not isinstance(result, dict):
        return None
    failures = result.get("batchItemFailures")
    if failures is None:
        return []
    if not isinstance(failures, list):
        return None
    named = [one.get("itemIdentifier") if isinstance(one, dict) else None for one in failures]
    if any(one not in known for one in named):
        return None
    return [one for one in known if one in named]
