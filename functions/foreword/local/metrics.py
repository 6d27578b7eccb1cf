"""CloudWatch metrics out of what a function prints (embedded metric format)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def totals(logs: Iterable[str], dimensions: Mapping[str, str]) -> Counter[str]:
    """The sum of each metric by name, over the lines whose dimensions include `dimensions`."""
    counter: Counter[str] = Counter()
    for line in _embedded(logs):
        if all(line.get(name) == value for name, value in dimensions.items()):
            for directive in line["_aws"]["CloudWatchMetrics"]:
                for metric in directive["Metrics"]:
                    value = line[metric["Name"]]
                    counter[metric["Name"]] += sum(value) if isinstance(value, list) else value
    return counter


def _embedded(logs: Iterable[str]) -> Iterator[dict[str, Any]]:
    for log in logs:
        for line in log.splitlines():
            if '"_aws"' in line:
                try:
                    document = json.loads(line)
                except ValueError:
                    continue  # a log line that quotes one
                if isinstance(document, dict) and "_aws" in document:
                    yield document
