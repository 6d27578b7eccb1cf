"""What is allowed in a rule, but probably not meant: the warnings of `check`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from foreword.authoring.falling import made_true_by_events
from foreword.authoring.rules import AuthoredRule
from foreword.authoring.sends import WEIGHTS
from foreword.authoring.signals.reader import is_moment
from foreword.authoring.suggest import MISSPELT, did_you_mean
from foreword.domain.conditions import root_names
from foreword.domain.errors import InvalidRulebook
from foreword.domain.facts import CUSTOMER_UPDATED, OWN_TYPES
from foreword.domain.rulebook import EventFilter, Expression, PeersSignal, Rule, SequenceSignal, Signal

Schemas = Mapping[str, Any]


def cautions(authored: AuthoredRule, schemas: Schemas) -> list[InvalidRulebook]:
    """In no particular order; `schemas` is event type -> JSON Schema of its data."""
    found = [*_all(authored.rule, schemas), *_idle_others(authored)]
    return [authored.refused(name, words) for name, words in found]


def _idle_others(authored: AuthoredRule) -> Iterator[tuple[str, str]]:
    signals = authored.rule.signals.values()
    if not any(isinstance(signal, PeersSignal) for signal in signals):
        for test in authored.tests:
            if test.others:
                yield (
                    "tests",
                    f"'{test.name}' gives others, and only a rule with a peers signal looks at them",
                )


def _all(rule: Rule, schemas: Schemas) -> Iterator[tuple[str, str]]:
    """The key of `AuthoredRule.places`, and the words."""
    yield from _in_vain(rule, schemas)
    types: set[str] = set()
    for name, signal in rule.signals.items():
        for events in event_filters(signal):
            types.update(events.types or ())
            yield from ((f"signals.{name}", words) for words in unlikely_types(events, schemas))
            if events.where is not None:
                yield from (
                    (f"signals.{name}", words)
                    for words in unlikely_fields(events.where, tuple(events.types or ()), schemas)
                )
    for name, expression in _asked(rule):
        yield from ((name, words) for words in unlikely_fields(expression, tuple(sorted(types)), schemas))
    for name, events in awaited_events(rule):
        yield from ((name, words) for words in unlikely_types(events, schemas))
        if events.where is not None:
            found = unlikely_fields(events.where, tuple(events.types or ()), schemas)
            yield from ((name, words) for words in found)
    yield from _without_case(rule, schemas)
    if rule.experiment is not None and rule.experiment.goal is None:
        yield "experiment", "an experiment without a goal: `foreword results` has nothing to count"


def _without_case(rule: Rule, schemas: Schemas) -> Iterator[tuple[str, str]]:
    """Events that are to cancel messages of a case, and cannot say of which."""
    if rule.for_each is None:
        return
    for name, events in awaited_events(rule):
        if name in ("hold", "experiment"):
            continue  # these are of the customer, whatever the case
        for kind, field in lacking_fields(events, rule.for_each, schemas):
            yield (
                name,
                f"the schema of {kind} has no '{field}', and an event without the case "
                f"({rule.for_each.source}) cancels nothing",
            )


def lacking_fields(events: EventFilter, case: Expression, schemas: Schemas) -> Iterator[tuple[str, str]]:
    """The types whose schema knows no field of `event.data` that the case is made of, each with the first one."""
    needed = sorted(_fields(case.tree, _DATA))
    for kind in events.types or ():
        known = schemas[kind].get("properties", {}) if kind in schemas else needed
        missing = [field for field in needed if field not in known]
        if missing:
            yield kind, missing[0]


def _in_vain(rule: Rule, schemas: Schemas) -> Iterator[tuple[str, str]]:
    """What the rule would wait for and never be asked at."""
    used = root_names(rule.when) & rule.signals.keys()
    peers = [name for name, signal in rule.signals.items() if isinstance(signal, PeersSignal)]
    if rule.evaluate is not None or peers:
        times = "on a schedule" if rule.evaluate is not None else f"when the period of '{peers[0]}' closes"
        for name in sorted(used):
            if is_moment(rule.signals[name]):
                yield (
                    "when",
                    f"'{name}' is true at its own instant alone, and this rule is evaluated {times}: "
                    "it will hardly ever be true",
                )
    elif made_true_by_events(rule.when.tree, rule.signals, schemas) is False:
        yield (
            "when",
            "only passing time can make this true, and passing time alone makes no rule fire; "
            'ask on a schedule instead, as in evaluate: {every: 1d, at: "09:00"}',
        )


def _asked(rule: Rule) -> Iterator[tuple[str, Expression]]:
    yield from (("when", rule.when), ("eligible", rule.eligible))
    for number, send in enumerate(rule.sends):
        for key, asked in (("if", send.condition), *((name, getattr(send, name)) for name in WEIGHTS)):
            if asked is not None:
                yield f"send.{number}.{key}", asked


def awaited_events(rule: Rule) -> Iterator[tuple[str, EventFilter]]:
    """The events that matter after a firing, each with the key of `AuthoredRule.places`."""
    experiment, hold = rule.experiment, rule.hold
    named = {
        "exceptions": rule.exceptions,
        "hold": None if hold is None else hold.until,
        "experiment": None if experiment is None or experiment.goal is None else experiment.goal.event,
        **{f"send.{number}.unless": send.unless for number, send in enumerate(rule.sends)},
    }
    yield from ((name, events) for name, events in named.items() if events is not None)


def event_filters(signal: Signal) -> list[EventFilter]:
    steps = signal.steps if isinstance(signal, SequenceSignal) else ()
    return [*steps, *(value for _, value in signal if isinstance(value, EventFilter))]


def unlikely_types(events: EventFilter, schemas: Schemas) -> Iterator[str]:
    known = {*schemas, *OWN_TYPES}
    for kind in events.types or ():
        hint = "" if kind in known else did_you_mean(kind, known, likeness=MISSPELT)
        if hint:
            yield f"no schema describes the event '{kind}'{hint}"


def unlikely_fields(expression: Expression, types: tuple[str, ...], schemas: Schemas) -> Iterator[str]:
    """Fields that a negation meets and a schema does not require, and fields that look misspelt."""
    asked = {node[2] for node in _nodes(expression.tree) if node[0] == "has"}
    for symbol, field in _negated(expression.tree):
        loose = [kind for kind in types if kind in schemas and field not in schemas[kind].get("required", ())]
        if loose and field not in asked:
            yield (
                f"'{symbol}' meets event.data.{field}, which the schema of {loose[0]} does not require; where "
                f"it is missing this is false, unless has(event.data.{field}) is asked first"
            )
    if types and all(kind in schemas for kind in types):
        known = {name for kind in types for name in schemas[kind].get("properties", {})}
        yield from _misspelt("event.data.", _fields(expression.tree, _DATA), known)
    profile = schemas.get(CUSTOMER_UPDATED, {}).get("properties", {})
    yield from _misspelt("profile.", _fields(expression.tree, ["name", "profile"]), set(profile))


def _misspelt(prefix: str, fields: set[str], known: set[str]) -> Iterator[str]:
    for field in sorted(fields - known):
        hint = did_you_mean(field, known, likeness=MISSPELT)
        if hint:
            yield f"no schema describes {prefix}{field}{hint}"


_DATA = ["field", ["name", "event"], "data"]


def _nodes(tree: Any) -> Iterator[list[Any]]:
    yield tree
    for operand in tree[1:]:
        if isinstance(operand, list):
            yield from _nodes(operand)


def _fields(tree: Any, container: list[Any]) -> set[str]:
    """The fields of `container` that are read or asked for."""
    return {node[2] for node in _nodes(tree) if node[0] in ("field", "has") and node[1] == container}


def _negated(tree: Any) -> set[tuple[str, str]]:
    """(`!=` or `!`, field of event.data) for every such field under such a node."""
    return {
        (node[0], field) for node in _nodes(tree) if node[0] in ("!=", "!") for field in _fields(node, _DATA)
    }
