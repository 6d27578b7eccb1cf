"""Folds the facts that the journal's stream brings, a customer at a time, and decides."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from foreword import wiring
from foreword.contracts.activity_stream import facts_by_customer
from foreword.settings import EvaluateTriggersSettings

_logger = cache(Logger)
_metrics = cache(Metrics)
_use_case = cache(lambda: wiring.evaluate_triggers(EvaluateTriggersSettings.from_environment(), _parked))


def handle(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """A batch of the stream; gives the records that have to come again."""
    failed: list[dict[str, str]] = []
    for customer in facts_by_customer(event["Records"]):
        try:
            evaluated = _use_case()(customer.customer_id, customer.facts, in_doubt=customer.unreadable)
        except Exception:  # noqa: BLE001 - one customer's trouble, a store that fails included, must not hold the others up
            _logger().exception("not evaluated", extra={"records": len(customer.facts)})
            failed += [{"itemIdentifier": number} for number in customer.sequence_numbers]
            continue
        for decision in evaluated.decisions:
            name = "RuleFired" if decision.reason is None else "RuleSkipped"
            _metrics().add_metric(name=name, unit=MetricUnit.Count, value=1)
        if evaluated.values_left_out:
            _logger().error("value too large to be compared", extra={"customer_id": customer.customer_id})
            _metrics().add_metric(
                name="PeerValuesLeftOut", unit=MetricUnit.Count, value=evaluated.values_left_out
            )
    _metrics().flush_metrics()
    return {"batchItemFailures": failed}


def _parked(customer_id: str, error: Exception) -> None:
    _logger().error("customer parked", extra={"customer_id": customer_id}, exc_info=error)
    _metrics().add_metric(name="CustomerParked", unit=MetricUnit.Count, value=1)
