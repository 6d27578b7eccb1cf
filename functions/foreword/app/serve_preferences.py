"""The customer's own page, unsubscribing with one click, and confirming an opt-in. Looking changes nothing.

    1 read      profile and consents, consistently
    2 decide    what the request changes; nothing where all of it stands already
    3 tell      PreferenceChanged on the bus, and ConfirmationRequested for each channel an opt-in waits on
    4 commit    journal, consents and history in one transaction: from here on no claim passes that it closes
    5 look      read again: where another change came in between and won, once more from 2

| dies or fails             | leaves                                                                       |
|---------------------------|------------------------------------------------------------------------------|
| before 3                  | nothing changed, and the customer is told so                                 |
| 3 fails                   | an opt-out goes on: it must not wait for a bus. An opt-in ends here, unsaved |
| between 3 and 4           | record_activity commits the same fact from the bus, under the same id        |
| 4 loses to another writer | JournalWriter merges anew; in the end the customer is told to try again      |
| after 4                   | in force; the same request finds nothing left to change                      |

The bus comes first so that no committed change is ever unheard of by others; the fact's id names the link, the
consents' version and what is changed, so that whichever of the two ways is second finds a duplicate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from foreword.app.ports import Clock, CustomerChoices, EventBus, Journal
from foreword.domain import json_text
from foreword.domain.consent import Consents, allows
from foreword.domain.errors import EventsNotAccepted, StoreConflict
from foreword.domain.facts import CONFIRMATION_REQUESTED, FOREWORD, PREFERENCE_CHANGED, Fact
from foreword.domain.instants import Instant
from foreword.domain.outgoing import OutgoingEvent
from foreword.domain.preference_links import Link, LinkPurpose, LinkSigner, link_to
from foreword.domain.preference_page import (
    CONFIRMATION_TOPIC,
    LIMITS,
    Data,
    Form,
    Judge,
    Topic,
    after_all,
    confirmed_by,
)
from foreword.domain.profiles import Profile
from foreword.domain.quiet_hours import zone_of
from foreword.domain.rulebook import Channel, Policy, Purpose

TRIES = 3
_VIA = {
    LinkPurpose.UNSUBSCRIBE: "one-click",
    LinkPurpose.PREFERENCES: "page",
    LinkPurpose.CONFIRM: "confirm-link",
}


@dataclass(frozen=True, slots=True)
class PageRequest:
    """`writes` for a POST, `is_head` for a HEAD. `languages` are those that the browser asks for."""

    purpose: LinkPurpose
    token: str
    writes: bool
    form: Form = field(default_factory=Form)
    languages: tuple[str, ...] = ()
    is_head: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A page by its name, with what it shows; `languages` in the order in which they are wanted."""

    name: str
    languages: tuple[str, ...]
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """`changed` where the request changed something; `told` is False where the bus did not take that."""

    shows: View
    changed: bool = False
    told: bool = True


Decide: TypeAlias = Callable[[Judge], Data]


