"""A customer's answer by text message."""

from __future__ import annotations

from dataclasses import dataclass, field

from foreword.domain.instants import Instant


@dataclass(frozen=True, slots=True)
class Reply:
    """`id` is the provider's name for it; number and words are read here and kept nowhere."""

    id: str
    number: str = field(repr=False)
    text: str = field(repr=False)
    occurred_at: Instant
