"""An e-mail as the bytes that are handed to SES: text and HTML, one recipient, the same bytes for the same message.

SES adds Date and Message-ID.
"""

from __future__ import annotations

import re
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from foreword.domain.content import EmailContent, MessageLinks
from foreword.domain.errors import InvalidTemplate
from foreword.domain.senders import Sender

MESSAGE_ID_HEADER = "X-Foreword-Message-Id"

# What the standard library's email raises, its refusal to write a header with a line break included.
_COMPOSING_ERRORS = (MessageError, ValueError, IndexError, AttributeError)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_CONTROLS_BUT_LAYOUT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


# One line of a header with no need to be folded, where Python's email would make encoded words of it.
_URL = re.compile(r"https://[!#-;=?-~]{1,900}", re.ASCII)


def compose(
    message_id: str, sender: Sender, recipient: str, content: EmailContent, links: MessageLinks | None
) -> bytes:
    """`recipient` is one address as `addresses.email_address` gives it. With `links` it is one click to opt out.

    Raises InvalidTemplate where no e-mail can be made of it.
    """
    try:
        email = EmailMessage(policy=SMTP)
        email["From"] = Address(sender.name, addr_spec=sender.address)
        email["To"] = Address(addr_spec=recipient)
        email["Subject"] = one_line(content.subject)
        email[MESSAGE_ID_HEADER] = message_id
        email.set_content(plain(content.text), cte="quoted-printable")
        email.add_alternative(plain(content.html), subtype="html", cte="quoted-printable")
        # "=_" cannot occur in a quoted-printable part, so no content can end a part early.
        email.set_boundary(f"=_{message_id}")
        return _unsubscribing(links) + email.as_bytes()
    except _COMPOSING_ERRORS as error:
        raise InvalidTemplate(f"no e-mail can be made of it: {type(error).__name__}") from error


def _unsubscribing(links: MessageLinks | None) -> bytes:
    """The header lines of RFC 8058. SES signs them with all others."""
    if links is None:
        return b""
    if not _URL.fullmatch(links.unsubscribe):
        raise InvalidTemplate("the link to unsubscribe is not a URL that a header can hold")
    lines = (f"List-Unsubscribe: <{links.unsubscribe}>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def one_line(text: str) -> str:
    """For a header: every run of line breaks and other control characters becomes one space.

    Nor is any of it an encoded word: EmailMessage decodes those it is given, and an encoded line break in one
    would end the header (CVE-2024-6923).
    """
    return _CONTROLS.sub(" ", encodable(text)).replace("=?", "= ?").strip()


def plain(text: str) -> str:
    """For a body: no control characters but tabs and line breaks, and these as line feeds."""
    return _CONTROLS_BUT_LAYOUT.sub("", encodable(text).replace("\r\n", "\n").replace("\r", "\n"))


def encodable(text: str) -> str:
    """Without lone surrogates, which JSON may carry and UTF-8 may not."""
    return text.encode("utf-8", "replace").decode("utf-8")
