"""What an event costs in AWS calls of the functions: next to nothing where nothing fires, and little where it
does.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from foreword.local.cloud import LocalCloud
from foreword.local.records import Invocation

ADA = {"email": "ada@example.com", "locale": "en", "timezone": "Europe/Berlin"}
JOURNAL = ["PutItem"]
STATE = ["PutItem"]
CHOICES_AND_LEDGER, DECISION = "BatchGetItem", "TransactWriteItems"
DOSSIER, CLAIM, COMPLETION = "BatchGetItem", "TransactWriteItems", "UpdateItem"


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    """A customer who is two contacts short of a message, and functions that are warm."""
    with LocalCloud(at="2026-01-05T10:00:00Z") as cloud:
        for customer in ("earlier", "ada"):
            cloud.emit("CustomerUpdated", customer, ADA, source="crm")
            for _ in range(2):
                contact(cloud, customer)
                cloud.advance(by=timedelta(hours=1))
        contact(cloud, "earlier")
        contact(cloud, "somebody-else")
        yield cloud


def contact(cloud: LocalCloud, customer: str) -> None:
    cloud.emit("SupportContactOpened", customer, {"channel": "phone"}, source="support")


def calls_since(cloud: LocalCloud, start: int) -> list[tuple[str, list[str]]]:
    return [
        (record.function, [operation for _, operation in record.aws_calls])
        for record in cloud.timeline[start:]
        if isinstance(record, Invocation)
    ]


def test_an_event_that_fires_nothing_costs_its_fact_and_its_state(cloud: LocalCloud) -> None:
    start = len(cloud.timeline)
    order = {"order_id": "1", "amount": 24.90, "currency": "EUR"}
    cloud.emit("OrderPlaced", "ada", order, source="shop")
    assert calls_since(cloud, start) == [("record_activity", JOURNAL), ("evaluate_triggers", STATE)]


def test_a_firing_costs_a_read_and_a_transaction_to_decide_and_a_claim_a_call_and_a_completion(
    cloud: LocalCloud,
) -> None:
    start = len(cloud.timeline)
    contact(cloud, "ada")
    calls = calls_since(cloud, start)
    assert [made for function, made in calls if function == "evaluate_triggers" and made] == [
        [CHOICES_AND_LEDGER, DECISION]
    ]
    delivering = [made for function, made in calls if function == "deliver_message"]
    assert delivering[0] == [DOSSIER, CLAIM, "SendEmail", COMPLETION]
    assert delivering[1:] == [["PutEvents"]], "its outcome, told"
    assert len(cloud.sent_to("ada@example.com")) == 2
