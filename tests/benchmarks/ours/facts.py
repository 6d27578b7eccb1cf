"""The workload's events as the core takes them: decoded, every number an int or a Decimal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from foreword.domain import json_text
from foreword.domain.facts import Fact
from tests.benchmarks.workload import Event

SOURCE = "benchmark"


def as_read(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The data as it is after its JSON text was read."""
    read: Mapping[str, Any] = json_text.loads(json.dumps(data))
    return read


def fact_of(event: Event) -> Fact:
    at = event.at * 1000
    return Fact(SOURCE, str(event.at), event.type, event.customer_id, at, at, as_read(event.data()))
