"""What a PreferenceChanged says: choices, and settings that hold for all of a customer's messages.

    {"topic": "offers", "channel": "email", "choice": "in", "confirmation": "pending"}
    {"choices": [{"topic": "any", "channel": "any", "choice": "out"}], "via": "page"}
    {"paused_until": "2026-04-01T00:00:00Z", "preferred": ["sms"], "at_most": {"count": 2, "within": "7d"}}

An opt-in without `confirmation` is one that its source vouches for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from foreword.domain.errors import InvalidEvent
from foreword.domain.instants import Duration, parse_duration, parse_instant
from foreword.domain.reasons import QuarantineReason
from foreword.domain.rulebook import Channel

ANY = "any"
"""As a channel: every channel of the topic. As a topic, which can only be opted out of: every message there is."""

MOST_CHOICES = 200
MOST_MESSAGES = 1000
_LONGEST_WORD = 64
_CHANNELS = (*(channel.value for channel in Channel), ANY)
_CHOICE = ("topic", "channel", "choice")
SETTINGS = ("paused_until", "preferred", "at_most")

Key: TypeAlias = tuple[str, str]
"""Topic and channel, either of them perhaps "any"."""


@dataclass(frozen=True, slots=True)
class Chosen:
    key: Key
    opted_in: bool
    pending: bool


@dataclass(frozen=True, slots=True)
class AtMost:
    """No more than `count` messages, critical ones apart, in any `within`."""

    count: int
    within: Duration


@dataclass(frozen=True, slots=True)
class PreferenceChange:
    """`settings` holds those that are set, None taking one back: an instant, channels' values, an AtMost.

    `basis` is the legal basis, `via` how it reached us (`page`, `one-click`, `import`, ...).
    """

    choices: tuple[Chosen, ...]
    settings: Mapping[str, Any]
    basis: str | None
    via: str | None


def read_change(data: Mapping[str, Any]) -> PreferenceChange:
    """Raises InvalidEvent, naming the field, where it says something else, or nothing."""
    choices = [*_single(data), *_several(data)]
    keys = [chosen.key for chosen in choices]
    if len(set(keys)) < len(keys):
        raise _wrong("choices", "must name a topic and channel once")
    settings = {name: _READERS[name](data[name]) for name in SETTINGS if name in data}
    if not choices and not settings:
        raise _wrong("topic", f"must name a topic, or there must be choices or one of {', '.join(SETTINGS)}")
    return PreferenceChange(tuple(choices), settings, _word(data, "basis"), _word(data, "via"))


def _single(data: Mapping[str, Any]) -> list[Chosen]:
    return [_chosen(data, "")] if any(name in data for name in (*_CHOICE, "confirmation")) else []


def _several(data: Mapping[str, Any]) -> list[Chosen]:
    if "choices" not in data:
        return []
    entries = data["choices"]
    if not isinstance(entries, Sequence) or isinstance(entries, str) or not 1 <= len(entries) <= MOST_CHOICES:
        raise _wrong("choices", f"must be a list of 1 to {MOST_CHOICES} choices")
    chosen = []
    for at, entry in enumerate(entries):
        if not isinstance(entry, Mapping):
            raise _wrong(f"choices[{at}]", "must have a topic, a channel and a choice")
        chosen.append(_chosen(entry, f"choices[{at}]."))
    return chosen


def _chosen(entry: Mapping[str, Any], prefix: str) -> Chosen:
    topic, channel, choice = (entry.get(name) for name in _CHOICE)
    if not isinstance(topic, str) or not topic:
        raise _wrong(f"{prefix}topic", "must name a topic")
    if not isinstance(channel, str) or channel not in _CHANNELS:
        raise _wrong(f"{prefix}channel", f"must be one of {', '.join(_CHANNELS)}")
    if choice not in ("in", "out"):
        raise _wrong(f"{prefix}choice", 'must be "in" or "out"')
    if topic == ANY and choice == "in":
        raise _wrong(f"{prefix}topic", "must be a topic of its own: nobody can opt in to whatever there is")
    confirmation = entry.get("confirmation")
    if confirmation is not None and (choice, confirmation) not in (("in", "pending"), ("in", "confirmed")):
        raise _wrong(f"{prefix}confirmation", 'must be "pending" or "confirmed", and goes with "in" alone')
    return Chosen((topic, channel), choice == "in", confirmation == "pending")


def _paused_until(value: Any) -> int | None:
    if value is None:
        return None
    try:
        return parse_instant(value)
    except (TypeError, ValueError):
        raise _wrong("paused_until", "must be a time like 2026-03-02T09:00:00Z, or null") from None


def _preferred(value: Any) -> tuple[str, ...]:
    known = [channel.value for channel in Channel]
    listed: list[Any] = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [None]
    if any(one not in known for one in listed) or len(set(listed)) < len(listed):
        raise _wrong("preferred", f"must list channels, each once: {', '.join(known)}")
    return tuple(listed)


def _at_most(value: Any) -> AtMost | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise _wrong("at_most", 'must be like {"count": 2, "within": "7d"}, or null')
    count: Any = value.get("count")
    within: Any = value.get("within")
    if type(count) is not int or not 1 <= count <= MOST_MESSAGES:
        raise _wrong("at_most.count", f"must be a whole number from 1 to {MOST_MESSAGES}")
    try:
        span = parse_duration(within)
    except (TypeError, ValueError):
        raise _wrong("at_most.within", "must be a duration like 6h, 7d or 2w") from None
    if span == 0:
        raise _wrong("at_most.within", "must be longer than nothing")
    return AtMost(count, span)


_READERS = {"paused_until": _paused_until, "preferred": _preferred, "at_most": _at_most}


def _word(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    if value is not None and (not isinstance(value, str) or not 1 <= len(value) <= _LONGEST_WORD):
        raise _wrong(name, f"must be a text of 1 to {_LONGEST_WORD} characters")
    return value


def _wrong(field: str, must: str) -> InvalidEvent:
    return InvalidEvent(QuarantineReason.BREAKS_SCHEMA, f"data.{field} {must}")
