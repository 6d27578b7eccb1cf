"""What providers say of messages settles them, and goes on as events of ours; what customers answer is heeded.

SES tells by AWS's own bus, SNS of text messages by its logs, and of replies by a topic. Of a task its own event
tells, from our bus: the bus took it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from foreword import wiring
from foreword.contracts.log_events import is_log_event
from foreword.contracts.request_events import read_request_event
from foreword.contracts.ses_events import Ignored, read_ses_event
from foreword.contracts.sms_replies import is_notification, read_replies
from foreword.contracts.sms_status import SmsStatus, read_sms_statuses
from foreword.settings import RecordFeedbackSettings

_settings = cache(lambda: RecordFeedbackSettings.from_environment())
_record = cache(lambda: wiring.record_feedback(_settings()))
_record_sms_status = cache(lambda: wiring.record_sms_status(_settings()))
_record_reply = cache(lambda: wiring.record_reply(_settings()))
_logger = cache(Logger)


def handle(event: Mapping[str, Any], _context: object) -> dict[str, list[str]]:
    """One event. Raises when a store or the bus fails: Lambda then calls again with the same event."""
    if is_log_event(event):
        return {"outcomes": [_sms_status(status) for status in read_sms_statuses(event)]}
    if is_notification(event):
        return {"outcomes": [_told("REPLY", _record_reply()(reply)) for reply in read_replies(event)]}
    feedback = read_request_event(event) or read_ses_event(event, _settings().configuration_set)
    if isinstance(feedback, Ignored):
        return {"outcomes": [_told("none", feedback)]}
    return {"outcomes": [_told(feedback.kind, _record()(feedback))]}


def _sms_status(status: SmsStatus) -> str:
    kind = "DELIVERED" if status.delivered else "BOUNCED"
    return _told(kind, _record_sms_status()(status.provider_message_id, status.about))


def _told(kind: str, outcome: str) -> str:
    recorded = outcome in ("RECORDED", "SUPPRESSED")
    with single_metric(
        name="FeedbackRecorded" if recorded else "FeedbackIgnored", unit=MetricUnit.Count, value=1
    ) as metric:
        metric.add_dimension(name="kind" if recorded else "reason", value=kind if recorded else outcome)
    _logger().info("feedback", extra={"kind": kind, "outcome": outcome})
    return outcome
