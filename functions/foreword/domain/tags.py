"""The tags by which a provider's feedback names its message.

SES takes letters, digits, `_` and `-` in a tag, up to 256 of them (one page of its guide says fewer than 256);
a customer_id may hold any visible ASCII, so it travels as unpadded base64url: 171 characters at most.
"""

from __future__ import annotations

import base64
import binascii
import re

MESSAGE_TAG = "message_id"
CUSTOMER_TAG = "customer_id"

_MESSAGE_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_CUSTOMER_ID = re.compile(r"[!-~]{1,128}", re.ASCII)


def tags_of(customer_id: str, message_id: str) -> dict[str, str]:
    encoded = base64.urlsafe_b64encode(customer_id.encode("ascii")).decode("ascii").rstrip("=")
    return {MESSAGE_TAG: message_id, CUSTOMER_TAG: encoded}


def named_by(message_tag: str, customer_tag: str) -> tuple[str, str] | None:
    """(customer_id, message_id); None where the tags are not ones that `tags_of` makes."""
    try:
        padded = customer_tag + "=" * (-len(customer_tag) % 4)
        customer_id = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    if _CUSTOMER_ID.fullmatch(customer_id) is None or _MESSAGE_ID.fullmatch(message_tag) is None:
        return None
    known = tags_of(customer_id, message_tag)
    return (customer_id, message_tag) if known[CUSTOMER_TAG] == customer_tag else None
