"""Cancel what has not left yet of firings whose rise no longer stands, since a fact was taken back.

It is done before the state is saved: killed in between, the fact comes again, and the rebuild finds the same. A
message that is being claimed at this moment is looked at again; one that was claimed stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foreword.app.ports import Clock, UnsentMessages
from foreword.domain.errors import StoreConflict
from foreword.domain.messages import MessageStatus
from foreword.domain.reasons import Reason

_ATTEMPTS = 5
_WAITING = (MessageStatus.READY, MessageStatus.DEFERRED)


@dataclass(frozen=True, slots=True)
class CancelRetracted:
    messages: UnsentMessages
    clock: Clock

    def __call__(self, customer_id: str, short_ids: Sequence[str]) -> frozenset[str]:
        """Those that will certainly not leave; raises StoreConflict where others kept writing one of them."""
        return frozenset(short_id for short_id in short_ids if self._cancel(customer_id, short_id))

    def _cancel(self, customer_id: str, short_id: str) -> bool:
        for _ in range(_ATTEMPTS):
            message = self.messages.named(customer_id, short_id)
            if message is None or message.status not in _WAITING:
                return message is not None and message.reason is Reason.RETRACTED
            if self.messages.replace(message, message.not_sent(Reason.RETRACTED, self.clock.now())):
                return True
        raise StoreConflict(f"the message {short_id} was written {_ATTEMPTS} times meanwhile")
