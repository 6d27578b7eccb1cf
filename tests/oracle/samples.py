"""The real samples beside the project, where there are any: read for the core here, and by SQL in the tests."""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from foreword.domain.facts import Fact
from foreword.domain.instants import parse_instant

DATA = Path(__file__).parents[3] / "shared" / "data"

NAMES = tuple(sorted(path.name.removesuffix("_sample.csv.gz") for path in DATA.glob("*_sample.csv.gz")))
"""Empty where there are none: the tests are then none either."""


def path_of(sample: str) -> Path:
    return DATA / f"{sample}_sample.csv.gz"


def facts_of(sample: str) -> Mapping[str, Sequence[Fact]]:
    """By customer; of two at the same time the one that stands first in the file is received first."""
    found: dict[str, list[Fact]] = defaultdict(list)
    with gzip.open(path_of(sample), "rt", encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            at = parse_instant(row["occurred_at"])
            data: dict[str, Any] = {"amount": _json(row["amount"])} if row["amount"] else {}
            data |= _json(row["data"]) if row["data"] else {}
            customer_id = row["customer_id"]
            found[customer_id].append(
                Fact("file", f"{number:06}", row["type"], customer_id, at, number, data)
            )
    return {customer_id: sorted(facts, key=lambda fact: fact.order) for customer_id, facts in found.items()}


def _json(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)
