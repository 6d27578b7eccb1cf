"""A rendered message, ready to be handed to a provider: plain values, no address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class EmailContent:
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class SmsContent:
    text: str


Content: TypeAlias = EmailContent | SmsContent
