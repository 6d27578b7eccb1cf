"""The outbox, the providers and the bus in memory: a few lines each, with the real ones' own promises."""

from __future__ import annotations

from collections import Counter as TallyOf
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from foreword.app.delivery_gates import DeliveryGates, HoldsOf
from foreword.app.ports import NO_CHANGES, Accepted, Changes, Claim, Dossier, ProviderCall, ProviderOutcome
from foreword.domain.consent import Consents
from foreword.domain.contact_history import Step
from foreword.domain.content import Content, EmailContent, MessageLinks, SmsContent
from foreword.domain.due import due_shard
from foreword.domain.errors import EventsNotAccepted, InvalidTemplate, StoreUnavailable
from foreword.domain.facts import Fact
from foreword.domain.follow_ups import FollowUps
from foreword.domain.holds import NO_HOLDS
from foreword.domain.instants import Instant
from foreword.domain.ledger import Ledger
from foreword.domain.messages import Message
from foreword.domain.outgoing import OutgoingEvent
from foreword.domain.pauses import NO_PAUSES, Pauses
from foreword.domain.profiles import Profile
from foreword.domain.rulebook import Channel, Policy, Rulebook
from foreword.domain.volume import Counter

Key = tuple[str, str]


def nothing() -> None:
    """What happens around a write where no test says otherwise."""


@dataclass
class FakeOutbox:
    """`before_write` and `after_write` are called around every write: what raises there is a crash."""

    messages: dict[Key, Message] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    consents: dict[str, Consents] = field(default_factory=dict)
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    counted: TallyOf[str] = field(default_factory=TallyOf)
    steps: dict[Key, set[Step]] = field(default_factory=dict)
    written: list[Message] = field(default_factory=list)
    before_write: Callable[[], None] = nothing
    after_write: Callable[[], None] = nothing

    def add(self, message: Message) -> None:
        self.messages[message.customer_id, message.message_id] = message

    def load(self, customer_id: str, message_id: str) -> Message | None:
        return self.messages.get((customer_id, message_id))

    def named(self, customer_id: str, short_id: str) -> Message | None:
        mine = (it for it in self.messages.values() if it.customer_id == customer_id)
        return next((it for it in mine if it.message_id.startswith(short_id)), None)

    def replace(self, before: Message, after: Message) -> bool:
        """A place or a count that the message gives up is given back with it, whatever the ledger's version."""
        gone = before.message_id if before.has_place and not after.has_place else None
        return self._write(before, after, gone=gone) is Claim.CLAIMED

    def decide(self, customer_id: str, changes: Changes) -> bool:
        """As the customer's state is saved: the new messages with all that changes beside them, or nothing."""
        self.before_write()
        held = self._stands(customer_id, changes)
        if held:
            for message in changes.messages:
                self.messages.setdefault((customer_id, message.message_id), message)
            self._change(customer_id, changes)
        self.after_write()
        return held

    def note(self, customer_id: str, message_id: str, step: Step) -> bool:
        if (customer_id, message_id) not in self.messages:
            return False
        self.steps.setdefault((customer_id, message_id), set()).add(step)
        return True

    def contacts(self, customer_id: str) -> tuple[Consents, Ledger]:
        return self.consents.get(customer_id, Consents(customer_id)), self._ledger(customer_id)

    def dossier(self, customer_id: str, message_id: str) -> Dossier:
        return Dossier(
            message=self.load(customer_id, message_id),
            profile=self.profiles.get(customer_id, Profile(customer_id)),
            consents=self.consents.get(customer_id, Consents(customer_id)),
            ledger=self.ledgers.get(customer_id, Ledger(customer_id)),
            state=self.states.get(customer_id),
        )

    def claim(
        self,
        dossier: Dossier,
        claimed: Message,
        changes: Changes = NO_CHANGES,
        counters: Sequence[Counter] = (),
    ) -> Claim:
        assert dossier.message is not None
        return self._write(dossier.message, claimed, dossier, changes, counters)

    def write(self, dossier: Dossier, after: Message, changes: Changes) -> bool:
        assert dossier.message is not None
        return self._write(dossier.message, after, None, changes) is Claim.CLAIMED

    def with_room(self, counters: Sequence[Counter]) -> Counter | None:
        return next((it for it in counters if self.counted[it.key] < it.at_most), None)

    def due(self, shard: str, now: Instant) -> Iterator[Key]:
        for (customer_id, message_id), message in list(self.messages.items()):
            if message.due_at is not None and message.due_at <= now and due_shard(customer_id) == shard:
                yield customer_id, message_id

    def _write(
        self,
        before: Message,
        after: Message,
        read: Dossier | None = None,
        changes: Changes = NO_CHANGES,
        counters: Sequence[Counter] = (),
        gone: str | None = None,
    ) -> Claim:
        self.before_write()
        key = (before.customer_id, before.message_id)
        present = self.messages[key]
        won = present.version == before.version and present.status is before.status
        if read is not None:
            now = self.dossier(*key)
            versions = (read.profile.version, read.consents.version)
            won &= (now.profile.version, now.consents.version) == versions and not now.profile.erased
        won &= self._stands(before.customer_id, changes)
        full = any(self.counted[counter.key] >= counter.at_most for counter in counters)
        if won and not full:
            self.messages[key] = after
            self.written.append(after)
            self.counted.update(counter.key for counter in counters)
            self._count_back(before, after)
            self._change(before.customer_id, changes)
            if gone is not None:
                self._put_ledger(self._ledger(before.customer_id).without(gone))
        self.after_write()
        if not won:
            return Claim.CLAIMED if self.messages[key] == after else Claim.LOST
        return Claim.FULL if full else Claim.CLAIMED

    def _stands(self, customer_id: str, changes: Changes) -> bool:
        """Whether all that the changes begin from is still as it was read."""
        stands = all(self.messages[it.customer_id, it.message_id] == it for it, _ in changes.changed)
        return stands and (
            changes.ledger is None or changes.ledger.version == self._ledger(customer_id).version
        )

    def _change(self, customer_id: str, changes: Changes) -> None:
        for before, after in changes.changed:
            self.messages[customer_id, after.message_id] = after
            self.written.append(after)
            self._count_back(before, after)
        if changes.ledger is not None:
            self._put_ledger(changes.ledger)

    def _count_back(self, before: Message, after: Message) -> None:
        kept = (after.volume or "").split(",")
        self.counted.subtract(key for key in (before.volume or "").split(",") if key and key not in kept)

    def _ledger(self, customer_id: str) -> Ledger:
        return self.ledgers.get(customer_id, Ledger(customer_id))

    def _put_ledger(self, ledger: Ledger) -> None:
        self.ledgers[ledger.customer_id] = replace(ledger, version=ledger.version + 1)


