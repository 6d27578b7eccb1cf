"""Who is told when a message arrives in a queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from moto.sqs.models import Message, Queue

from foreword.local.mends.patching import patched


@contextmanager
def told_of_arrivals(arrived: Callable[[Queue, Message], None]) -> Iterator[None]:
    original = Queue.add_message

    def add_message(self: Queue, message: Message) -> None:
        original(self, message)
        arrived(self, message)

    with patched(Queue, "add_message", add_message):
        yield
