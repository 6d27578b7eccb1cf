"""A view as an HTML page in the reader's language, with the headers that keep it to itself."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date
from liquid import Environment
from liquid.undefined import StrictUndefined
from markupsafe import Markup

from foreword.adapters.preference_pages import templates
from foreword.adapters.preference_pages.style import STYLE
from foreword.adapters.preference_pages.words import WORDS
from foreword.app.serve_preferences import View
from foreword.domain.instants import DAY, Instant, parse_duration, to_datetime

_FALLBACK = "en"
_TEMPLATES = {
    "preferences": templates.PREFERENCES,
    "unsubscribe": templates.UNSUBSCRIBE,
    "unsubscribed": templates.UNSUBSCRIBED,
    "confirm": templates.CONFIRM,
    "confirmed": templates.SENTENCE,
    "invalid": templates.SENTENCE,
    "failed": templates.SENTENCE,
}
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS: Mapping[str, str] = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "vary": "accept-language",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex, nofollow",
}


class PreferencePages:
    """Parses each template once."""

    def __init__(self) -> None:
        environment = Environment(undefined=StrictUndefined, autoescape=True)
        self._layout = environment.from_string(templates.LAYOUT)
        self._templates = {name: environment.from_string(text) for name, text in _TEMPLATES.items()}

    def html(self, view: View) -> str:
        language = _language(view.languages)
        words = WORDS[language]
        values = {"words": words, **_VALUES.get(view.name, _sentence)(view, language)}
        return self._layout.render(
            language=language,
            heading=words.get(f"{view.name}_title", words["title"]),
            style=Markup(STYLE),  # noqa: S704 - our own
            content=Markup(self._templates[view.name].render(values)),  # noqa: S704 - escaped in its own template
        )


def _language(wanted: Sequence[str]) -> str:
    for tag in wanted:
        language = tag.replace("_", "-").partition("-")[0].lower()
        if language in WORDS:
            return language
    return _FALLBACK


def _preferences(view: View, language: str) -> dict[str, Any]:
    words, shown = WORDS[language], view.values
    rows = [
        {
            "name": row["topic"].name,
            "title": row["topic"].title(language),
            "critical": row["topic"].is_critical,
            "boxes": [
                {**box, "name": f"{row['topic'].name}/{box['channel']}", "title": words[box["channel"]]}
                for box in row["boxes"]
            ],
        }
        for row in shown["rows"]
    ]
    until = shown["paused_until"]
    paused = None if until is None else words["paused"].format(date=_date(until, shown["zone"], language))
    asked = shown["done"] == "save" and any(box["waiting"] for row in rows for box in row["boxes"])
    return {
        "rows": rows,
        "version": shown["version"],
        "is_off": shown["is_off"],
        "is_stopped": shown["is_stopped"],
        "notice": words.get(f"done_{'ask' if asked else shown['done']}"),
        "often": shown["limit"],
        "frequencies": [{"value": value, "title": _limit(value, words)} for value in shown["limits"]],
        "preferred": shown["preferred"],
        "channels": [{"value": value, "title": words[value]} for value in shown["channels"]],
        "paused": paused,
    }


def _unsubscribe(view: View, language: str) -> dict[str, Any]:
    return {"title": view.values["topic"].title(language)}


def _confirm(view: View, language: str) -> dict[str, Any]:
    return {
        "waiting": [
            {
                "name": one["topic"].name,
                "title": one["topic"].title(language),
                "channel": one["channel"],
                "channel_title": WORDS[language][one["channel"]],
            }
            for one in view.values["waiting"]
        ]
    }


def _sentence(view: View, language: str) -> dict[str, Any]:
    return {"sentence": WORDS[language][f"{view.name}_lead"]}


_VALUES = {
    "preferences": _preferences,
    "unsubscribe": _unsubscribe,
    "unsubscribed": _unsubscribe,
    "confirm": _confirm,
}


def _date(until: Instant, zone: str, language: str) -> str:
    return format_date(to_datetime(until).astimezone(ZoneInfo(zone)), "long", locale=language)


def _limit(value: str, words: Mapping[str, str]) -> str:
    count, _, within = value.partition("/")
    words_of = words.get(f"often_{within}", words["often_other"])
    return words_of.format(count=count, days=-(-parse_duration(within) // DAY))
