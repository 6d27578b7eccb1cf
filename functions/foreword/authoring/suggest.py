"""What an author probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MISSPELT = 0.8
"""How like two names must be where a new one is allowed too: OrderDelivered is not MessageDelivered."""


def did_you_mean(name: str, known: Iterable[str], prefix: str = "", *, likeness: float = 0.6) -> str:
    """`; did you mean 'contacts'?`, or nothing where no known name is near."""
    by_lower = {candidate.lower(): candidate for candidate in sorted(known)}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=likeness)
    return f"; did you mean '{prefix}{by_lower[near[0]]}'?" if near else ""
