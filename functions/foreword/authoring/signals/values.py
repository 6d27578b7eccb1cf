"""How the values of a signal's keys are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from foreword.authoring import expressions
from foreword.authoring.cel import Scope
from foreword.authoring.cel_types import BOOLEAN, NUMBER, STRING, TIMESTAMP
from foreword.authoring.event_types import event_type
from foreword.authoring.expressions import both, condition
from foreword.authoring.fields import (
    Fields,
    Key,
    Source,
    boolean,
    duration,
    duration_or_zero,
    integer,
    items,
    one_of,
    text,
    time_of_day,
)
from foreword.authoring.value_schemas import CONDITION, EVENT_TYPE, list_of
from foreword.authoring.yaml_reader import Mapping as YamlMapping
from foreword.authoring.yaml_reader import Node, Scalar, Sequence
from foreword.domain.instants import Duration, format_duration
from foreword.domain.rulebook import EventFilter, Expression

EVENT_KEYS = {
    "type": Key({"oneOf": [EVENT_TYPE, {"const": "*"}, list_of(EVENT_TYPE)]}, required=True),
    "where": Key(CONDITION),
}
TIMERS = ("each", "last")
COMPARISONS = ("ratio", "zscore")
STATISTICS = ("median", "mean", "min", "max", *(f"p{percent}" for percent in range(5, 96)))
MOST = 1_000_000
"""Of anything that is counted."""

_NO_EVENT: Mapping[str, str] = dict.fromkeys(("event", "lists"), "a date comes of the profile alone")


@dataclass(frozen=True, slots=True)
class Context:
    """What a signal is read against. `scope` is what its own conditions see: no signals."""

    source: Source
    scope: Scope
    retention: Duration

    def reaches(self, node: Node, length: Duration) -> None:
        """Refuses what looks back further than events are kept."""
        if length > self.retention:
            raise self.source.refused(
                node,
                f"{format_duration(length)} is further back than the policy's retention of "
                f"{format_duration(self.retention)} keeps events",
            )


def event(context: Context, node: Node) -> EventFilter:
    """A type, a list of types, "*", or {type:, where:}."""
    if not isinstance(node, YamlMapping):
        return EventFilter(types=_types(context.source, node))
    fields = Fields(context.source, node, "an event", EVENT_KEYS)
    where_node = fields.values.get("where")
    return EventFilter(
        types=_types(context.source, fields.require("type")),
        where=None if where_node is None else where(context, where_node),
    )


def also_where(events: EventFilter, beside: Expression | None) -> EventFilter:
    """The events for which a condition that stands beside them holds too."""
    return events.model_copy(update={"where": both(beside, events.where)})


def steps(context: Context, node: Node) -> tuple[EventFilter, ...]:
    nodes = items(context.source, node, "a sequence")
    if len(nodes) < 2:
        raise context.source.refused(node, "a sequence has at least two steps")
    return tuple(event(context, step) for step in nodes)


def where(context: Context, node: Node) -> Expression:
    return condition(context.source, node, context.scope)


def number(context: Context, node: Node) -> Expression:
    return expressions.expression(context.source, node, context.scope, (NUMBER,))


def value(context: Context, node: Node) -> Expression:
    """What can be kept and compared: no list, no map, and times as the text they came as."""
    return expressions.expression(context.source, node, context.scope, (BOOLEAN, NUMBER, STRING))


def until(context: Context, node: Node) -> Expression:
    return expressions.expression(context.source, node, context.scope, (TIMESTAMP, STRING))


def profile_date(context: Context, node: Node) -> Expression:
    scope = replace(context.scope, lists=frozenset(), absent={**context.scope.absent, **_NO_EVENT})
    return expressions.expression(context.source, node, scope, (STRING, TIMESTAMP))


def window(context: Context, node: Node) -> Duration:
    length = duration(context.source, node)
    context.reaches(node, length)
    return length


def span(context: Context, node: Node) -> Duration:
    return duration(context.source, node)


def lead(context: Context, node: Node) -> Duration:
    return duration_or_zero(context.source, node)


def clock(context: Context, node: Node) -> int:
    return time_of_day(context.source, node)


def many(context: Context, node: Node) -> int:
    return integer(context.source, node, 1, MOST)


def flag(context: Context, node: Node) -> bool:
    return boolean(context.source, node)


def timer(context: Context, node: Node) -> str:
    return one_of(context.source, node, {name: name for name in TIMERS}, "timer")


def comparison(context: Context, node: Node) -> str:
    return one_of(context.source, node, {name: name for name in COMPARISONS}, "comparison")


def statistic(context: Context, node: Node) -> str:
    name = text(context.source, node)
    if name not in STATISTICS:
        raise context.source.refused(
            node, f"unknown statistic '{name}'; known are: median, mean, min, max, and p5 to p95"
        )
    return name


def per(context: Context, node: Node) -> bool:
    return one_of(context.source, node, {"customer": True}, "scope of a signal")


def name(context: Context, node: Node) -> str:
    """Of another signal; whether there is one is looked at when all have been read."""
    return text(context.source, node)


def _types(source: Source, node: Node) -> tuple[str, ...] | None:
    if isinstance(node, Scalar) and node.value == "*":
        return None
    nodes = items(source, node, "the list of event types") if isinstance(node, Sequence) else (node,)
    types: list[str] = []
    for element in nodes:
        if isinstance(element, Scalar) and element.value == "*":
            raise source.refused(element, '"*" means any event: write it alone, not in a list')
        kind = event_type(source, element)
        if kind in types:
            raise source.refused(element, f"'{kind}' stands twice in the list")
        types.append(kind)
    return tuple(types)
