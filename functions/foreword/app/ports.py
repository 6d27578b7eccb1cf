"""What the use cases need of the world, as Protocols; the adapters and the tests' fakes fit them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

from foreword.domain.consent import Consents
from foreword.domain.contact_history import Step
from foreword.domain.content import Content, EmailContent, MessageLinks, SmsContent
from foreword.domain.errors import InvalidEvent
from foreword.domain.facts import Fact
from foreword.domain.instants import Instant
from foreword.domain.ledger import Ledger
from foreword.domain.messages import Message
from foreword.domain.outgoing import OutgoingEvent
from foreword.domain.pauses import Pauses
from foreword.domain.peer_values import PeerValue
from foreword.domain.peers_closing import Close, Progress, Truth, Work
from foreword.domain.profiles import Profile
from foreword.domain.reaching import Reach
from foreword.domain.reconciling import Reconciliation
from foreword.domain.rulebook import Channel
from foreword.domain.volume import Counter


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


class Contacts(Protocol):
    """How a customer may be reached."""

    def load(self, customer_id: str) -> tuple[Consents, Ledger]:
        """Read with strong consistency; raises StoreUnavailable where a part did not come."""
        ...


@dataclass(frozen=True, slots=True)
class Changes:
    """What one decision writes: new messages, others that change with them, and the caps' ledger where it does."""

    messages: Sequence[Message] = ()
    changed: Sequence[tuple[Message, Message]] = ()
    ledger: Ledger | None = None


NO_CHANGES = Changes()


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
        changes: Changes,
    ) -> bool:
        """In one transaction, over `stored`; False, and nothing written, where that is no longer what stands.

        That goes for what the changes begin from too and, where there are messages, for the profile: they were
        decided on it. A message that exists already stays as it is: its reason was decided before.
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


class ContactHistory(Messages, Protocol):
    """The outbox, with what became of its messages."""

    def note(self, customer_id: str, message_id: str, step: Step) -> bool:
        """Add the step; the same one twice is one. False where there is no such message, or no room left."""
        ...


class SmsMessages(Protocol):
    def with_sms_id(self, provider_message_id: str) -> tuple[str, str] | None:
        """(customer_id, message_id) of the text message that SNS knows by that id, from an index that may lag."""
        ...


class Suppressions(Protocol):
    def suppress(self, fact: Fact, entry: str) -> bool:
        """Put the fact into the journal and the entry into its customer's suppressions, in one transaction.

        False where both were there. Raises StoreConflict when others kept writing the same customer.
        """
        ...


class CustomersByAddress(Protocol):
    def with_address(self, channel: Channel, key: str) -> Iterable[str]:
        """The customers in whose profile an address of that key stands, from an index that may lag."""
        ...


class ErasedCustomers(Protocol):
    def is_erased(self, customer_id: str) -> bool:
        """As of a minute ago at worst."""
        ...


class PersonalData(Messages, Protocol):
    """All that is stored of a customer, to be erased."""

    def mark(self, customer_id: str, now: Instant) -> Instant:
        """Empty the profile and mark it erased; gives when it was first marked."""
        ...

    def refuse(self, customer_id: str, now: Instant) -> None:
        """Put the customer's keyed hash on the list of the erased, once."""
        ...

    def messages(self, customer_id: str) -> Sequence[Message]:
        """All of them, read with strong consistency."""
        ...

    def delete(self, customer_id: str) -> dict[str, int]:
        """All but the mark; gives how many items, by table."""
        ...

    def forget(self, customer_id: str) -> None:
        """The mark, too."""
        ...


class ProviderLists(Protocol):
    """Addresses that the providers themselves do not write to any more."""

    def page(self, channel: Channel, token: str | None) -> tuple[Sequence[str], str | None]:
        """Of SES's list for e-mail, of SNS's for text messages, with the token of the next page.

        Raises PageGone where the token is not known any more.
        """
        ...


