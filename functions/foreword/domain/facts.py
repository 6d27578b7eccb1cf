"""A fact: one accepted event of one customer, as the journal keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from foreword.domain.instants import NEVER, Instant

FOREWORD = "foreword"
"""The `source` of everything Foreword itself puts on the bus or in the journal."""

CUSTOMER_UPDATED = "CustomerUpdated"
PREFERENCE_CHANGED = "PreferenceChanged"
CONFIRMATION_REQUESTED = "ConfirmationRequested"
"""A customer opted in on the page, and is to be asked by the address itself."""

MESSAGE_SKIPPED = "MessageSkipped"
TASK_REQUESTED = "TaskRequested"
OUTBOUND_REQUESTED = "OutboundRequested"
EVENT_REJECTED = "EventRejected"
ADDRESS_SUPPRESSED = "AddressSuppressed"
"""An address is not written to any more, for a cause outside any message: a STOP, a provider's own list."""

PEERS_COMPARED = "PeersCompared"
"""Written by the close of a period into the journal of a customer whose truth it changed."""

DEADLINE_REACHED = "DeadlineReached"
"""Written by the tick straight into the journal: time has come to look at this customer's deadlines."""

OWN_TYPES = frozenset(
    {
        "MessageSent",
        "MessageDelivered",
        "MessageDelayed",
        "MessageBounced",
        "MessageComplained",
        "MessageOpened",
        "MessageClicked",
        MESSAGE_SKIPPED,
        "MessageOutcomeUnknown",
        TASK_REQUESTED,
        OUTBOUND_REQUESTED,
        PREFERENCE_CHANGED,
        CONFIRMATION_REQUESTED,
        ADDRESS_SUPPRESSED,
        EVENT_REJECTED,
        DEADLINE_REACHED,
        PEERS_COMPARED,
    }
)


NO_DATA: Mapping[str, Any] = MappingProxyType({})


class Fact(NamedTuple):
    """Identity is `source` + `id`. `data` holds JSON values, every number an int or the Decimal of its text.

    `retracts` is the id of a fact of the same source that this one takes back; such a fact counts as no event
    itself. `imported`: it is history, brought along when all was over; it counts, and decides nothing. (A named
    tuple: one is made for every event of a history.)
    """

    source: str
    id: str
    type: str
    customer_id: str
    occurred_at: Instant
    received_at: Instant
    data: Mapping[str, Any] = NO_DATA
    retracts: str | None = None
    imported: bool = False

    @property
    def known_at(self) -> Instant:
        """When it could be acted upon: never, for what was imported."""
        return NEVER if self.imported else self.received_at

    @property
    def key(self) -> str:
        """Of the journal; see `fact_key`."""
        return fact_key(self.source, self.id)

    @property
    def order(self) -> tuple[Instant, Instant, str]:
        """Event time, then first receipt; the key breaks the last ties so that every replay agrees."""
        return (self.occurred_at, self.received_at, self.key)

    def to_json(self) -> list[Any]:
        """All of it as a JSON value, for the state of a customer who waits for a deadline."""
        return [
            self.source,
            self.id,
            self.type,
            self.customer_id,
            self.occurred_at,
            self.received_at,
            dict(self.data),
            self.retracts,
            *([True] if self.imported else []),  # as an earlier release wrote it wherever it can be
        ]

    @classmethod
    def from_json(cls, value: list[Any]) -> Fact:
        return cls(*value)


def fact_key(source: str, id: str) -> str:
    """`source#id`, unambiguous whatever either holds: the journal's sort key."""
    if "#" in source or "%" in source:
        source = source.replace("%", "%25").replace("#", "%23")
    return f"{source}#{id}"
