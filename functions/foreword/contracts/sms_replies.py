"""A text message from a customer, as two-way SMS publishes it to a topic of SNS, which hands it to a function.

{"originationNumber": "+4915112345678", "destinationNumber": "+4915735983048", "messageKeyword": "KEYWORD_…",
 "messageBody": "STOP", "inboundMessageId": "cae173d2-…", "previousPublishedMessageId": "wJalrXUtnFEMI-…"}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from foreword.domain import json_text
from foreword.domain.instants import parse_instant
from foreword.domain.replies import Reply


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Inbound(_Part):
    number: str = Field(alias="originationNumber")
    text: str = Field(alias="messageBody")
    id: str = Field(alias="inboundMessageId", min_length=1, max_length=128, pattern="^[!-~]+$")


class _Notification(_Part):
    message: str = Field(alias="Message")
    timestamp: str = Field(alias="Timestamp")


def is_notification(event: Any) -> bool:
    records = event.get("Records") if isinstance(event, dict) else None
    return isinstance(records, list) and all(
        isinstance(record, dict) and record.get("EventSource") == "aws:sns" for record in records
    )


def read_replies(event: Any) -> Sequence[Reply]:
    """Those in a notification; what is none is left out, and nothing is raised."""
    found: list[Reply] = []
    for record in event["Records"]:
        try:
            notification = _Notification.model_validate(record.get("Sns"))
            said = _Inbound.model_validate(json_text.loads(notification.message))
            found.append(Reply(said.id, said.number, said.text, parse_instant(notification.timestamp)))
        except ValueError:
            continue
    return found
