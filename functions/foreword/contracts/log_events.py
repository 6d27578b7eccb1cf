"""What a subscription of a CloudWatch log group hands to a function: log events, packed."""

from __future__ import annotations

import base64
import binascii
import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from foreword.domain import json_text
from foreword.domain.instants import Instant

_MILLISECOND = 1_000


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Packed(_Part):
    data: str


class _Event(_Part):
    awslogs: _Packed


class _Line(_Part):
    timestamp: int
    message: str


class _Lines(_Part):
    message_type: Literal["DATA_MESSAGE"] = Field(alias="messageType")
    log_group: str = Field(alias="logGroup")
    log_events: list[_Line] = Field(alias="logEvents")


@dataclass(frozen=True, slots=True)
class LogLine:
    """`at` is when it was logged."""

    at: Instant
    text: str


def is_log_event(event: Any) -> bool:
    return isinstance(event, dict) and "awslogs" in event


def read_log_lines(event: Any, log_group: str) -> Sequence[LogLine]:
    """The lines of a group whose name begins so; none of any other event, and nothing is raised.

    CloudWatch also sends control messages, to see whether somebody is there.
    """
    try:
        packed = base64.b64decode(_Event.model_validate(event).awslogs.data, validate=True)
        lines = _Lines.model_validate(json_text.loads(gzip.decompress(packed)))
    except (ValueError, binascii.Error, OSError, EOFError, zlib.error):
        return ()
    if not lines.log_group.startswith(log_group):
        return ()
    return [LogLine(line.timestamp * _MILLISECOND, line.message) for line in lines.log_events]