class Reconciliations(Protocol):
    """How far the daily reconciliation has come."""

    def load(self) -> Reconciliation | None:
        """Read with strong consistency."""
        ...

    def keep(self, before: Reconciliation, after: Reconciliation) -> bool:
        """False, and nothing written, where `before` is no longer what stands."""
        ...


class UnsentMessages(Messages, Protocol):
    def named(self, customer_id: str, short_id: str) -> Message | None:
        """The message whose id begins so, read with strong consistency."""
        ...


class DueMessages(Messages, Protocol):
    def due(self, shard: str, now: Instant) -> Iterable[tuple[str, str]]:
        """(customer_id, message_id) of what is due at or before `now`, from an index that may lag."""
        ...


class DueCustomers(Protocol):
    def due(self, shard: str, now: Instant) -> Iterable[tuple[str, Instant]]:
        """(customer_id, due_at) of the customers with a deadline at or before `now`."""
        ...


class CustomersToReach(Protocol):
    """All customers, page by page, and how far a new rulebook has reached them."""

    def progress(self) -> Reach | None:
        """Read with strong consistency."""
        ...

    def page(self, through: str | None, generation: str) -> tuple[list[str], str | None]:
        """The next customers whose state was folded by another rulebook, and how far that is; None for the end."""
        ...

    def keep(self, before: Reach, after: Reach) -> bool:
        """False, and nothing written, where `before` is no longer what stands."""
        ...


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that a send is judged by, read in one request with strong consistency.

    `state` is the customer's as JSON text, for what holds messages back; None where nothing does.
    """

    message: Message | None
    profile: Profile
    consents: Consents
    ledger: Ledger
    state: str | None = None


class Claim(StrEnum):
    """`FULL`: one of the counters has no room left."""

    CLAIMED = "CLAIMED"
    LOST = "LOST"
    FULL = "FULL"


class Outbox(Messages, Protocol):
    def dossier(self, customer_id: str, message_id: str) -> Dossier:
        """Raises StoreUnavailable where any part of it cannot be read."""
        ...

    def claim(
        self,
        dossier: Dossier,
        claimed: Message,
        changes: Changes = NO_CHANGES,
        counters: Sequence[Counter] = (),
    ) -> Claim:
        """In one transaction: the message READY -> CALLING, if all of the dossier still stands.

        With it the `changes`, and one more in each of the `counters`. CLAIMED also when it was refused because this
        very attempt had been written before.
        """
        ...

    def write(self, dossier: Dossier, after: Message, changes: Changes) -> bool:
        """Write `after` over the dossier's message, with the changes; False where something changed meanwhile."""
        ...


class Counters(Protocol):
    """How many messages of a topic were sent on a day, over all customers."""

    def with_room(self, counters: Sequence[Counter]) -> Counter | None:
        """One of these that is not full, if any, as far as is known."""
        ...


class PauseSwitch(Protocol):
    def pauses(self) -> Pauses:
        """What is paused, at most a few seconds ago. Raises where it cannot be read: then nothing is sent."""
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
    def render(
        self, message: Message, channel: Channel, profile: Profile, links: MessageLinks | None
    ) -> Content:
        """`links` are None where there is no way out, as of what is critical. Raises InvalidTemplate."""
        ...


class Mailer(Protocol):
    def prepare(
        self, message: Message, address: str, content: EmailContent, links: MessageLinks | None
    ) -> ProviderCall:
        """All that can fail without the provider, to be done before the claim; raises InvalidTemplate."""
        ...


class Texter(Protocol):
    def prepare(self, message: Message, address: str, content: SmsContent) -> ProviderCall:
        """As for e-mail."""
        ...


class Requests(Protocol):
    def prepare(self, message: Message, channel: Channel) -> ProviderCall:
        """As for e-mail, with no address and no content: who takes it up knows what to do."""
        ...


class Links(Protocol):
    def links_for(self, message: Message) -> MessageLinks:
        """The same message always has the same ones. Raises StoreUnavailable where no key can be read."""
        ...


