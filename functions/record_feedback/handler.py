"""What SES says about a message, from AWS's own bus, settles the message and goes on as an event of ours.

Of a task its own event tells, from our bus: the bus took it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from foreword import wiring
from foreword.contracts.ses_events import Ignored, read_ses_event
from foreword.contracts.task_events import read_task_event
from foreword.settings import RecordFeedbackSettings

_settings = cache(lambda: RecordFeedbackSettings.from_environment())
_use_case = cache(lambda: wiring.record_feedback(_settings()))
_logger = cache(Logger)


def handle(event: Mapping[str, Any], _context: object) -> dict[str, str]:
    """One event. Raises when a store or the bus fails: Lambda then calls again with the same event."""
    feedback = read_task_event(event) or read_ses_event(event, _settings().configuration_set)
    outcome = feedback if isinstance(feedback, Ignored) else _use_case()(feedback)
    kind = "none" if isinstance(feedback, Ignored) else feedback.kind
    recorded = outcome == "RECORDED"
    with single_metric(
        name="FeedbackRecorded" if recorded else "FeedbackIgnored", unit=MetricUnit.Count, value=1
    ) as metric:
        metric.add_dimension(name="kind" if recorded else "reason", value=kind if recorded else outcome)
    _logger().info("feedback", extra={"kind": kind, "outcome": outcome})
    return {"outcome": outcome}
