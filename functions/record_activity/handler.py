"""Takes bus events from the queue, one by one, into the journal or the quarantine."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from foreword import wiring
from foreword.settings import RecordActivitySettings

_use_case = cache(lambda: wiring.record_activity(RecordActivitySettings.from_environment()))
_logger = cache(Logger)
_metrics = cache(Metrics)


def handle(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """A batch of the queue; gives the messages that have to come again."""
    failed: list[dict[str, str]] = []
    for record in event["Records"]:
        try:
            receipt = _use_case()(record["body"])
        except Exception:  # noqa: BLE001 - one event's trouble, a store that fails included, must not hold its neighbours up
            _logger().exception("not recorded", extra={"message_id": record["messageId"]})
            failed.append({"itemIdentifier": record["messageId"]})
            continue
        _metrics().add_metric(name=f"Events{receipt.outcome.capitalize()}", unit=MetricUnit.Count, value=1)
        if receipt.reason is not None:
            _logger().warning(
                "quarantined", extra={"message_id": record["messageId"], "reason": receipt.reason}
            )
            with single_metric(name="Quarantined", unit=MetricUnit.Count, value=1) as metric:
                metric.add_dimension(name="reason", value=receipt.reason)
    _metrics().flush_metrics()
    return {"batchItemFailures": failed}
