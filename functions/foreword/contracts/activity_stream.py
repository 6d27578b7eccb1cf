"""What the stream of the activity table hands to evaluate_triggers: facts, a customer at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from foreword.contracts.activity_items import fact_of
from foreword.domain.facts import Fact


@dataclass(slots=True)
class CustomerFacts:
    """One customer's facts of a batch, with the sequence numbers of their records.

    `unreadable` where one of them is no fact that this code can read: then only the journal can tell.
    """

    customer_id: str
    facts: list[Fact] = field(default_factory=list)
    sequence_numbers: list[str] = field(default_factory=list)
    unreadable: bool = False


def facts_by_customer(records: list[Mapping[str, Any]]) -> list[CustomerFacts]:
    """The inserted facts, grouped by customer in the order of their first record; other records are passed over."""
    found: dict[str, CustomerFacts] = {}
    for record in records:
        if record["eventName"] != "INSERT":
            continue
        change = record["dynamodb"]
        customer_id = change["NewImage"]["customer_id"]["S"]
        customer = found.setdefault(customer_id, CustomerFacts(customer_id))
        customer.sequence_numbers.append(change["SequenceNumber"])
        try:
            customer.facts.append(fact_of(change["NewImage"]))
        except (KeyError, ValueError):
            customer.unreadable = True
    return list(found.values())
