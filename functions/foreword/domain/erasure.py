"""What is left of an erased customer: a keyed hash, by which what comes later is refused."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum

from foreword.domain.instants import DAY, MINUTE, SECOND, Duration, Instant

KEY_BYTES = 32

LOOKED_AT_EVERY: Duration = MINUTE
"""How old the intake's list of the erased may be."""

ON_ITS_WAY_FOR: Duration = LOOKED_AT_EVERY + 30 * SECOND
"""After this nothing that was accepted before the erasure is still being written: what is left can be swept."""

MARK_KEPT_FOR: Duration = 8 * DAY
"""By then no comparison that was begun before can name the customer any more."""


class Swept(StrEnum):
    """The stages of an erasure, in their order."""

    MARKED = "MARKED"
    CLOSED = "CLOSED"
    DELETED = "DELETED"
    SWEPT = "SWEPT"
    FORGOTTEN = "FORGOTTEN"


@dataclass(frozen=True, slots=True)
class Erased:
    """`items` were deleted, by table; `marked_at` is when the erasure was first asked for.

    `forgotten`: of the customer's id, too, nothing but its keyed hash is left.
    """

    items: dict[str, int]
    messages_closed: int
    marked_at: Instant
    forgotten: bool


def hash_of(key: bytes, customer_id: str) -> str:
    """32 hexadecimal digits, from which without the key nobody finds the customer."""
    return hmac.new(key, customer_id.encode(), hashlib.sha256).hexdigest()[:32]
