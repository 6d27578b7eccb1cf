"""What a customer chose to receive, and what may not be written to at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from foreword.domain.errors import InvalidEvent
from foreword.domain.facts import Fact
from foreword.domain.instants import Instant
from foreword.domain.reasons import QuarantineReason
from foreword.domain.rulebook import Channel, Policy, Purpose
from foreword.domain.suppression import suppression

ANY_CHANNEL = "any"
"""A choice for a topic on every channel."""

_CHANNELS = (*(channel.value for channel in Channel), ANY_CHANNEL)
_WITHOUT_A_RECORD = {Purpose.MARKETING: "opt-in", Purpose.SERVICE: "opt-out", Purpose.CRITICAL: "opt-out"}


@dataclass(frozen=True, slots=True)
class Choice:
    """`written` is the order of the fact that made it: event time, first receipt, key."""

    opted_in: bool
    written: tuple[Instant, Instant, str]


@dataclass(frozen=True, slots=True)
class Consents:
    """`choices` by (topic, channel or "any"); `suppressed` holds addresses, by their hashes, and whole channels.

    `version` counts its writes, 0 for a customer who never chose.
    """

    customer_id: str
    choices: Mapping[tuple[str, str], Choice] = field(default_factory=dict)
    suppressed: frozenset[str] = frozenset()
    version: int = 0

    def merge(self, fact: Fact) -> Consents:
        """The consents after a PreferenceChanged; the order of arrival does not matter.

        Raises InvalidEvent when its data is not a topic, a channel and a choice.
        """
        topic, channel, choice = (fact.data.get(name) for name in ("topic", "channel", "choice"))
        if not isinstance(topic, str) or not topic:
            raise InvalidEvent(QuarantineReason.BREAKS_SCHEMA, "data.topic must name a topic")
        if not isinstance(channel, str) or channel not in _CHANNELS:
            known = ", ".join(_CHANNELS)
            raise InvalidEvent(QuarantineReason.BREAKS_SCHEMA, f"data.channel must be one of {known}")
        if choice not in ("in", "out"):
            raise InvalidEvent(QuarantineReason.BREAKS_SCHEMA, 'data.choice must be "in" or "out"')
        present = self.choices.get((topic, channel))
        if present is not None and present.written >= fact.order:
            return self
        return replace(self, choices={**self.choices, (topic, channel): Choice(choice == "in", fact.order)})

    def choice(self, topic: str, channel: Channel) -> Choice | None:
        """The later one of the choice for this channel and the choice for the whole topic."""
        made = (self.choices.get((topic, channel.value)), self.choices.get((topic, ANY_CHANNEL)))
        return max((choice for choice in made if choice is not None), key=lambda it: it.written, default=None)

    def suppresses(self, channel: Channel, address: str | None) -> bool:
        """Whether the channel, or this address on it, must not be written to, whatever was chosen."""
        return channel.value in self.suppressed or (
            address is not None and suppression(self.customer_id, channel, address) in self.suppressed
        )


def allows(consents: Consents, policy: Policy, purpose: Purpose, topic: str, channel: Channel) -> bool:
    """Whether consent is given. Critical needs no opt-in, but an opt-out stops it as well."""
    choice = consents.choice(topic, channel)
    if choice is not None:
        return choice.opted_in
    if purpose is Purpose.CRITICAL:
        return True
    return policy.consent.get(purpose, _WITHOUT_A_RECORD[purpose]) == "opt-out"
