"""Delivers READY messages and announces what became of them, as the stream of the messages table brings them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from foreword import wiring
from foreword.contracts.messages_stream import read_messages_stream
from foreword.settings import DeliverMessageSettings

_use_case = cache(lambda: wiring.deliver_message(DeliverMessageSettings.from_environment()))
_logger = cache(Logger)
_metrics = cache(Metrics)


def handle(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """A batch of the stream; gives the records that have to come again."""
    changes, unreadable = read_messages_stream(event)
    handled = _use_case()(changes)
    for delivered in handled.delivered:
        message, code = delivered.message, delivered.provider_code
        told = {"status": message.status, "reason": message.reason, "provider_code": code}
        _logger().info("message", extra={"foreword_message_id": message.message_id, **told})
    for outcome in handled.announced:
        with single_metric(name="MessageOutcome", unit=MetricUnit.Count, value=1) as metric:
            metric.add_dimension(name="reason", value=outcome.reason or outcome.status)
            metric.add_dimension(name="channel", value=outcome.channel or "none")
    failed = handled.failed | dict.fromkeys(unreadable, "Unreadable")
    for sequence_number, error in failed.items():
        _logger().error("not handled", extra={"sequence_number": sequence_number, "error": error})
    _metrics().add_metric(name="MessagesFailed", unit=MetricUnit.Count, value=len(failed))
    _metrics().flush_metrics()
    return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}
