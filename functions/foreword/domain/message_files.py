"""Which of a message's files is taken for a customer: the nearest by variant, by segment, and by language.

A file is named by its path in the message's folder: `email.html`, `email.html.de`, `segments/vip/subject.txt`,
`variants/direct/sms.txt.de-AT`. Names that come with customers are only ever compared with the paths there are, so
none reaches anything else.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

LAYOUTS = "_layouts"
"""The folder beside the messages with what e-mails share; no message can have this name."""

SUBJECT, PREHEADER, TEXT, HTML, SMS = "subject.txt", "preheader.txt", "email.txt", "email.html", "sms.txt"

SEGMENTS, VARIANTS = "segments", "variants"

REFUSED_TAGS = ("include", "render")
"""Liquid that no template may use: what is shared stands in a layout."""

REFUSED_FILTERS = ("safe",)
"""It would let a value into HTML as it is."""

SUBJECT_VALUE, PREHEADER_VALUE = "subject", "preheader"
UNSUBSCRIBE_URL, PREFERENCES_URL = "unsubscribe_url", "preferences_url"

# BCP 47 asks nobody to take longer tags than 35 characters; this much of a profile's locale is looked at.
_LOCALE_LENGTH = 35
_LOCALE_PARTS = 4
_NAME = re.compile(r"(?P<part>[a-z][a-z0-9-]*\.(?:txt|html))(?:\.(?P<locale>[^./]+))?", re.ASCII)


def folders(variant: str | None, segment: Any) -> tuple[str, ...]:
    """Where to look, the nearest first: the variant's folder, the segment's, the message's own."""
    named = ((VARIANTS, variant), (SEGMENTS, segment))
    return (*(f"{kind}/{name}/" for kind, name in named if isinstance(name, str)), "")


def nearest(paths: Collection[str], within: tuple[str, ...], part: str, locale: Any) -> str | None:
    """The path of `part` in the first folder that has it, in the nearest language there; None where none has.

    Folder before language: `check` sees to it that a folder has the part in every language of the message.
    """
    for folder in within:
        stem = folder + part
        known = {path[len(stem) :].lower(): path for path in paths if path.startswith(stem)}
        for suffix in suffixes(locale):
            if suffix in known:
                return known[suffix]
    return None


def suffixes(locale: Any) -> list[str]:
    """`.de-at`, `.de`, and nothing at last, of `de-AT` or `de_AT`; in small letters."""
    text = locale[:_LOCALE_LENGTH] if isinstance(locale, str) else ""
    parts = [part for part in text.lower().replace("_", "-").split("-")[:_LOCALE_PARTS] if part]
    return [*(f".{'-'.join(parts[:length])}" for length in range(len(parts), 0, -1)), ""]


def split_name(name: str) -> tuple[str, str] | None:
    """`email.html.de` -> (`email.html`, `de`); the locale of a file without one is empty. None for other names."""
    match = _NAME.fullmatch(name)
    return None if match is None else (match["part"], match["locale"] or "")


def split_path(path: str) -> tuple[str, str]:
    """`segments/vip/subject.txt` -> (`segments/vip/`, `subject.txt`)."""
    folder, slash, name = path.rpartition("/")
    return folder + slash, name
