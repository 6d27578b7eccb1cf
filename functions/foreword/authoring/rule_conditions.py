"""What a rule asks: its signals, `when`, `eligible`, each send's `if` and weights, and whether they go together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from foreword.authoring.cel import Scope
from foreword.authoring.cel_types import NUMBER, STRING
from foreword.authoring.expressions import TRUE, condition, expression
from foreword.authoring.fields import Fields, Source
from foreword.authoring.rule_events import Awaited, read_awaited
from foreword.authoring.sends import WEIGHTS, ReadSend
from foreword.authoring.signals.reader import (
    WILLINGNESS,
    NamedSignals,
    read_signals,
    signal_types,
)
from foreword.authoring.signals.references import closure
from foreword.authoring.signals.values import Context
from foreword.authoring.surroundings import Surroundings
from foreword.authoring.yaml_reader import Node
from foreword.domain.conditions import root_names
from foreword.domain.rulebook import (
    DateSignal,
    Expression,
    PeersSignal,
    Send,
    Signal,
    WillingnessSignal,
)

_NO_WILLINGNESS = "policy.yaml sets no willingness (its window and scores)"
_CASE_SCOPE = dict.fromkeys(("profile", "lists"), "a case is named by the event alone")


Reader: TypeAlias = Callable[[Source, Node, Scope], Expression]


@dataclass(frozen=True, slots=True)
class Asked:
    """`own` names the signals that are written in the rule itself."""

    signals: Mapping[str, Signal]
    own: NamedSignals
    when: Expression
    eligible: Expression
    sends: tuple[Send, ...]
    awaited: Awaited


class _Broken(Exception):
    """Something could not be read, which has been said; what depends on it would only be refused for its sake."""


def read_conditions(
    source: Source, fields: Fields, sends: tuple[ReadSend, ...], surroundings: Surroundings
) -> Asked | None:
    """None where something is wrong, which is left in `source.errors`."""
    before = len(source.errors)
    try:
        asked = _read(source, fields, sends, surroundings)
    except _Broken:
        return None
    return asked if len(source.errors) == before else None


def read_case(source: Source, node: Node) -> Expression:
    """`for_each`: a text or a number of the event."""
    case = expression(source, node, Scope(absent=_CASE_SCOPE), (STRING, NUMBER))
    if "event" not in root_names(case):
        raise source.refused(
            node, "'for_each' names nothing of the event, so all events would be of one case"
        )
    return case


def _read(source: Source, fields: Fields, sends: tuple[ReadSend, ...], surroundings: Surroundings) -> Asked:
    own = _own_signals(source, fields, surroundings)
    awaited = read_awaited(_event_context(source, fields, surroundings), fields, sends)
    if surroundings.shared is None:
        raise _Broken
    built_in = _built_in(surroundings)
    others = {**surroundings.shared.signals, **built_in}
    everything = {**own.signals, **others}
    scope = Scope(
        signals=signal_types(everything),
        lists=frozenset(surroundings.lists),
        absent={} if built_in else {WILLINGNESS: _NO_WILLINGNESS},
    )
    nodes = dict(_condition_nodes(fields, sends))
    read = _read_all(source, fields, nodes, scope)
    used = closure(frozenset(own.signals).union(*(root_names(asked) for asked in read.values())), everything)
    signals = {name: signal for name, signal in everything.items() if name in used}
    _refuse_events(source, fields, nodes, read, scope, signals)
    _refuse_what_excludes(source, fields, own, signals)
    return Asked(
        signals=signals,
        own=own,
        when=read["when"],
        eligible=read.get("eligible", TRUE),
        sends=tuple(
            sent.send.model_copy(
                update={
                    "condition": read.get(f"send.{number}.if"),
                    **{name: read.get(f"send.{number}.{name}") for name in WEIGHTS},
                    "unless": awaited.unless[number],
                }
            )
            for number, sent in enumerate(sends)
        ),
        awaited=awaited,
    )


def _own_signals(source: Source, fields: Fields, surroundings: Surroundings) -> NamedSignals:
    node = fields.values.get("signals")
    if node is None:
        return NamedSignals({}, {})
    before = len(source.errors)
    with source.collecting():
        own = read_signals(_event_context(source, fields, surroundings), node, _shared(surroundings))
    if len(source.errors) > before:
        raise _Broken
    return own


def _event_context(source: Source, fields: Fields, surroundings: Surroundings) -> Context:
    """What the conditions of events are read against: they see no signals."""
    node = fields.values.get("signals")
    own = () if node is None else _keys(node)
    hidden = frozenset((WILLINGNESS, *_shared(surroundings), *own))
    scope = Scope(lists=frozenset(surroundings.lists), hidden=hidden)
    return Context(source, scope, surroundings.policy.retention)


def _shared(surroundings: Surroundings) -> Mapping[str, Signal]:
    return {} if surroundings.shared is None else surroundings.shared.signals


def _built_in(surroundings: Surroundings) -> dict[str, Signal]:
    willingness = surroundings.policy.willingness
    if willingness is None:
        return {}
    return {
        WILLINGNESS: WillingnessSignal(
            scores=willingness.scores, within=willingness.within, per_customer=True
        )
    }


def _condition_nodes(fields: Fields, sends: tuple[ReadSend, ...]) -> Iterator[tuple[str, Node]]:
    for name in ("when", "eligible"):
        if name in fields.values:
            yield name, fields.values[name]
    for number, sent in enumerate(sends):
        if sent.condition is not None:
            yield f"send.{number}.if", sent.condition
        for name, node in sent.weights.items():
            yield f"send.{number}.{name}", node


def _reader(name: str) -> Reader:
    """Of what stands at `when`, `send.0.value` and the like: a weight gives a number, all else a truth."""
    return _weight if name.rpartition(".")[2] in WEIGHTS else condition


def _weight(source: Source, node: Node, scope: Scope) -> Expression:
    return expression(source, node, scope, (NUMBER,))


def _read_all(
    source: Source, fields: Fields, nodes: Mapping[str, Node], scope: Scope
) -> dict[str, Expression]:
    before = len(source.errors)
    read: dict[str, Expression] = {}
    with source.collecting():
        fields.require("when")
    for name, node in nodes.items():
        with source.collecting():
            read[name] = _reader(name)(source, node, scope)
    if len(source.errors) > before:
        raise _Broken
    if not root_names(read["when"]) & scope.signals.keys():
        raise source.refused(nodes["when"], "'when' uses no signal, so it would never be evaluated")
    return read


def _refuse_events(
    source: Source,
    fields: Fields,
    nodes: Mapping[str, Node],
    read: Mapping[str, Expression],
    scope: Scope,
    signals: Mapping[str, Signal],
) -> None:
    """Where no event causes the evaluation, no condition may name one."""
    reason = _why_no_event(fields, read["when"], signals)
    if reason is None:
        return
    without = replace(scope, absent={**scope.absent, "event": reason})
    for name, asked in read.items():
        if "event" in root_names(asked):
            with source.collecting():
                _reader(name)(source, nodes[name], without)


def _why_no_event(fields: Fields, when: Expression, signals: Mapping[str, Signal]) -> str | None:
    if "evaluate" in fields.values:
        return "this rule is evaluated on a schedule, and no event causes it"
    for name, signal in signals.items():
        if isinstance(signal, PeersSignal):
            return f"a rule with a peers signal ('{name}') is evaluated when a period closes, not by an event"
        if isinstance(signal, DateSignal) and name in root_names(when):
            return f"'when' uses the date '{name}', which comes without an event"
    return None


def _refuse_what_excludes(
    source: Source, fields: Fields, own: NamedSignals, signals: Mapping[str, Signal]
) -> None:
    """A profile's date and a cohort know no cases; a cohort has its own times; one cohort is compared at a time."""
    peers = [name for name, signal in signals.items() if isinstance(signal, PeersSignal)]

    def place(name: str) -> Node:
        return own.nodes[name][0] if name in own.nodes else fields.values["when"]

    for name in peers[1:]:
        with source.collecting():
            raise source.refused(
                place(name), f"a rule has at most one peers signal, and '{peers[0]}' is one already"
            )
    if "for_each" in fields.values:
        for name, signal in signals.items():
            if isinstance(signal, PeersSignal | DateSignal):
                with source.collecting():
                    raise source.refused(
                        place(name), f"'{name}': a {signal.kind} signal does not go with cases (for_each)"
                    )
    if peers and "evaluate" in fields.values:
        with source.collecting():
            raise source.refused(
                fields.values["evaluate"],
                f"a rule with a peers signal ('{peers[0]}') is evaluated when its period closes, on no schedule",
            )


def _keys(node: Node) -> Iterator[str]:
    return (key.value for key, _ in getattr(node, "entries", ()))
