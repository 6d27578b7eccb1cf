"""What the use cases need of the world, as Protocols; the adapters and the tests' fakes fit them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from foreword.domain.consent import Consents
from foreword.domain.content import Content, EmailContent, SmsContent
from foreword.domain.errors import InvalidEvent
from foreword.domain.facts import Fact
from foreword.domain.instants import Instant
from foreword.domain.messages import Message
from foreword.domain.outgoing import OutgoingEvent
from foreword.domain.profiles import Profile
from foreword.domain.rulebook import Channel


class Clock(Protocol):
    def now(self) -> Instant: ...


class Journal(Protocol):
    def add(self, fact: Fact) -> bool:
        """Whether it was new. A fact whose identity is known already is left as it is."""
        ...


class FactReader(Protocol):
    def read(self, customer_id: str) -> list[Fact]:
        """The customer's whole journal, in no order, read with strong consistency."""
        ...


class Quarantine(Protocol):
    def put(self, body: str, error: InvalidEvent) -> None:
        """Keep a refused event as it came, with its reason."""
        ...


@dataclass(frozen=True, slots=True)
class StoredState:
    """A customer as stored. `state` is JSON text, None before the first fold; `version` guards the next write.

    `generation` is that of the rulebook which folded it last.
    """

    state: str | None
    generation: str | None
    version: int
    parked: bool
    profile: Profile


class CustomerStates(Protocol):
    def load(self, customer_id: str, *, fresh: bool = False) -> StoredState:
        """As it was when last known here, or where it must be `fresh`, read with strong consistency.

        Raises StoreUnavailable where a part did not come.
        """
        ...

    def save(
        self,
        stored: StoredState,
        customer_id: str,
        state: str,
        generation: str,
        due_at: Instant | None,
        messages: Sequence[Message],
    ) -> bool:
        """In one transaction, over `stored`; False, and nothing written, where that is no longer what stands.

        Where there are messages, that goes for the profile too: they were decided on it. A message that exists
        already stays as it is: its reason was decided before.
        """
        ...

    def park(self, stored: StoredState, customer_id: str, due_at: Instant) -> bool:
        """Mark the customer, leaving the state as it is; False where it changed meanwhile."""
        ...


class EventBus(Protocol):
    def put(self, events: Sequence[OutgoingEvent]) -> None:
        """Raises EventsNotAccepted naming those that are not on the bus; all others are."""
        ...


class Messages(Protocol):
    """The outbox."""

    def load(self, customer_id: str, message_id: str) -> Message | None:
        """Read with strong consistency."""
        ...

    def replace(self, before: Message, after: Message) -> bool:
        """Write `after` where `before` still stands; False, and nothing written, where it does not."""
        ...


class UnsentMessages(Protocol):
    def named(self, customer_id: str, short_id: str) -> Message | None:
        """The message whose id begins so, read with strong consistency."""
        ...

    def replace(self, before: Message, after: Message) -> bool:
        """As for `Messages`."""
        ...


class DueMessages(Messages, Protocol):
    def due(self, shard: str, now: Instant) -> Iterable[tuple[str, str]]:
        """(customer_id, message_id) of what is due at or before `now`, from an index that may lag."""
        ...


class DueCustomers(Protocol):
    def due(self, shard: str, now: Instant) -> Iterable[tuple[str, Instant]]:
        """(customer_id, due_at) of the customers with a deadline at or before `now`."""
        ...


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that a send is judged by, read in one request with strong consistency."""

    message: Message | None
    profile: Profile
    consents: Consents


class Outbox(Messages, Protocol):
    def dossier(self, customer_id: str, message_id: str) -> Dossier:
        """Raises StoreUnavailable where any part of it cannot be read."""
        ...

    def claim(self, dossier: Dossier, claimed: Message) -> bool:
        """In one transaction: the message READY -> CALLING, if all of the dossier still stands.

        True also when the claim was refused because this very attempt had been written before.
        """
        ...


@dataclass(frozen=True, slots=True)
class Accepted:
    provider_message_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It is certain that nothing went out; `retryable` where the cause lies outside the message."""

    code: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """The provider may have accepted it: it must not be called again."""

    code: str


ProviderOutcome: TypeAlias = Accepted | Refused | OutcomeUnknown
ProviderCall: TypeAlias = Callable[[], ProviderOutcome]


class Renderer(Protocol):
    def render(self, message: Message, channel: Channel, profile: Profile) -> Content:
        """Raises InvalidTemplate."""
        ...


class Mailer(Protocol):
    def prepare(self, message: Message, address: str, content: EmailContent) -> ProviderCall:
        """All that can fail without the provider, to be done before the claim; raises InvalidTemplate."""
        ...


class Texter(Protocol):
    def prepare(self, message: Message, address: str, content: SmsContent) -> ProviderCall:
        """As for e-mail."""
        ...
