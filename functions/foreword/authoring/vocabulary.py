"""Every word that a rule author can use: events and their fields, the profile, signals, lists, topics, messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from foreword.authoring.cautions import awaited_events, event_filters
from foreword.authoring.event_types import NOTES
from foreword.authoring.rulebook import LoadedRulebook
from foreword.authoring.signals.reader import signal_type
from foreword.domain.facts import CUSTOMER_UPDATED, OWN_TYPES
from foreword.domain.profiles import ADDRESSES
from foreword.domain.rulebook import EventFilter, Signal, WillingnessSignal


@dataclass(frozen=True, slots=True)
class FieldWord:
    """`name` as conditions write it after `event.data.` or `profile.`; `type` is "any" where no schema tells.

    `usable` is False for an address, which no condition or template sees.
    """

    name: str
    type: str
    required: bool
    values: tuple[str, ...]
    description: str
    usable: bool = True


@dataclass(frozen=True, slots=True)
class EventWord:
    """`described` is False where no schema says what is in it; `own` where Foreword itself emits it."""

    type: str
    description: str
    fields: tuple[FieldWord, ...]
    described: bool
    own: bool


@dataclass(frozen=True, slots=True)
class SignalWord:
    """`rule` is None for a shared signal; `gives` is the type that conditions see."""

    name: str
    rule: str | None
    kind: str
    gives: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Each in the order of names; `lists` with the number of their elements."""

    events: tuple[EventWord, ...]
    profile: tuple[FieldWord, ...]
    signals: tuple[SignalWord, ...]
    lists: Mapping[str, int]
    topics: tuple[str, ...]
    messages: tuple[str, ...]


def vocabulary(loaded: LoadedRulebook, schemas: Mapping[str, Any], messages: Iterable[str]) -> Vocabulary:
    """`schemas` is event type -> JSON Schema of its data, `messages` the folders of templates there are."""
    rules = [authored.rule for authored in loaded.rules]
    signals = [
        *_shared(loaded),
        *(word for rule in rules for word in _of_rule(rule.rule, rule.signals, loaded)),
    ]
    used = {
        kind
        for signal in (*loaded.shared.signals.values(), *(s for rule in rules for s in rule.signals.values()))
        for kind in _types(signal)
    }
    used |= {kind for events in _awaited(loaded) for kind in events.types or ()}
    types = sorted({*schemas, *used, *OWN_TYPES} - {CUSTOMER_UPDATED, *NOTES})
    sends = [send for rule in rules for send in rule.sends]
    return Vocabulary(
        events=tuple(_event(kind, schemas.get(kind)) for kind in types),
        profile=tuple(_fields(schemas.get(CUSTOMER_UPDATED, {}), addresses=True)),
        signals=tuple(sorted(signals, key=lambda word: (word.rule or "", word.name))),
        lists={name: len(loaded.lists[name]) for name in sorted(loaded.lists)},
        topics=tuple(sorted({send.topic for send in sends})),
        messages=tuple(sorted({*messages, *(send.message for send in sends)})),
    )


def _shared(loaded: LoadedRulebook) -> Iterator[SignalWord]:
    for name, signal in loaded.shared.signals.items():
        yield SignalWord(name, None, signal.kind, signal_type(signal))


def _of_rule(rule: str, signals: Mapping[str, Signal], loaded: LoadedRulebook) -> Iterator[SignalWord]:
    for name, signal in signals.items():
        if name not in loaded.shared.signals:
            yield SignalWord(name, rule, signal.kind, signal_type(signal))


def _types(signal: Signal) -> set[str]:
    if isinstance(signal, WillingnessSignal):
        return set(signal.scores)
    return {kind for events in event_filters(signal) for kind in events.types or ()}


def _awaited(loaded: LoadedRulebook) -> Iterator[EventFilter]:
    """The events that rules and the policy wait for outside of signals."""
    for authored in loaded.rules:
        yield from (events for _, events in awaited_events(authored.rule))
    for cases in loaded.policy.open_cases:
        yield from (cases.opened, cases.closed)


def _event(kind: str, schema: Any) -> EventWord:
    described = isinstance(schema, Mapping)
    return EventWord(
        type=kind,
        description=str(schema.get("description", "")) if described else "",
        fields=tuple(_fields(schema)) if described else (),
        described=described,
        own=kind in OWN_TYPES,
    )


def _fields(schema: Any, prefix: str = "", *, addresses: bool = False) -> Iterator[FieldWord]:
    """Those of objects within too, as `outer.inner`."""
    required = schema.get("required", ())
    for name, described in schema.get("properties", {}).items():
        if not isinstance(described, Mapping):  # true and false are schemas as well
            described = {}
        yield FieldWord(
            name=f"{prefix}{name}",
            type=_type(described),
            required=name in required,
            values=tuple(str(value) for value in described.get("enum", ())),
            description=str(described.get("description", "")),
            usable=not (addresses and name in ADDRESSES),
        )
        yield from _fields(described, f"{prefix}{name}.")


def _type(schema: Mapping[str, Any]) -> str:
    kinds = schema.get("type", "any")
    return " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
