"""Which texts are addresses a provider can be handed, in the one form in which it is handed them."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from foreword.domain.rulebook import Channel

ATTRIBUTES = {Channel.EMAIL: "email", Channel.SMS: "phone"}
"""The profile attribute that holds a channel's address; a channel that is not here needs none."""

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


def deliverable(channel: Channel, value: Any) -> str | None:
    """`value` as the provider of `channel` takes it, None when it is no address of that channel."""
    if not isinstance(value, str):
        return None
    return email_address(value) if channel is Channel.EMAIL else phone_number(value)


def email_address(text: str) -> str | None:
    """One plain addr-spec in ASCII: an international domain as punycode, no quoted or non-ASCII local part."""
    local, at, domain = text.strip(" ").rpartition("@")
    if not at or len(local) > 64 or _LOCAL.fullmatch(local) is None:
        return None
    labels = [_ascii_label(label) for label in unicodedata.normalize("NFKC", domain).lower().split(".")]
    if len(labels) < 2 or any(_LABEL.fullmatch(label) is None for label in labels) or labels[-1].isdigit():
        return None
    address = f"{local}@{'.'.join(labels)}"
    return address if len(address) <= 254 else None


def phone_number(text: str) -> str | None:
    """E.164: a plus sign and 7 to 15 digits."""
    number = text.strip(" ")
    return number if _E164.fullmatch(number) else None


def _ascii_label(label: str) -> str:
    """The A-label of a domain label; one that no rule of ours allows comes back as no label at all.

    Encoded directly, because the standard library's IDNA of 2003 turns `ß` into `ss`: another domain.
    """
    if label.isascii():
        return label
    if not all(char.isalnum() or char == "-" or unicodedata.category(char) in ("Mn", "Mc") for char in label):
        return ""
    return f"xn--{label.encode('punycode').decode('ascii')}"