@dataclass(frozen=True, slots=True)
class ServePreferences:
    customers: CustomerChoices
    journal: Journal
    bus: EventBus
    signer: Callable[[], LinkSigner]
    base_url: str
    topics: Sequence[Topic]
    policy: Policy
    clock: Clock

    def __call__(self, request: PageRequest) -> Answer:
        """Raises StoreConflict, StoreUnavailable or EventsNotAccepted where it cannot say that it was saved."""
        link = self.signer().read(request.token, request.purpose, self.clock.now())
        if link is None:
            return Answer(View("invalid", request.languages, status=404))
        profile, consents = self.customers.read(link.customer_id)
        if profile.erased:
            return Answer(View("invalid", request.languages, status=404))
        changed, told = False, True
        if request.writes:
            before = consents
            consents, told = self._change(link, request, profile, consents)
            changed = consents is not before
        return Answer(self._view(link, request, profile, self._judge(consents), changed), changed, told)

    # ---- looking

    def _view(self, link: Link, request: PageRequest, profile: Profile, judge: Judge, changed: bool) -> View:
        locale = profile.value("locale")
        languages = (locale, *request.languages) if isinstance(locale, str) else request.languages
        match link.purpose:
            case LinkPurpose.UNSUBSCRIBE:
                name = "unsubscribed" if request.writes else "unsubscribe"
                return View(name, languages, {"topic": self._topic(link.about)})
            case LinkPurpose.CONFIRM:
                boxes = judge.waiting(Channel(link.about))
                values = [{"topic": topic, "channel": channel.value} for topic, channel in boxes]
                return View("confirm" if values else "confirmed", languages, {"waiting": values})
            case LinkPurpose.PREFERENCES:
                zone = zone_of(profile.value("timezone"), self.policy.default_timezone)
                done = (request.form.action if changed else "nothing") if request.writes else ""
                return View("preferences", languages, {**_shown(judge), "zone": zone.key, "done": done})

    def _topic(self, name: str) -> Topic:
        """Also one that no rule speaks of any more: its messages are still in mailboxes."""
        known = (topic for topic in self.topics if topic.name == name)
        return next(known, Topic(name, self.policy.topics.get(name, {}), (), frozenset()))

    # ---- changing

    def _change(
        self, link: Link, request: PageRequest, profile: Profile, consents: Consents
    ) -> tuple[Consents, bool]:
        """The consents as they stand then, and whether the bus was told of every change."""
        told = True
        for _ in range(TRIES):
            judge = self._judge(consents)
            data = self._decided(link, request, judge)
            if not data:
                return consents, told
            told = self._save(link, profile, judge, data) and told
            _, consents = self.customers.read(link.customer_id)
        if self._decided(link, request, self._judge(consents)):
            raise StoreConflict(f"the choices changed at each of {TRIES} tries")
        return consents, told

    def _decided(self, link: Link, request: PageRequest, judge: Judge) -> Data:
        match link.purpose:
            case LinkPurpose.UNSUBSCRIBE:
                return judge.unsubscribed(link.about)
            case LinkPurpose.CONFIRM:
                return judge.confirmed(request.form.shown, Channel(link.about))
            case LinkPurpose.PREFERENCES:
                return judge.changed_by(request.form)

    def _save(self, link: Link, profile: Profile, judge: Judge, data: Data) -> bool:
        """Gives whether the bus was told."""
        asked = _channels_to_ask(data)
        data = {**data, "choices": _with_the_asking(data, asked, judge)} if asked else data
        data = {**data, "via": _VIA[link.purpose]}
        if any(choice["choice"] == "in" for choice in data.get("choices", ())):
            data["basis"] = "consent"
        digest = hashlib.sha256(json_text.dumps(data).encode()).hexdigest()[:12]
        id = f"{link.message_id}/{_VIA[link.purpose]}/{judge.consents.version}/{digest}"
        at = after_all(judge.consents, judge.now)
        requests = [self._request(link, profile, data, channel, f"{id}/{channel}", at) for channel in asked]
        told = True
        try:
            self.bus.put([OutgoingEvent(PREFERENCE_CHANGED, id, link.customer_id, at, data), *requests])
        except EventsNotAccepted:
            if asked:
                raise
            told = False
        self.journal.add(Fact(FOREWORD, id, PREFERENCE_CHANGED, link.customer_id, at, judge.now, data))
        return told

    def _request(
        self, link: Link, profile: Profile, data: Data, channel: Channel, id: str, at: Instant
    ) -> OutgoingEvent:
        """What a rule answers with the message that asks whether it was meant."""
        confirm = Link(LinkPurpose.CONFIRM, link.customer_id, link.message_id, at, channel.value)
        language = str(profile.value("locale") or "").partition("-")[0]
        topics = [
            self._topic(choice["topic"]).title(language)
            for choice in data["choices"]
            if _waits(choice) and confirmed_by(Channel(choice["channel"])) is channel
        ]
        told = {"channel": channel.value, "topics": ", ".join(dict.fromkeys(topics))}
        url = link_to(self.base_url, self.signer(), confirm)
        return OutgoingEvent(CONFIRMATION_REQUESTED, id, link.customer_id, at, {**told, "confirm_url": url})

    def _judge(self, consents: Consents) -> Judge:
        return Judge(self.topics, self.policy, consents, self.clock.now())


def _shown(judge: Judge) -> dict[str, Any]:
    rows = [{"topic": topic, "boxes": _boxes(judge, topic)} for topic in judge.topics]
    limits = [*LIMITS] if judge.limit in ("", *LIMITS) else [judge.limit, *LIMITS]
    return {
        "rows": rows,
        "version": judge.consents.version,
        "paused_until": judge.consents.paused_until if judge.is_paused else None,
        "limit": judge.limit,
        "limits": limits,
        "preferred": judge.preferred,
        "channels": [c.value for c in Channel if any(c in topic.channels for topic in judge.topics)],
        "is_stopped": not judge.stopped(),
        "is_off": not any(
            judge.is_on(topic, channel) for topic in judge.topics for channel in topic.channels
        ),
    }


def _boxes(judge: Judge, topic: Topic) -> list[dict[str, Any]]:
    return [
        {
            "channel": channel.value,
            "on": judge.is_on(topic, channel),
            "waiting": judge.is_waiting(topic, channel),
        }
        for channel in topic.channels
    ]


def _waits(choice: Mapping[str, Any]) -> bool:
    return choice.get("confirmation") == "pending"


def _channels_to_ask(data: Data) -> list[Channel]:
    asked = {confirmed_by(Channel(choice["channel"])) for choice in data.get("choices", ()) if _waits(choice)}
    return sorted(asked)


def _with_the_asking(data: Data, asked: Sequence[Channel], judge: Judge) -> list[Data]:
    """Whoever had stopped everything, and opts in again, has asked for the message that asks back."""
    closed = [
        channel
        for channel in asked
        if not allows(judge.consents, judge.policy, Purpose.CRITICAL, CONFIRMATION_TOPIC, channel)
    ]
    opened = [{"topic": CONFIRMATION_TOPIC, "channel": channel.value, "choice": "in"} for channel in closed]
    return [*data["choices"], *opened]
