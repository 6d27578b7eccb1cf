"""What the demo counted: every event and every message, by what became of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from foreword.cli.story import Told


@dataclass
class Totals:
    """`customers` holds, for each customer, the outcome of each message decided for them."""

    events: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)
    deferred: int = 0
    customers: dict[str, dict[str, str]] = field(default_factory=dict)
    received: Counter[str] = field(default_factory=Counter)

    def add(self, told: Told) -> None:
        customer = str(told.get("customer_id"))
        if told["kind"] == "event":
            self.events[told["outcome"]] += 1
            self.received[customer] += 1
            self.customers.setdefault(customer, {})
        elif told["kind"] == "decision" and told["outcome"] == "skipped":
            self._ended(customer, told["message"], told["reason"])
        elif told["kind"] == "message" and told["status"] == "DEFERRED":
            self.deferred += 1
        elif told["kind"] == "message":
            by = f" by {told['channel']}" if told["status"] == "SENT" else ""
            self._ended(customer, told["message"], told["reason"], by)

    def as_dict(self) -> dict[str, Any]:
        return {"events": dict(self.events), "messages": dict(self.messages), "deferred": self.deferred}

    def _ended(self, customer: str, message: str, reason: str, by: str = "") -> None:
        self.messages[reason] += 1
        self.customers.setdefault(customer, {})[message] = f"{reason}{by}"
