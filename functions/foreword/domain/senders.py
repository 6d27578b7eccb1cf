"""Whom e-mails come from: exactly one mailbox, as `someone@example.com` or `Name <someone@example.com>`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from foreword.domain.addresses import email_address

# A name with commas and the like stands in double quotes; none holds a quote or a backslash itself.
_NAMED = re.compile(
    r'(?:"(?P<quoted>[^"\\]*)" *|(?P<words>[^()<>@,;:\\"\[\]]*))<(?P<address>[^<>]*)>',
)
_LONGEST_NAME = 64
"""Longer ones fill a header's line: where it is folded, Python's email drops the quotes, and a comma divides."""


@dataclass(frozen=True, slots=True)
class Sender:
    """`address` is plain ASCII, its domain punycode; `name` is any printable text, or empty."""

    name: str
    address: str


def parse_sender(text: str) -> Sender:
    """Raises ValueError for all but one mailbox with nothing before or behind it."""
    match = _NAMED.fullmatch(text.strip(" "))
    name = (match["quoted"] or match["words"] or "").strip(" ") if match else ""
    address = email_address(match["address"] if match else text)
    if address is None or not text.isprintable():
        raise ValueError(
            f"{text!r} is no sender; write it as 'Name <someone@example.com>',"
            " with a name that holds any of ()<>@,;:[] in double quotes"
        )
    if "=?" in name:
        raise ValueError(f"the name of sender {text!r} is an encoded word; write it as plain text")
    if len(name) > _LONGEST_NAME:
        raise ValueError(f"the name of sender {text!r} is longer than {_LONGEST_NAME} characters")
    return Sender(name, address)