@dataclass(frozen=True)
class FakeReach:
    """How the customers of an outbox may be reached, as a decision reads it."""

    outbox: FakeOutbox

    def load(self, customer_id: str) -> tuple[Consents, Ledger]:
        return self.outbox.contacts(customer_id)


@dataclass
class FakeProvider:
    """Of any channel. `accepted` holds the messages it took, `answers` what it says, accepted by default."""

    accepted: list[tuple[str, str | None, Content | None]] = field(default_factory=list)
    calls: int = 0
    answers: list[ProviderOutcome] = field(default_factory=list)
    before_call: Callable[[], None] = nothing

    def prepare(
        self,
        message: Message,
        address: str | None = None,
        content: EmailContent | SmsContent | None = None,
        links: MessageLinks | None = None,
    ) -> ProviderCall:
        def call() -> ProviderOutcome:
            self.before_call()
            self.calls += 1
            outcome = self.answers.pop(0) if self.answers else Accepted(f"provider-{self.calls}")
            if isinstance(outcome, Accepted):
                self.accepted.append((message.message_id, address, content))
            return outcome

        return call


class FakeRequests(FakeProvider):
    def prepare(self, message: Message, channel: Channel) -> ProviderCall:  # type: ignore[override]
        return super().prepare(message)


@dataclass
class FakeRenderer:
    """`fails` raises as a template does that cannot be filled in."""

    fails: bool = False

    def render(
        self, message: Message, channel: Channel, profile: Profile, links: MessageLinks | None
    ) -> Content:
        if self.fails:
            raise InvalidTemplate("renders to nothing")
        if channel is Channel.SMS:
            return SmsContent(f"sms of {message.message}")
        return EmailContent(message.message, f"text of {message.message}", f"<p>{message.message}</p>")


@dataclass
class FakeLinks:
    """`asked_for` holds the messages that got links; `fails` where no key can be read."""

    fails: bool = False
    asked_for: list[str] = field(default_factory=list)

    def links_for(self, message: Message) -> MessageLinks:
        if self.fails:
            raise StoreUnavailable("no keys")
        self.asked_for.append(message.message_id)
        return MessageLinks(
            f"https://links.example/u/{message.message_id}", f"https://links.example/p/{message.message_id}"
        )


@dataclass
class FakeBus:
    """`refuses` are ids of events that it never takes."""

    events: list[OutgoingEvent] = field(default_factory=list)
    refuses: frozenset[str] = frozenset()

    def put(self, events: Sequence[OutgoingEvent]) -> None:
        self.events += [event for event in events if event.id not in self.refuses]
        refused = self.refuses & {event.id for event in events}
        if refused:
            raise EventsNotAccepted(refused)


@dataclass
class FakeSuppressions:
    """`facts` is the journal; `before_write` is called first: what raises there is a crash."""

    facts: dict[tuple[str, str], Fact] = field(default_factory=dict)
    entries: dict[str, set[str]] = field(default_factory=dict)
    before_write: Callable[[], None] = nothing

    def suppress(self, fact: Fact, entry: str) -> bool:
        self.before_write()
        entries = self.entries.setdefault(fact.customer_id, set())
        new = entry not in entries or (fact.customer_id, fact.key) not in self.facts
        self.facts.setdefault((fact.customer_id, fact.key), fact)
        entries.add(entry)
        return new


@dataclass
class FakeDueCustomers:
    deadlines: dict[str, Instant] = field(default_factory=dict)

    def due(self, shard: str, now: Instant) -> Iterator[tuple[str, Instant]]:
        for customer_id, due_at in self.deadlines.items():
            if due_shard(customer_id) == shard and due_at <= now:
                yield customer_id, due_at


@dataclass
class FakePauseSwitch:
    paused: Pauses = NO_PAUSES

    def pauses(self) -> Pauses:
        return self.paused


def delivery_gates(
    policy: Policy, switch: FakePauseSwitch | None = None, holds_of: HoldsOf | None = None
) -> DeliveryGates:
    """Of a rulebook that is nothing but its policy: no rule is asked, and nothing holds without `holds_of`."""
    follow_ups = FollowUps(Rulebook(generation="g", rules=(), policy=policy))
    return DeliveryGates(policy, follow_ups, switch or FakePauseSwitch(), holds_of or (lambda *_: NO_HOLDS))
