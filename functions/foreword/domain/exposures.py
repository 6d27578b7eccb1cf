"""What the contact history tells of an experiment: each decision of the rule, with what became of it."""

from __future__ import annotations

from typing import NamedTuple

from foreword.domain.instants import Instant


class Exposure(NamedTuple):
    """One message of a decision. `reason` is None while it is under way, `variant` where the rule has none."""

    customer_id: str
    decided_at: Instant
    reason: str | None
    variant: str | None
