"""What a condition can be asked about: random data of an event, a profile, lists, and signals.

Fields are named after what they mostly hold; any of them may be missing or hold something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import strategies as st

from foreword.domain.instants import SECOND, Instant, format_instant, parse_instant

SIGNALS: Mapping[str, str] = {
    "contacts": "number",
    "share": "number",
    "hit": "boolean",
    "silence": "duration",
    "product": "dyn",
}
"""The types that authors see. `contacts` and `hit` are always defined, the others may be undefined."""

LISTS: Mapping[str, tuple[str, ...]] = {"codes": ("a", "E11", "ä", "b"), "none": ()}

FIELDS: Mapping[str, tuple[str, ...]] = {
    "boolean": ("b", "c"),
    "number": ("n", "o"),
    "string": ("s", "t"),
    "list": ("l",),
    "map": ("m",),
    "timestamp": ("from", "till"),
    "duration": ("length",),
    "any": ("x",),
}
"""`timestamp` and `duration` are held as texts. All of them are fields of `event.data`, `profile` and any map."""

_EARLIEST, _LATEST = parse_instant("1970-01-01T00:00:00Z"), parse_instant("2100-01-01T00:00:00Z")
"""Google's CEL has no duration longer than 292 years."""


@dataclass(frozen=True, slots=True)
class World:
    """`at` is when the event came; undefined signals are left out."""

    data: Mapping[str, Any]
    profile: Mapping[str, Any]
    signals: Mapping[str, Any]
    type: str
    source: str
    at: Instant


whole_numbers = st.integers(-9, 9)
halves = st.integers(-16, 16).map(lambda number: Decimal(number) / 4)
texts = st.sampled_from(("a", "", "b", "E11", "ab", "aa", "ä", "A", "z", "😀", "￿", "é", "1", "true", "a\nb"))
instants = st.integers(_EARLIEST, _LATEST) | st.integers(_EARLIEST // SECOND, _LATEST // SECOND).map(
    lambda second: second * SECOND
)


def instant_text(random: Random) -> str:
    """RFC 3339, with a fraction of a second or none, in any zone."""
    fraction = random.choice(
        ("", "", ".5", ".25", ".000001", ".999999", f".{random.randint(0, 10**6 - 1):06}")
    )
    zone = random.choice(("Z", "z", "+00:00", "-11:30", "+02:00"))
    at = format_instant(random.randint(_EARLIEST // SECOND, _LATEST // SECOND) * SECOND)
    return at.replace("T", random.choice("Tt")).replace("Z", f"{fraction}{zone}")


def duration_text(random: Random) -> str:
    """Up to three parts of whole microseconds."""
    parts = random.choices(("1.5h", ".25s", "0.000001s", "2.s", "90m", "24h", "17ms", "3us", "1h", "0h"), k=3)
    return random.choice(("", "", "-", "+")) + "".join(parts[: random.randint(1, 3)])


_seeds = st.integers(0, 2**32)
instant_texts = _seeds.map(lambda seed: instant_text(Random(seed))) | st.just("2026-03-02T09:00:00Z")
duration_texts = _seeds.map(lambda seed: duration_text(Random(seed))) | st.just("0")
durations = st.integers(-(10**13), 10**13).map(lambda micros: timedelta(microseconds=micros))


def worlds(*, doubles: bool = False) -> st.SearchStrategy[World]:
    """Numbers are small whole ones, or, for `doubles`, decimals that are exact in binary."""
    return _WORLDS[doubles]


def _values(numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    leaves = numbers | texts | st.booleans() | st.none()
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
        max_leaves=4,
    )


_NAMES = st.sampled_from([name for names in FIELDS.values() for name in names])


def _fields(numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    anything = _values(numbers)
    no_number = texts | st.booleans() | st.none()
    of: dict[str, tuple[st.SearchStrategy[Any], st.SearchStrategy[Any]]] = {
        "boolean": (st.booleans(), anything),
        "number": (numbers, anything),
        "string": (texts, anything),
        "list": (st.lists(anything, max_size=3) | st.lists(texts, max_size=3), anything),
        "map": (st.dictionaries(_NAMES, anything, max_size=4), anything),
        "timestamp": (instant_texts, no_number),  # timestamp(1) is CEL's, and not ours
        "duration": (duration_texts, no_number),
        "any": (anything, anything),
    }
    return st.fixed_dictionaries(
        {name: _mostly(*of[kind]) for kind, names in FIELDS.items() for name in names}
    ).map(_without_missing)


_MISSING = object()


def _mostly(usual: st.SearchStrategy[Any], other: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    rolls = {18: st.just(_MISSING), 19: other}
    return st.integers(0, 19).flatmap(lambda roll: rolls.get(roll, usual))


def _without_missing(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value is not _MISSING}


def _worlds(numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[World]:
    fields = _fields(numbers)
    missing = st.just(_MISSING)
    signals = st.fixed_dictionaries(
        {
            "contacts": st.integers(0, 9),
            "hit": st.booleans(),
            "share": _mostly(numbers, missing),
            "silence": _mostly(durations, missing),
            "product": _mostly(
                _values(numbers).map(lambda value: _MISSING if value is None else value), missing
            ),
        }
    ).map(_without_missing)
    return st.builds(
        World, fields, fields, signals, st.sampled_from(("Asked", "OrderPlaced")), st.just("shop"), instants
    )


_WORLDS = {False: _worlds(whole_numbers), True: _worlds(halves)}
