"""Customers' states kept in a warm function: in the steady state an event costs a write and no read.

What is kept may be old. The version guards every write of a state, so a fold over an old one is refused and done
anew; a decision is written only over the profile it was made on. A profile that changed without our knowing comes
as a fact of its own, which is late then and lets the customer be rebuilt.
"""

from __future__ import annotations

from collections import OrderedDict

from foreword.app.ports import Changes, CustomerStates, StoredState
from foreword.domain.instants import Instant

MOST_CUSTOMERS = 5_000
"""At a kilobyte or two each: some megabytes of the function's memory."""


class CachedStates:
    """The port `CustomerStates` over another one; holds the customers seen last."""

    def __init__(self, states: CustomerStates, most: int = MOST_CUSTOMERS) -> None:
        self._states = states
        self._most = most
        self._known: OrderedDict[str, StoredState] = OrderedDict()

    def load(self, customer_id: str, *, fresh: bool = False) -> StoredState:
        known = self._known.get(customer_id)
        if known is not None and not fresh:
            self._known.move_to_end(customer_id)
            return known
        stored = self._states.load(customer_id)
        self._keep(customer_id, stored)
        return stored

    def save(
        self,
        stored: StoredState,
        customer_id: str,
        state: str,
        generation: str,
        due_at: Instant | None,
        changes: Changes,
    ) -> bool:
        self._known.pop(
            customer_id, None
        )  # whatever happens to the write, nobody may rely on what stood before
        if not self._states.save(stored, customer_id, state, generation, due_at, changes):
            return False
        self._keep(customer_id, StoredState(state, generation, stored.version + 1, False, stored.profile))
        return True

    def park(self, stored: StoredState, customer_id: str, due_at: Instant) -> bool:
        self._known.pop(customer_id, None)
        return self._states.park(stored, customer_id, due_at)

    def _keep(self, customer_id: str, stored: StoredState) -> None:
        self._known[customer_id] = stored
        self._known.move_to_end(customer_id)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
