"""What a provider accepted, read back out of the request: an e-mail's parts, a text message's number and words."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from foreword.domain.tags import CUSTOMER_TAG, MESSAGE_TAG, named_by
from foreword.local.records import SentMessage


def email(parameters: Mapping[str, Any], provider_id: str, at: datetime) -> SentMessage:
    """Of the parameters of an SES v2 SendEmail, with raw or simple content."""
    content = parameters["Content"]
    recipients = parameters.get("Destination", {}).get("ToAddresses", [])
    if "Raw" in content:
        raw = base64.b64decode(content["Raw"]["Data"])
    else:
        raw = _composed(parameters.get("FromEmailAddress", ""), recipients, content["Simple"])
    message = message_from_bytes(raw, policy=policy.default)
    tags = {tag["Name"]: tag["Value"] for tag in parameters.get("EmailTags", [])}
    named = named_by(tags.get(MESSAGE_TAG, ""), tags.get(CUSTOMER_TAG, ""))
    return SentMessage(
        at=at,
        channel="email",
        to=", ".join(recipients) or str(message["to"]),
        subject=str(message["subject"]) if message["subject"] is not None else None,
        text=_part(message, "plain") or "",
        html=_part(message, "html"),
        raw=raw,
        tags=tags,
        headers={name.lower(): str(value) for name, value in message.items()},
        provider_id=provider_id,
        customer=named[0] if named else None,
    )


def text_message(
    number: str,
    text: str,
    attributes: Mapping[str, Any],
    provider_id: str,
    at: datetime,
    customer: str | None,
) -> SentMessage:
    """Of an SNS Publish to a phone number."""
    tags = {name: str(value.get("Value", "")) for name, value in attributes.items()}
    return SentMessage(at, "sms", number, text, provider_id, tags=tags, customer=customer)


def _composed(sender: str, recipients: list[str], simple: Mapping[str, Any]) -> bytes:
    """What SES makes of simple content."""
    message = EmailMessage(policy=policy.SMTP)
    message["From"], message["To"] = sender, ", ".join(recipients)
    message["Subject"] = simple["Subject"]["Data"]
    for header in simple.get("Headers", []):
        message[header["Name"]] = header["Value"]
    body = simple["Body"]
    if "Text" in body:
        message.set_content(body["Text"]["Data"])
    if "Html" in body and "Text" in body:
        message.add_alternative(body["Html"]["Data"], subtype="html")
    elif "Html" in body:
        message.set_content(body["Html"]["Data"], subtype="html")
    return message.as_bytes()


def _part(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    if part is None:
        return None
    content = part.get_content()
    return str(content).replace("\r\n", "\n")
