"""A batch of changes of messages: READY is delivered, a terminal state is announced, one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from foreword.app.announce_outcome import AnnounceOutcome
from foreword.app.deliver_message import Delivered
from foreword.domain.outgoing import Outcome


@dataclass(frozen=True, slots=True)
class Change:
    """One stream record: `outcome` is set where a terminal state was reached, else the message is READY."""

    sequence_number: str
    customer_id: str
    message_id: str
    outcome: Outcome | None


@dataclass(slots=True)
class Handled:
    """`failed`: sequence number to the kind of error, to be delivered again by the stream."""

    delivered: list[Delivered] = field(default_factory=list)
    announced: list[Outcome] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HandleChanges:
    deliver: Callable[[str, str], Delivered | None]
    announce: AnnounceOutcome

    def __call__(self, changes: Sequence[Change]) -> Handled:
        handled = Handled()
        terminal = [(it.sequence_number, it.outcome) for it in changes if it.outcome is not None]
        for change in changes:
            if change.outcome is None:
                self._deliver(change, handled)
        refused = self.announce([outcome for _, outcome in terminal])
        for at, (sequence_number, outcome) in enumerate(terminal):
            if at in refused:
                handled.failed[sequence_number] = "EventsNotAccepted"
            else:
                handled.announced.append(outcome)
        return handled

    def _deliver(self, change: Change, handled: Handled) -> None:
        try:
            delivered = self.deliver(change.customer_id, change.message_id)
        except Exception as error:  # noqa: BLE001  whatever one message meets must not hold up its neighbours
            handled.failed[change.sequence_number] = type(error).__name__
            return
        if delivered is not None:
            handled.delivered.append(delivered)
