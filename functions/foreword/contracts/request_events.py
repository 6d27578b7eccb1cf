"""A TaskRequested or OutboundRequested of our own, as the bus brings it back: the evidence that the bus took it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from foreword.domain.facts import TASK_REQUESTED
from foreword.domain.feedback import Feedback, FeedbackKind
from foreword.domain.instants import parse_instant
from foreword.domain.rulebook import Channel


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Data(_Part):
    message_id: str = Field(pattern="^[0-9a-f]{32}$")


class _Detail(_Part):
    customer_id: str
    occurred_at: str
    data: _Data


class _Event(_Part):
    """`id` is the bus's own: what PutEvents answered with."""

    source: Literal["foreword"]
    kind: Literal["TaskRequested", "OutboundRequested"] = Field(alias="detail-type")
    id: str
    detail: _Detail


def read_request_event(event: Any) -> Feedback | None:
    """That its message was accepted; None for any other event, and nothing is raised."""
    try:
        parsed = _Event.model_validate(event)
        at = parse_instant(parsed.detail.occurred_at)
    except ValueError:  # pydantic's ValidationError is one
        return None
    detail = parsed.detail
    return Feedback(
        FeedbackKind.SENT,
        detail.customer_id,
        detail.data.message_id,
        parsed.id,
        at,
        detail.occurred_at,
        Channel.TASK if parsed.kind == TASK_REQUESTED else Channel.OUTBOUND,
    )
