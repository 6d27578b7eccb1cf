"""What the customer's own page shows, and what a form sent from it changes. Pure.

A form says what it showed, so that only what the customer touched is changed; a box that has come to stand as
wanted meanwhile is left alone. A form older than the consents may close (opt out, pause, stop) and never open:
whoever sends an old form again cannot undo a later opt-out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from foreword.domain.consent import Consents, allows, asks_for_opt_in
from foreword.domain.instants import DAY, Instant, format_duration, format_instant
from foreword.domain.preference_changes import ANY
from foreword.domain.rulebook import Channel, Mode, Policy, Purpose, Rulebook

CONFIRMATION_TOPIC = "confirmation"
"""Of the message that asks to confirm an opt-in; not to be chosen."""

PAUSE_DAYS = 30
LIMITS = ("3/7d", "1/7d", "1/30d")
"""How often at most, as the page offers it: count and span."""

Data = dict[str, Any]
"""The data of a PreferenceChanged; empty where nothing changes."""


@dataclass(frozen=True, slots=True)
class Topic:
    """`titles` by language."""

    name: str
    titles: Mapping[str, str]
    channels: tuple[Channel, ...]
    purposes: frozenset[Purpose]

    @property
    def is_critical(self) -> bool:
        return Purpose.CRITICAL in self.purposes

    def needs_opt_in(self, policy: Policy) -> bool:
        return any(asks_for_opt_in(policy, purpose) for purpose in self.purposes)

    def title(self, language: str) -> str:
        return self.titles.get(language) or next(iter(self.titles.values()), self._spelled)

    @property
    def _spelled(self) -> str:
        return self.name.replace("-", " ").capitalize()


def topics_of(rulebook: Rulebook) -> tuple[Topic, ...]:
    """Of every send of a rule that is not a draft, by name."""
    channels: dict[str, set[Channel]] = {}
    purposes: dict[str, set[Purpose]] = {}
    for rule in rulebook.rules:
        for send in rule.sends if rule.mode is not Mode.DRAFT else ():
            channels.setdefault(send.topic, set()).update(send.channels)
            purposes.setdefault(send.topic, set()).add(send.purpose)
    return tuple(
        Topic(
            name,
            rulebook.policy.topics.get(name, {}),
            tuple(channel for channel in Channel if channel in channels[name]),
            frozenset(purposes[name]),
        )
        for name in sorted(channels.keys() - {CONFIRMATION_TOPIC})
    )


@dataclass(frozen=True, slots=True)
class Form:
    """What the browser sent: `shown` are the boxes as they stood on the page, `checked` those that are now.

    `version` is that of the consents the page was made from.
    """

    action: str = ""
    version: int = -1
    shown: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    checked: frozenset[tuple[str, str]] = frozenset()
    limit: str = ""
    preferred: str = ""


@dataclass(frozen=True, slots=True)
class Judge:
    """What stands now, for one customer."""

    topics: Sequence[Topic]
    policy: Policy
    consents: Consents
    now: Instant

    def is_on(self, topic: Topic, channel: Channel) -> bool:
        """Whether the customer gets messages of it, or has asked to."""
        return self._is_allowed(topic, channel) or self.is_waiting(topic, channel)

    def is_waiting(self, topic: Topic, channel: Channel) -> bool:
        """Whether an opt-in still has to be confirmed."""
        return (
            not self._is_allowed(topic, channel)
            and topic.needs_opt_in(self.policy)
            and self.consents.unconfirmed(topic.name, channel) is not None
        )

    def waiting(self, by: Channel) -> list[tuple[Topic, Channel]]:
        """The opt-ins that are confirmed `by` that channel."""
        return [
            (topic, channel)
            for topic, channel in self._boxes()
            if confirmed_by(channel) is by and self.is_waiting(topic, channel)
        ]

    @property
    def is_paused(self) -> bool:
        return self.consents.pauses(Purpose.SERVICE, self.now)

    @property
    def limit(self) -> str:
        """As the page writes it; empty for none."""
        limit = self.consents.at_most
        return "" if limit is None else f"{limit.count}/{format_duration(limit.within)}"

    @property
    def preferred(self) -> str:
        return next(iter(self.consents.preferred), "")

    def changed_by(self, form: Form) -> Data:
        match form.action:
            case "save":
                return self._saved(form)
            case "pause" if not self.is_paused:
                return {"paused_until": format_instant(self.now + PAUSE_DAYS * DAY)}
            case "resume" if self.is_paused and self._is_fresh(form):
                return {"paused_until": None}
            case "stop":
                return self.stopped()
        return {}

    def stopped(self) -> Data:
        """Everything there is, on every channel."""
        return self._closed(ANY, self._known())

    def unsubscribed(self, topic: str) -> Data:
        """On every channel: whoever leaves a topic by e-mail does not want it as a text message instead."""
        return self._closed(topic, {key for key in self._known() if key[0] in (topic, ANY)})

    def confirmed(self, shown: Iterable[tuple[str, str]], by: Channel) -> Data:
        """Of what was shown, what still waits for it."""
        asked = set(shown)
        waiting = [(topic.name, channel.value) for topic, channel in self.waiting(by)]
        choices = [_choice(key, "in", "confirmed") for key in waiting if key in asked]
        return {"choices": choices} if choices else {}

    def _saved(self, form: Form) -> Data:
        fresh = self._is_fresh(form)
        choices = []
        for topic, channel in self._boxes():
            key = (topic.name, channel.value)
            was, wanted = form.shown.get(key), key in form.checked
            if was is None or was is wanted or self.is_on(topic, channel) is wanted:
                continue
            if not wanted:
                choices.append(_choice(key, "out"))
            elif fresh:
                choices.append(_choice(key, "in", "pending" if topic.needs_opt_in(self.policy) else None))
        data: Data = {"choices": choices} if choices else {}
        if fresh and form.limit != self.limit and form.limit in ("", *LIMITS):
            count, _, within = form.limit.partition("/")
            data["at_most"] = {"count": int(count), "within": within} if form.limit else None
        if fresh and form.preferred != self.preferred and form.preferred in ("", *Channel):
            data["preferred"] = [form.preferred] if form.preferred else []
        return data

    def _closed(self, topic: str, keys: Iterable[tuple[str, str]]) -> Data:
        """Out of the topic, unless that was the last that was said of all of these."""
        end = self.consents.choices.get((topic, ANY))
        if end is not None and not end.opted_in:
            entries = (
                entry
                for key in keys
                for entry in (self.consents.choices.get(key), self.consents.pending.get(key))
            )
            if not any(it is not None and it.opted_in and it.written > end.written for it in entries):
                return {}
        return {"choices": [_choice((topic, ANY), "out")]}

    def _is_allowed(self, topic: Topic, channel: Channel) -> bool:
        return any(
            allows(self.consents, self.policy, purpose, topic.name, channel) for purpose in topic.purposes
        )

    def _known(self) -> set[tuple[str, str]]:
        return {*self.consents.choices, *self.consents.pending}

    def _boxes(self) -> list[tuple[Topic, Channel]]:
        return [(topic, channel) for topic in self.topics for channel in topic.channels]

    def _is_fresh(self, form: Form) -> bool:
        return form.version == self.consents.version


def confirmed_by(channel: Channel) -> Channel:
    """Where it is asked whether an opt-in was meant: on the channel itself, or by e-mail where it cannot be."""
    return channel if channel is Channel.SMS else Channel.EMAIL


def after_all(consents: Consents, now: Instant) -> Instant:
    """When a change made now happens: later than whatever is known, though another's clock be ahead of ours."""
    choices = (*consents.choices.values(), *consents.pending.values())
    written = [one.written for one in choices] + [one.written for one in consents.settings.values()]
    return max((now, *(occurred_at + 1 for occurred_at, _, _ in written)))


def _choice(key: tuple[str, str], choice: str, confirmation: str | None = None) -> Data:
    data = {"topic": key[0], "channel": key[1], "choice": choice}
    return data if confirmation is None else {**data, "confirmation": confirmation}
