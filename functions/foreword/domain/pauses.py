"""The emergency stop: what is paused by hand, for all customers, until it is resumed."""

from __future__ import annotations

from dataclasses import dataclass

from foreword.domain.instants import MINUTE, Duration
from foreword.domain.messages import Message
from foreword.domain.rulebook import Channel

LOOK_AGAIN: Duration = MINUTE
"""A paused message is looked at again after so long, until it expires."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """`everything`, or the rules, channels and topics by name."""

    everything: bool = False
    rules: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()

    def stops(self, message: Message, channel: Channel) -> bool:
        return (
            self.everything
            or message.rule in self.rules
            or message.topic in self.topics
            or channel.value in self.channels
        )


NO_PAUSES = Pauses()
