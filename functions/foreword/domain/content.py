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


@dataclass(frozen=True, slots=True)
class MessageLinks:
    """The customer's own way out, signed for one message: absolute URLs without any address in them.

    `unsubscribe` takes a one-click POST (RFC 8058), `preferences` is the page for people.
    """

    unsubscribe: str
    preferences: str
