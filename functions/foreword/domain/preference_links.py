"""Links by which a customer changes what they receive, with no login: a signed token in the URL.

    <key id, 1 byte> <tag, 16 bytes> <hidden: purpose, hour it was made, message, customer, about>    in base64url

The tag is the HMAC-SHA256 of what is hidden, cut to 128 bits, and also starts the stream of HMAC-SHA512 blocks
that hides it (a synthetic initialisation vector, as in RFC 5297): a customer id may be somebody's e-mail address,
and URLs end up in logs. Nothing has to be looked up to check a token, so an unsubscribe link works for as long
as its key is kept, and sending costs no write. A token is good for the one purpose it was made for.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from foreword.domain.content import MessageLinks
from foreword.domain.instants import DAY, HOUR, Duration, Instant
from foreword.domain.messages import Message

Keys: TypeAlias = Mapping[int, bytes]
"""By key id, 0 to 255. The first signs; all of them are accepted."""

CONFIRM_WITHIN: Duration = 7 * DAY
"""How long an opt-in may be confirmed: later, nobody remembers having asked for it."""

_TAG = 16
_BLOCK = 64  # bytes of HMAC-SHA512
_HEAD = 1 + _TAG
_FIXED = 1 + 4 + 16  # purpose, hour, message
_LONGEST = 400
_END = b"\0"  # no customer id and no topic holds one


class LinkPurpose(StrEnum):
    """Each is also the first letter of its path."""

    UNSUBSCRIBE = "u"
    PREFERENCES = "p"
    CONFIRM = "c"


@dataclass(frozen=True, slots=True)
class Link:
    """What a token stands for. `made_at` is cut to the hour; `message_id` is the message it was made for.

    `about` is the topic to unsubscribe from, or the channel by which an opt-in is confirmed; else empty.
    """

    purpose: LinkPurpose
    customer_id: str
    message_id: str
    made_at: Instant
    about: str = ""


@dataclass(frozen=True, slots=True)
class _Parts:
    """One key, as two that have nothing to do with one another."""

    sign: bytes
    hide: bytes


class LinkSigner:
    """Makes and reads tokens with one set of keys; raises ValueError where there is none, or a bad one."""

    def __init__(self, keys: Keys) -> None:
        if not keys or any(not 0 <= id <= 255 or len(key) < 32 for id, key in keys.items()):
            raise ValueError("keys must have ids from 0 to 255, and 32 bytes or more")
        self._first = next(iter(keys))
        self._parts = {
            id: _Parts(_mac(key, b"foreword link: sign"), _mac(key, b"foreword link: hide"))
            for id, key in keys.items()
        }

    def token(self, link: Link) -> str:
        plain = b"".join(
            (
                link.purpose.encode(),
                (link.made_at // HOUR).to_bytes(4, "big"),
                bytes.fromhex(link.message_id),
                link.customer_id.encode("ascii"),
                _END,
                link.about.encode(),
            )
        )
        parts = self._parts[self._first]
        tag = _mac(parts.sign, plain)[:_TAG]
        return _text(bytes([self._first]) + tag + _hidden(parts.hide, tag, plain))

    def read(self, token: str, purpose: LinkPurpose, now: Instant) -> Link | None:
        """None for whatever is not a token of this purpose, made with one of these keys, that still holds."""
        raw = _bytes(token)
        parts = self._parts.get(raw[0]) if len(raw) > _HEAD + _FIXED else None
        if parts is None:
            return None
        tag = raw[1:_HEAD]
        plain = _hidden(parts.hide, tag, raw[_HEAD:])
        if not hmac.compare_digest(tag, _mac(parts.sign, plain)[:_TAG]):
            return None
        if plain[:1] != purpose.encode():
            return None
        link = _link(plain)
        expired = purpose is LinkPurpose.CONFIRM and now >= link.made_at + HOUR + CONFIRM_WITHIN
        return None if expired else link


def link_to(base_url: str, signer: LinkSigner, link: Link) -> str:
    return f"{base_url.rstrip('/')}/{link.purpose}/{signer.token(link)}"


def links_of(base_url: str, signer: LinkSigner, message: Message) -> MessageLinks:
    """The two ways out of one message. The same message always gets the same links."""

    def to(purpose: LinkPurpose, about: str = "") -> str:
        link = Link(purpose, message.customer_id, message.message_id, message.decided_at, about)
        return link_to(base_url, signer, link)

    return MessageLinks(
        unsubscribe=to(LinkPurpose.UNSUBSCRIBE, message.topic), preferences=to(LinkPurpose.PREFERENCES)
    )


def _link(plain: bytes) -> Link:
    """Of what was signed, so made by `token`."""
    customer, _, about = plain[_FIXED:].partition(_END)
    return Link(
        purpose=LinkPurpose(plain[:1].decode()),
        customer_id=customer.decode("ascii"),
        message_id=plain[5:_FIXED].hex(),
        made_at=int.from_bytes(plain[1:5], "big") * HOUR,
        about=about.decode(),
    )


def _hidden(key: bytes, tag: bytes, text: bytes) -> bytes:
    """Hides, and shows again."""
    blocks = range(-(-len(text) // _BLOCK))
    stream = b"".join(hmac.digest(key, tag + bytes([block]), "sha512") for block in blocks)
    number = int.from_bytes(text, "big") ^ int.from_bytes(stream[: len(text)], "big")
    return number.to_bytes(len(text), "big")


def _mac(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _bytes(token: str) -> bytes:
    """Nothing where it is not written exactly as `_text` writes: each token has one spelling."""
    if len(token) > _LONGEST:
        return b""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
    return raw if _text(raw) == token else b""
