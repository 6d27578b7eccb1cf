"""The tick: looks at what is due and decides nothing. Twice, late or never, it does no harm.

A customer's deadline becomes a fact in the journal, to be evaluated in the customer's own order; a deferred
message becomes READY; one that has been READY for a while is put on its way again; a claim without evidence after
an hour becomes UNKNOWN. Each write holds only while the
item is still as it was read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from foreword.app.ports import Clock, DueCustomers, DueMessages, Journal
from foreword.domain.due import all_due_shards
from foreword.domain.facts import DEADLINE_REACHED, FOREWORD, Fact
from foreword.domain.instants import MINUTE, SECOND, Duration, Instant, sortable
from foreword.domain.messages import Message, MessageStatus

Item = TypeVar("Item")


WAKE_AGAIN_AFTER: Duration = 15 * MINUTE
"""A customer still due is woken again, under another id: the first call may be lost with its stream record."""

MOST_TIME: Duration = 40 * SECOND
"""After this the tick begins no further shard: the next one goes on."""


@dataclass(slots=True)
class Released:
    """Counts; `failed` holds the kinds of errors met, one an item (or index) that the next tick asks again.

    `nudged` are messages that were READY and not looked at; `shards_left` what the time did not suffice for.
    """

    woken: int = 0
    released: int = 0
    nudged: int = 0
    unknown: int = 0
    shards_left: int = 0
    failed: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ReleaseDue:
    journal: Journal
    customers: DueCustomers
    messages: DueMessages
    clock: Clock

    def __call__(self) -> Released:
        now = self.clock.now()
        done = Released()
        # Each tick begins at another shard: when all mornings come at once, none waits for ever behind the others.
        shards = all_due_shards()
        first = now // MINUTE % len(shards)
        for at, shard in enumerate(shards[first:] + shards[:first]):
            if self.clock.now() - now > MOST_TIME:
                done.shards_left = len(shards) - at
                break
            self._each(partial(self.messages.due, shard, now), partial(self._move, now, done), done)
            self._each(partial(self.customers.due, shard, now), partial(self._wake, now, done), done)
        return done

    def _each(self, due: Callable[[], Iterable[Item]], act: Callable[[Item], None], done: Released) -> None:
        try:
            for item in due():
                try:
                    act(item)
                except Exception as error:  # noqa: BLE001  one item's trouble must not hold up all others
                    done.failed.append(type(error).__name__)
        except Exception as error:  # noqa: BLE001  nor one shard's
            done.failed.append(type(error).__name__)

    def _wake(self, now: Instant, done: Released, due: tuple[str, Instant]) -> None:
        customer_id, due_at = due
        fact = Fact(
            source=FOREWORD,
            id=f"deadline/{sortable(due_at)}/{now // WAKE_AGAIN_AFTER}",
            type=DEADLINE_REACHED,
            customer_id=customer_id,
            occurred_at=now,
            received_at=now,
        )
        if self.journal.add(fact):
            done.woken += 1

    def _move(self, now: Instant, done: Released, due: tuple[str, str]) -> None:
        message = self.messages.load(*due)
        if message is None or message.due_at is None or message.due_at > now:
            return  # the index lags behind the item
        after = _moved(message, now)
        if after is None or not self.messages.replace(message, after):
            return
        if after.status is MessageStatus.UNKNOWN:
            done.unknown += 1
        elif message.status is MessageStatus.READY:
            done.nudged += 1
        else:
            done.released += 1


def _moved(message: Message, now: Instant) -> Message | None:
    if message.status in (MessageStatus.DEFERRED, MessageStatus.READY):
        return message.ready_again(now)
    if message.status is MessageStatus.CALLING:
        return message.unknown(now)
    return None