class CustomerChoices(Protocol):
    def read(self, customer_id: str) -> tuple[Profile, Consents]:
        """Together, with strong consistency. Raises StoreUnavailable where either did not come."""
        ...


class PeerValues(Protocol):
    def put(
        self, customer_id: str, values: Sequence[PeerValue], version: int, *, complete: bool = False
    ) -> int:
        """Keep a customer's values of periods that are not closed yet, one for each rule and period.

        To be called before the customer's state is written as `version`: what came from a later state stays.
        `complete`: there are no others, and those kept of open periods are taken back. Gives how many were too
        large to be kept.
        """
        ...


class PeerCloses(Protocol):
    """The closes of periods, and how far each has come."""

    def register(self, close: Close, due_at: Instant) -> None:
        """Unless it is known already."""
        ...

    def due(self, now: Instant) -> Iterable[str]:
        """The rules with a close that is due at or before `now`, from an index that may lag."""
        ...

    def load(self, close: Close) -> Progress | None:
        """Read with strong consistency."""
        ...

    def of_rule(self, rule: str) -> Sequence[Progress]:
        """All that are kept, in the order of their periods, read with strong consistency."""
        ...

    def move(self, before: Progress, after: Progress) -> bool:
        """From one stage to the next: False, and nothing written, where that stage is over or parts are left."""
        ...

    def look_again(self, progress: Progress, due_at: Instant) -> None:
        """While the stage lasts."""
        ...

    def finish(
        self,
        work: Work,
        *,
        shards: Iterable[str] = (),
        cohorts: Iterable[str] = (),
        again: Iterable[str] = (),
    ) -> Progress | None:
        """Take the part from those that are left, and add to what the progress collects.

        Gives the progress after it; None, and nothing written, where the stage is over.
        """
        ...


@dataclass(frozen=True, slots=True)
class Frozen:
    """A run of a shard's values as they were when their period was closed, one line of JSON each.

    `through` is the last customer in it; `is_last` where no further run follows, or ever will.
    """

    number: int
    lines: tuple[str, ...]
    through: str
    is_last: bool


class PeerStore(Protocol):
    """The values of periods, what is reckoned of them, and for whom each rule is true.

    `told` and `settled` are lines of JSON, written as a whole under a name; written again they are the same.
    """

    def put_value(self, close: Close, customer_id: str, line: str | None, version: int) -> None:
        """Unless one of a later version is there; None takes it back."""
        ...

    def values(self, close: Close, shard: str, after: str) -> Iterable[tuple[str, str]]:
        """(customer, line) of those behind `after`, in the order of customers, read with strong consistency."""
        ...

    def freeze(self, close: Close, shard: str, frozen: Frozen) -> bool:
        """False, and nothing written, where the run of that number exists."""
        ...

    def frozen(self, close: Close, shard: str, begin: int = 0) -> Iterable[Frozen]:
        """From number `begin` on, read with strong consistency."""
        ...

    def tell(self, close: Close, round_: int, bucket: str, shard: str, lines: Sequence[str]) -> None: ...

    def told(self, close: Close, round_: int, bucket: str) -> Iterable[str]: ...

    def settle(self, close: Close, round_: int, bucket: str, lines: Sequence[str]) -> None: ...

    def settled(self, close: Close, round_: int | None = None) -> Iterable[str]:
        """Of one round, or of all."""
        ...

    def truths(self, rule: str, shard: str, first: str, last: str) -> Mapping[str, Truth]:
        """Of the customers from `first` to `last` for whom it ever changed, read with strong consistency."""
        ...

    def set_truth(self, rule: str, customer_id: str, truth: Truth, now: Instant) -> None:
        """Unless one of this period or a later one is there."""
        ...


class WorkQueue(Protocol):
    def send(self, works: Sequence[Work]) -> None:
        """Raises where not all are sent."""
        ...
