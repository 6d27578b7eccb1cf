"""record_activity: what comes from the bus is checked and put into the journal, or into quarantine.

States of an event: on the queue, then one of in the journal, known already, quarantined, erased. Killed before the
write it comes again; killed after it, it comes again and is a duplicate. A quarantined event that comes
again is quarantined again under the same EventRejected id. What comes of a customer who was erased is refused and
counted, right or wrong, and kept nowhere. Nothing is ever dropped in between, and an event that fails does not hold
its neighbours up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from foreword.app.ports import Clock, ErasedCustomers, EventBus, Journal, Quarantine
from foreword.domain.errors import CustomerErased, InvalidEvent
from foreword.domain.facts import EVENT_REJECTED, Fact
from foreword.domain.instants import Instant
from foreword.domain.outgoing import OutgoingEvent


class Recorded(StrEnum):
    ACCEPTED = "ACCEPTED"
    DUPLICATE = "DUPLICATE"
    QUARANTINED = "QUARANTINED"
    ERASED = "ERASED"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one event. `reason` is the quarantine's."""

    outcome: Recorded
    reason: str | None = None


class RecordActivity:
    """`parse` makes a fact of an event's text or raises InvalidEvent; `customer_of` says whom that one names."""

    def __init__(
        self,
        clock: Clock,
        parse: Callable[[str, Instant], Fact],
        customer_of: Callable[[str], str | None],
        journal: Journal,
        quarantine: Quarantine,
        bus: EventBus,
        erased: ErasedCustomers,
    ) -> None:
        self._clock = clock
        self._parse = parse
        self._customer_of = customer_of
        self._journal = journal
        self._quarantine = quarantine
        self._bus = bus
        self._erased = erased
        self._last_receipt: Instant | None = None

    def __call__(self, body: str) -> Receipt:
        received_at = self._receipt()
        try:
            fact = self._parse(body, received_at)
            if self._erased.is_erased(fact.customer_id):
                return Receipt(Recorded.ERASED)
            new = self._journal.add(fact)
        except CustomerErased:
            return Receipt(Recorded.ERASED)
        except InvalidEvent as error:
            return self._reject(body, error, received_at)
        return Receipt(Recorded.ACCEPTED if new else Recorded.DUPLICATE)

    def _receipt(self) -> Instant:
        """Now, but later than the receipt before: two events of one batch keep the order they came in."""
        now = self._clock.now()
        if self._last_receipt is not None and now <= self._last_receipt < now + 1_000_000:
            now = self._last_receipt + 1
        self._last_receipt = now
        return now

    def _reject(self, body: str, error: InvalidEvent, received_at: Instant) -> Receipt:
        customer_id = self._customer_of(body)
        if customer_id is not None and self._erased.is_erased(customer_id):
            return Receipt(Recorded.ERASED)
        self._quarantine.put(body, error)
        receipt = Receipt(Recorded.QUARANTINED, error.reason)
        if customer_id is None:
            return receipt
        digest = hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        # The sentence may quote what the producer wrote, and events carry no address: it stays in quarantine.
        data = {"reason": error.reason}
        self._bus.put([OutgoingEvent(EVENT_REJECTED, f"{digest}/rejected", customer_id, received_at, data)])
        return receipt
