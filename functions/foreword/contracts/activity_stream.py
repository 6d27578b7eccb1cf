"""What the stream of the activity table hands to evaluate_triggers: facts, a customer at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from foreword.contracts.activity_items import fact_of
from foreword.domain.facts import Fact


@dataclass(slots=True)
class CustomerFacts:
    """One customer's facts of a batch, with the sequence numbers of their records."""

    customer_id: str
    facts: list[Fact] = field(default_factory=list)
    sequence_numbers: list[str] = field(default_factory=list)


def facts_by_customer(records: list[Mapping[str, Any]]) -> list[CustomerFacts]:
    """The inserted facts, grouped by customer in the order of their first record; other records are passed over."""
    found: dict[str, CustomerFacts] = {}
    for record in records:
        if record["eventName"] != "INSERT":
            continue
        change = record["dynamodb"]
        fact = fact_of(change["NewImage"])
        customer = found.setdefault(fact.customer_id, CustomerFacts(fact.customer_id))
        customer.facts.append(fact)
        customer.sequence_numbers.append(change["SequenceNumber"])
    return list(found.values())
