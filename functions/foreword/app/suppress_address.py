"""Suppress an address for every customer who has it, as profiles say now, and tell the bus.

For each customer one transaction of journal and consents, then the bus: killed in between, it is done again, and
the same event is put once more. Where the same is told every day, only news goes on the bus: killed in between, the
fact is in the journal all the same, and only other services are not told.
"""

from __future__ import annotations

from dataclasses import dataclass

from foreword.app.ports import Clock, CustomersByAddress, EventBus, Suppressions
from foreword.domain.instants import Instant
from foreword.domain.outgoing import OutgoingEvent
from foreword.domain.rulebook import Channel
from foreword.domain.suppression import Cause, address_key, fact_of, suppressed_event, suppression


@dataclass(frozen=True, slots=True)
class SuppressAddress:
    customers: CustomersByAddress
    suppressions: Suppressions
    bus: EventBus
    clock: Clock

    def __call__(
        self,
        channel: Channel,
        address: str,
        cause: Cause,
        id: str,
        occurred_at: Instant,
        *,
        only_news: bool = False,
    ) -> int:
        """How many customers have it, or have it suppressed by this. The same `id` is the same happening again."""
        events: list[OutgoingEvent] = []
        for customer_id in self.customers.with_address(channel, address_key(channel, address)):
            event = suppressed_event(customer_id, channel, cause, id, occurred_at)
            fact = fact_of(event, self.clock.now())
            new = self.suppressions.suppress(fact, suppression(customer_id, channel, address))
            if new or not only_news:
                events.append(event)
        if events:
            self.bus.put(events)
        return len(events)
