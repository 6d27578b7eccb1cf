"""A request to the customer's page as API Gateway hands it to the function (HTTP API, payload format 2.0)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from foreword.app.serve_preferences import PageRequest
from foreword.domain.preference_links import LinkPurpose
from foreword.domain.preference_page import Form

_FIELDS = 2_000
_LANGUAGES = 10
_LANGUAGE = re.compile(r"\s*([A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*q=([0-9.]{1,5})\s*)?", re.ASCII)


def read_page_request(event: Mapping[str, Any]) -> PageRequest:
    """Reads whatever comes: what is no form is an empty one. Raises KeyError or ValueError for no such event."""
    method = event["requestContext"]["http"]["method"]
    _, page, _ = event["routeKey"].split(
        "/"
    )  # of the route alone: a domain of one's own may put a path before it
    return PageRequest(
        purpose=LinkPurpose(page),
        token=event["pathParameters"]["token"],
        writes=method == "POST",
        form=_form(event) if method == "POST" else Form(),
        languages=_languages(event.get("headers", {}).get("accept-language", "")),
        is_head=method == "HEAD",
    )


def _form(event: Mapping[str, Any]) -> Form:
    """A one-click POST may be multipart/form-data: the token alone says what is meant, so it is not looked into."""
    body = event.get("body") or ""
    try:
        text = base64.b64decode(body).decode() if event.get("isBase64Encoded") else body
        fields = parse_qs(text, keep_blank_values=True, max_num_fields=_FIELDS)
    except (binascii.Error, ValueError):
        return Form()

    def one(name: str) -> str:
        return str(fields.get(name, [""])[0])

    return Form(
        action=one("action"),
        version=int(one("version")) if re.fullmatch(r"[0-9]{1,15}", one("version"), re.ASCII) else -1,
        shown={(topic, channel): state == "on" for topic, channel, state in _boxes(fields, "shown", 3)},
        checked=frozenset((topic, channel) for topic, channel in _boxes(fields, "on", 2)),
        limit=one("limit"),
        preferred=one("preferred"),
    )


def _boxes(fields: Mapping[str, list[str]], name: str, parts: int) -> list[list[str]]:
    split = (value.split("/") for value in fields.get(name, ()))
    return [one for one in split if len(one) == parts]


def _languages(header: str) -> tuple[str, ...]:
    """The tags of Accept-Language, best first."""
    found: list[tuple[float, str]] = []
    for part in header[:500].split(",")[:_LANGUAGES]:
        match = _LANGUAGE.fullmatch(part)
        if match:
            found.append((_quality(match[2]), match[1]))
    return tuple(tag for quality, tag in sorted(found, key=lambda one: -one[0]) if quality > 0)


def _quality(text: str | None) -> float:
    try:
        return 1.0 if text is None else float(text)
    except ValueError:
        return 0.0
