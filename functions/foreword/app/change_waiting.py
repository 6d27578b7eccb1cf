"""Messages that wait, changed by what has happened since they were decided: cancelled, or looked at anew.

It is done before the state is saved: killed in between, the facts come again, and the fold finds the same. A
message that is being claimed at this moment is looked at again; one that was claimed stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from foreword.app.ports import Clock, UnsentMessages
from foreword.domain.errors import StoreConflict
from foreword.domain.fold import CalledOff
from foreword.domain.instants import Instant
from foreword.domain.messages import Message
from foreword.domain.reasons import HELD, Reason

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class ChangeWaiting:
    messages: UnsentMessages
    clock: Clock

    def retract(self, customer_id: str, short_ids: Sequence[str]) -> frozenset[str]:
        """Cancel what has not left of firings whose rise no longer stands, since a fact was taken back.

        Gives those that will certainly not leave; raises StoreConflict where others kept writing one of them.
        """

        def cancelled(message: Message) -> Message | None:
            return message.not_sent(Reason.RETRACTED, self.clock.now())

        ended = {short_id: self._change(customer_id, short_id, cancelled) for short_id in short_ids}
        return frozenset(
            name for name, it in ended.items() if it is not None and it.reason is Reason.RETRACTED
        )

    def call_off(self, customer_id: str, called_off: Sequence[CalledOff]) -> None:
        """Cancel what an exception event calls off."""
        for one in called_off:

            def cancelled(message: Message, only: frozenset[str] | None = one.messages) -> Message | None:
                if only is not None and message.message not in only:
                    return None
                return message.not_sent(Reason.CANCELLED_BY_EXCEPTION, self.clock.now())

            self._change(customer_id, one.short_id, cancelled)

    def release(self, customer_id: str, short_ids: Sequence[str]) -> None:
        """Put what was held back on its way, to be judged anew."""

        def released(message: Message) -> Message | None:
            return message.ready_again(self.clock.now()) if message.reason in HELD else None

        for short_id in short_ids:
            self._change(customer_id, short_id, released)

    def hold_on(self, customer_id: str, moved: Sequence[tuple[str, Instant]]) -> None:
        """What is held on is judged anew when that is over: sooner, or later, than was known when it began."""
        for short_id, until in moved:

            def waits(message: Message, until: Instant = until) -> Message | None:
                if message.reason not in HELD or message.due_at == until:
                    return None
                return message.deferred(until, message.reason)

            self._change(customer_id, short_id, waits)

    def _change(
        self, customer_id: str, short_id: str, change: Callable[[Message], Message | None]
    ) -> Message | None:
        """The message as it is in the end, None where there is none."""
        for _ in range(_ATTEMPTS):
            message = self.messages.named(customer_id, short_id)
            if message is None or not message.status.waiting:
                return message
            after = change(message)
            if after is None or self.messages.replace(message, after):
                return after or message
        raise StoreConflict(f"the message {short_id} was written {_ATTEMPTS} times meanwhile")
