"""What a customer chose to receive, and what may not be written to at all.

Everything here is the last of its kind by the order of its fact, whichever arrived first: a choice by topic and
channel, one that waits for its confirmation, and each setting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeAlias, TypeVar

from foreword.domain.facts import Fact
from foreword.domain.instants import Instant
from foreword.domain.preference_changes import ANY, AtMost, Key, read_change
from foreword.domain.rulebook import Channel, Policy, Purpose
from foreword.domain.suppression import suppression

Written: TypeAlias = tuple[Instant, Instant, str]
"""The order of a fact: event time, first receipt, key."""

_WITHOUT_A_RECORD = {Purpose.MARKETING: "opt-in", Purpose.SERVICE: "opt-out", Purpose.CRITICAL: "opt-out"}


@dataclass(frozen=True, slots=True)
class Choice:
    """`basis` is the legal basis that its source named, `via` how it reached us."""

    opted_in: bool
    written: Written
    basis: str | None = None
    via: str | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds for all messages; None where it was taken back."""

    value: Any
    written: Written


class _Dated(Protocol):
    @property
    def written(self) -> Written: ...


D = TypeVar("D", bound=_Dated)


@dataclass(frozen=True, slots=True)
class Consents:
    """`choices` by (topic, channel), either perhaps "any"; `suppressed` holds addresses, by their hashes, and
    whole channels.

    `pending` are opt-ins that nobody has confirmed, `settings` what `preference_changes.SETTINGS` names.
    `version` counts its writes, 0 for a customer who never chose.
    """

    customer_id: str
    choices: Mapping[Key, Choice] = field(default_factory=dict)
    suppressed: frozenset[str] = frozenset()
    version: int = 0
    pending: Mapping[Key, Choice] = field(default_factory=dict)
    settings: Mapping[str, Setting] = field(default_factory=dict)

    def merge(self, fact: Fact) -> Consents:
        """The consents after a PreferenceChanged; the order of arrival does not matter.

        Raises InvalidEvent where its data is none (see `read_change`).
        """
        change = read_change(fact.data)
        made = {
            chosen.key: (chosen, Choice(chosen.opted_in, fact.order, change.basis, change.via))
            for chosen in change.choices
        }
        return replace(
            self,
            choices=_latest(self.choices, {key: it for key, (one, it) in made.items() if not one.pending}),
            pending=_latest(self.pending, {key: it for key, (one, it) in made.items() if one.pending}),
            settings=_latest(
                self.settings, {name: Setting(value, fact.order) for name, value in change.settings.items()}
            ),
        )

    def choice(self, topic: str, channel: Channel) -> Choice | None:
        """The last that counts: for this channel, for the whole topic, or for everything."""
        return _last(self.choices, topic, channel)

    def unconfirmed(self, topic: str, channel: Channel) -> Choice | None:
        """The opt-in that waits for its confirmation, unless something was decided since."""
        waiting, decided = _last(self.pending, topic, channel), self.choice(topic, channel)
        if waiting is None or (decided is not None and decided.written > waiting.written):
            return None
        return waiting

    @property
    def paused_until(self) -> Instant | None:
        """Until then nothing but critical messages."""
        until: Instant | None = self._setting("paused_until")
        return until

    @property
    def preferred(self) -> tuple[Channel, ...]:
        """The channels that the customer would rather be written to on, best first."""
        return tuple(Channel(value) for value in self._setting("preferred") or ())

    @property
    def at_most(self) -> AtMost | None:
        """How often the customer wants to hear of us; critical messages do not count."""
        limit: AtMost | None = self._setting("at_most")
        return limit

    def pauses(self, purpose: Purpose, now: Instant) -> bool:
        until = self.paused_until
        return purpose is not Purpose.CRITICAL and until is not None and now < until

    def in_order(self, channels: Iterable[Channel]) -> tuple[Channel, ...]:
        """`channels` as the customer prefers them: in another order, never more of them."""
        ranks = {channel: rank for rank, channel in enumerate(self.preferred)}
        return tuple(sorted(channels, key=lambda channel: ranks.get(channel, len(ranks))))

    def suppresses(self, channel: Channel, address: str | None) -> bool:
        """Whether the channel, or this address on it, must not be written to, whatever was chosen."""
        return channel.value in self.suppressed or (
            address is not None and suppression(self.customer_id, channel, address) in self.suppressed
        )

    def _setting(self, name: str) -> Any:
        setting = self.settings.get(name)
        return None if setting is None else setting.value


def allows(consents: Consents, policy: Policy, purpose: Purpose, topic: str, channel: Channel) -> bool:
    """Whether consent is given. Critical needs no opt-in, but an opt-out stops it as well.

    Where an opt-in is asked for, one that is not confirmed changes nothing; elsewhere it takes an opt-out back.
    """
    needs_opt_in = asks_for_opt_in(policy, purpose)
    if not needs_opt_in and consents.unconfirmed(topic, channel) is not None:
        return True
    choice = consents.choice(topic, channel)
    return not needs_opt_in if choice is None else choice.opted_in


def asks_for_opt_in(policy: Policy, purpose: Purpose) -> bool:
    if purpose is Purpose.CRITICAL:
        return False
    return policy.consent.get(purpose, _WITHOUT_A_RECORD[purpose]) == "opt-in"


def _latest(present: Mapping[Any, D], new: Mapping[Any, D]) -> Mapping[Any, D]:
    won = {
        key: entry for key, entry in new.items() if key not in present or present[key].written < entry.written
    }
    return {**present, **won} if won else present


def _last(entries: Mapping[Key, Choice], topic: str, channel: Channel) -> Choice | None:
    keys = ((topic, channel.value), (topic, ANY), (ANY, channel.value), (ANY, ANY))
    return max((entries[key] for key in keys if key in entries), key=lambda it: it.written, default=None)
