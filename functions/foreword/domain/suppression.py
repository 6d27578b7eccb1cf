"""What must not be written to at all, whatever a customer chose: an address that bounced, complained or said STOP.

A suppression names its address by a hash of customer, channel and address. So it holds no more of the customer
than is needed to know the address again, it stands for that address alone (a customer who moves to another one is
written to), and the same address of another customer is another entry. A soft bounce suppresses nothing: mailboxes
are full for a day, and SES itself tries again for hours.
"""

from __future__ import annotations

import hashlib
import unicodedata
from enum import StrEnum

from foreword.domain.addresses import deliverable
from foreword.domain.facts import ADDRESS_SUPPRESSED, FOREWORD, Fact
from foreword.domain.feedback import Feedback, FeedbackKind
from foreword.domain.instants import Instant
from foreword.domain.outgoing import OutgoingEvent
from foreword.domain.rulebook import Channel


class Cause(StrEnum):
    """Why an address is suppressed, where no message tells of it."""

    STOP_REPLY = "STOP_REPLY"
    UNSUBSCRIBED = "UNSUBSCRIBED"
    PROVIDER_LIST = "PROVIDER_LIST"
    IMPORTED = "IMPORTED"


PERMANENT = "Permanent"
"""The `bounce_type` of what will never arrive, as SES says it."""

_DIGITS = 32
_STOP = frozenset(
    {
        *("STOP", "STOPALL", "STOPPEN", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "REMOVE"),
        *("ARRET", "ARRETER", "ARRETEZ", "DESABONNER", "DESINSCRIRE"),  # French
        *("STOPP", "ABMELDEN", "ABBESTELLEN", "ENDE"),  # German, and STOPP of Swedish and Norwegian
        *("BAJA", "PARAR", "CANCELAR", "DETENER", "ALTO"),  # Spanish, Portuguese
        *("PARE", "SAIR"),
        *("FERMA", "FERMARE", "BASTA", "CANCELLA", "ANNULLA"),  # Italian
        *("AFMELDEN", "STOPZETTEN"),  # Dutch
        *("AVSLUTA", "AVREGISTRERA", "AFMELD", "PERUUTA", "LOPETA"),  # Swedish, Danish, Finnish
        *("REZYGNUJE", "WYPISZ", "ZRUSIT", "ODHLASIT"),  # Polish, Czech
        *("DUR", "IPTAL", "RET"),  # Turkish
        *("СТОП", "ОТПИСАТЬСЯ", "ΣΤΟΠ", "停止", "配信停止", "退订", "توقف", "الغاء"),
    }
)
"""As `_words` leaves them: capitals without accents."""

_COMPANIONS = frozenset({"ALL", "SMS", "PLEASE", "BITTE", "SVP", "TXT", "MESSAGES", "NOW"})
"""What may stand beside such a word: "STOP ALL", "please stop"."""


def is_stop(text: str) -> bool:
    """Whether a reply asks for no more messages: such a word alone, however it is written.

    "Do not stop!" is none: a sentence in which the word stands is left to people.
    """
    words = _words(text)
    return bool(words) and (
        "".join(words) in _STOP
        or [word for word in words if word not in _COMPANIONS] in [[it] for it in _STOP]
    )


def address_key(channel: Channel, address: str) -> str:
    """By which the customers with an address are found: the same for every way of writing it."""
    return _hash(channel.value, _plain(channel, address))


def suppression(customer_id: str, channel: Channel, address: str) -> str:
    """The entry of `Consents.suppressed` for this address of this customer."""
    return f"{channel.value}:{_hash(customer_id, channel.value, _plain(channel, address))}"


def suppresses(feedback: Feedback) -> bool:
    """Whether the address this feedback is about must not be written to any more."""
    return feedback.kind in (FeedbackKind.COMPLAINED, FeedbackKind.UNSUBSCRIBED) or (
        feedback.kind is FeedbackKind.BOUNCED and feedback.details.get("bounce_type") == PERMANENT
    )


def suppressed_event(
    customer_id: str, channel: Channel, cause: Cause, id: str, occurred_at: Instant
) -> OutgoingEvent:
    """AddressSuppressed; `id` names the happening, and the same one is the same event."""
    data = {"channel": channel.value, "cause": cause.value}
    return OutgoingEvent(ADDRESS_SUPPRESSED, id, customer_id, occurred_at, data)


def fact_of(event: OutgoingEvent, now: Instant) -> Fact:
    """The event as the journal keeps it: what comes back over the bus is known by its identity."""
    return Fact(FOREWORD, event.id, event.type, event.customer_id, event.occurred_at, now, event.data)


def _words(text: str) -> list[str]:
    """Capital letters without accents; full-width letters are letters, and all else is a gap."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).upper())
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    composed = unicodedata.normalize("NFC", bare)
    return "".join(char if char.isalnum() else " " for char in composed).split()


def _plain(channel: Channel, address: str) -> str:
    return (deliverable(channel, address) or address.strip()).casefold()


def _hash(*parts: str) -> str:
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
