"""What the demo counted: every event and every message, by what became of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from foreword.cli.story import Told


@dataclass
class Totals:
    """`customers` holds, for each customer, the outcome of each message decided for them, the last one told.

    `waited` counts messages by what they waited for, each once.
    """

    events: Counter[str] = field(default_factory=Counter)
    ends: dict[str, str] = field(default_factory=dict)
    waited: Counter[str] = field(default_factory=Counter)
    customers: dict[str, dict[str, str]] = field(default_factory=dict)
    received: Counter[str] = field(default_factory=Counter)
    tried: dict[str, list[str]] = field(default_factory=dict)
    _waits: set[tuple[str, str]] = field(default_factory=set)

    @property
    def messages(self) -> Counter[str]:
        """By their reason in the end."""
        return Counter(self.ends.values())

    def add(self, told: Told) -> None:
        customer = str(told.get("customer_id"))
        if told["kind"] == "event":
            self.events[told["outcome"]] += 1
            self.received[customer] += 1
            self.customers.setdefault(customer, {})
        elif told["kind"] == "decision" and told["outcome"] == "skipped":
            self._ended(customer, told, told["reason"])
        elif told["kind"] == "fallback":
            self.tried.setdefault(told["message_id"], []).append(told["tried"])
        elif told["kind"] == "message" and told["status"] == "DEFERRED":
            self._waited(told["message_id"], told["reason"])
        elif told["kind"] == "message":
            by = f" by {told['channel']}" if told["status"] == "SENT" else ""
            after = "".join(
                f", after {channel} bounced" for channel in self.tried.get(told["message_id"], [])
            )
            to = f" to {told['winner']}" if "winner" in told else ""
            self._ended(customer, told, f"{told['reason']}{by}{after}{to}")

    def as_dict(self) -> dict[str, Any]:
        waited = {reason: self.waited[reason] for reason in sorted(self.waited)}
        return {"events": dict(self.events), "messages": dict(self.messages), "waited": waited}

    def _waited(self, message_id: str, reason: str) -> None:
        if (message_id, reason) not in self._waits:
            self._waits.add((message_id, reason))
            self.waited[reason] += 1

    def _ended(self, customer: str, told: Told, outcome: str) -> None:
        self.ends[told["message_id"]] = told["reason"]
        self.customers.setdefault(customer, {})[told["message"]] = outcome
