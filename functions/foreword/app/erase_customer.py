"""Erase a customer: nothing personal is left, and nothing that comes again brings it back.

    1 mark      the profile loses all it holds and is marked: from now on no claim and no evaluation holds
    2 refuse    the keyed hash of the id is put on the list by which the intake refuses what comes
    3 close     messages that were to be sent end ERASED; one whose provider is being called ends as it will
    4 delete    journal, state, messages, consents, and what was kept to compare the customer with others
    5 sweep     once more, when all that was accepted before 2 has been written
    6 forget    the mark too, with the id in it, once nothing begun earlier can name the customer: a later run

Killed anywhere, it is begun again: each step finds what it did, and nothing is undone. Before 2 an event may still
be accepted, and is deleted by 4 or 5. A message is claimed before 1 or not at all. What the intake refuses is
counted as ERASED, and kept nowhere. A table that is restored holds what it held: erase once more then.

Out of reach are queues of what was quarantined or given up (14 days), the frozen values of a comparison (7 days
after its period), the tables' recovery points (35 days), and what providers and their logs keep.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from foreword.app.ports import Clock, PersonalData
from foreword.domain.erasure import MARK_KEPT_FOR, Erased, Swept
from foreword.domain.errors import StoreConflict
from foreword.domain.messages import Message
from foreword.domain.reasons import Reason

TRIES = 5


@dataclass(frozen=True, slots=True)
class EraseCustomer:
    """`settle` waits until nothing is on its way any more; `report` is told of each stage."""

    data: PersonalData
    clock: Clock
    settle: Callable[[], None]
    report: Callable[[Swept], None]

    def __call__(self, customer_id: str) -> Erased:
        """Raises StoreConflict where others kept writing the customer: then begin again."""
        marked_at = self.data.mark(customer_id, self.clock.now())
        self.data.refuse(customer_id, self.clock.now())
        self.report(Swept.MARKED)
        closed = sum(self._close(message) for message in self.data.messages(customer_id))
        self.report(Swept.CLOSED)
        items = self.data.delete(customer_id)
        self.report(Swept.DELETED)
        self.settle()
        for table, count in self.data.delete(customer_id).items():
            items[table] = items.get(table, 0) + count
        self.report(Swept.SWEPT)
        forgotten = self.clock.now() - marked_at > MARK_KEPT_FOR
        if forgotten:
            self.data.forget(customer_id)
            self.report(Swept.FORGOTTEN)
        return Erased(items, closed, marked_at, forgotten)

    def _close(self, message: Message) -> bool:
        for _ in range(TRIES):
            if not message.status.waiting:
                return False
            if self.data.replace(message, message.not_sent(Reason.ERASED, self.clock.now())):
                return True
            present = self.data.load(message.customer_id, message.message_id)
            if present is None:
                return False
            message = present
        raise StoreConflict(f"message {message.message_id} changed at each of {TRIES} tries")
