"""What comparing a million accounts a day costs, reckoned from what some hundreds do in the local cloud.

Counted are DynamoDB's request units as it charges them, a write for each kilobyte begun and a consistent read for
each four, and the queue's requests. Two sizes tell what grows with the customers from what every close costs.
"""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import Any

import boto3
import pytest

from foreword.adapters.clock import SystemClock
from foreword.adapters.peer_closes import PeerClosesTable
from foreword.adapters.peers_table import PeersTable
from foreword.app.keep_peer_values import KeepPeerValues
from foreword.domain.instants import DAY, MINUTE, parse_instant
from foreword.domain.peer_values import PeerValue
from foreword.domain.peers import comparisons
from foreword.domain.rulebook import Rulebook
from foreword.local.calls import Call, Proceed
from foreword.local.cloud import LocalCloud
from foreword.local.faults import Faults
from tests.scenarios.peers_story import written

START = "2026-03-02T09:00:00Z"
ACCOUNTS = 1_000_000
FEW, MANY = 400, 1200
CHANGED = 10_000
"""So many of them fall behind or catch up on a day: one in a hundred."""

MILLION = 10**6
PRICES = {"writes": Decimal("0.625"), "reads": Decimal("0.125"), "requests": Decimal("0.40")}
"""List prices of a million in us-east-1, in dollars, on demand."""


def size(item: dict[str, Any]) -> int:
    """As DynamoDB counts it, about: names and values; what is packed comes as base64."""
    total = 0
    for name, typed in item.items():
        [(kind, value)] = typed.items()
        text = value if isinstance(value, str) else json.dumps(value)
        total += len(name.encode()) + (len(text) * 3 // 4 if kind == "B" else len(text.encode()))
    return total


class Meter:
    """What the closes' two functions are charged for."""

    def __init__(self) -> None:
        self.units: Counter[str] = Counter()

    def strike(self, faults: Faults, function: str, number: int, call: Call, proceed: Proceed) -> Any:
        answer = proceed()
        if function in ("compare_peers", "release_due"):
            self._count(function, call, answer)
        return answer

    def _count(self, function: str, call: Call, answer: Any) -> None:
        body: Any = call.request.body
        request, response = json.loads(body), json.loads(answer.text)
        if call.service == "sqs":
            # A batch is one request; each of its messages is received and deleted by itself.
            self.units["requests"] += 1 + 2 * len(request["Entries"])
            return
        if "peers" not in request["TableName"].lower() and call.operation == "Query":
            return  # the tick's look at other due indexes
        if call.operation == "PutItem":
            self.units["writes"] += ceil(size(request["Item"]) / 1024)
        elif call.operation == "UpdateItem":
            self.units["writes"] += 1
        else:
            found = response["Items"] if call.operation == "Query" else [response["Item"]]
            self.units["reads"] += max(ceil(sum(map(size, found)) / 4096), 1)


def close_of(customers: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Counter[str], int]:
    """What it takes to close a day with so many values, and how many customers had changed."""
    with LocalCloud(at=START, **written(folder)) as cloud:
        rulebook = Rulebook.model_validate_json(
            (cloud._machine.runtime._task_root / "published" / "rulebook.json").read_bytes()
        )
        table = cloud._machine.tables.names["peers"]
        client = boto3.client("dynamodb")
        stores = PeerClosesTable(client, table), PeersTable(client, table)
        keeper = KeepPeerValues(comparisons(rulebook.rules), 5 * MINUTE, SystemClock(), *stores)
        at = parse_instant(START)
        for number in range(customers):
            own = 40 if number % 100 == 0 else 50 + Decimal(number % 997) / 1000
            signals = {"value": own, "change": Decimal(number) / 7919}
            value = PeerValue(
                f"customer-{number * 7919 % 10**8:08}",
                "behind",
                at // DAY * DAY,
                at,
                own,
                '"growth',
                signals,
                {"segment": "retail"},
            )
            keeper.put(value.customer_id, [value], 1)
        items = [
            item
            for item in cloud._machine.tables.typed_items("peers")
            if item["part"]["S"].startswith("value/")
        ]
        assert {ceil(size(item) / 1024) for item in items} == {1}, "keeping a value is one unit"
        meter = Meter()
        monkeypatch.setattr(Faults, "strike", lambda faults, *call: meter.strike(faults, *call))
        cloud.advance(to="2026-03-03T00:06:00Z")
        changed = cloud.metrics(service="compare_peers")["PeersChanged"]
        return meter.units, int(changed)


def test_a_million_accounts_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who changed costs a fact and a truth; what the road then makes of a fact is that of any other fact."""
    few, few_changed = close_of(FEW, tmp_path / "few", monkeypatch)
    many, many_changed = close_of(MANY, tmp_path / "many", monkeypatch)
    assert (few_changed, many_changed) == (FEW // 100, MANY // 100)
    few["writes"] -= 2 * few_changed
    many["writes"] -= 2 * many_changed
    per_account = {unit: Decimal(many[unit] - few[unit]) / (MANY - FEW) for unit in PRICES}
    fixed = {unit: few[unit] - FEW * per_account[unit] for unit in PRICES}
    day = {unit: fixed[unit] + ACCOUNTS * per_account[unit] for unit in PRICES}
    # A million in one cohort take a second round: each shard reads its frozen values once more.
    day["reads"] += ACCOUNTS * per_account["reads"]
    day["writes"] += ACCOUNTS + 2 * CHANGED
    dollars = sum(day[unit] / MILLION * price for unit, price in PRICES.items())
    told = {**{unit: round(number) for unit, number in day.items()}, "dollars": round(dollars, 2)}
    assert day["writes"] <= 1_100_000, told
    assert day["reads"] <= 200_000, told
    assert day["requests"] <= 200, told
    assert dollars <= Decimal("0.75"), told
    assert max(fixed.values()) <= 200, told
