"""The `signals` of a rule -> domain.rulebook.Signal."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from foreword.authoring.cel import ROOTS, Scope
from foreword.authoring.cel_parser import RESERVED
from foreword.authoring.cel_types import BOOLEAN, NUMBER, STRING, TIMESTAMP, CelType
from foreword.authoring.expressions import both, condition, expression
from foreword.authoring.fields import Fields, Source, duration, integer, items, one_of, text
from foreword.authoring.suggest import did_you_mean
from foreword.authoring.yaml_reader import Mapping as YamlMapping
from foreword.authoring.yaml_reader import Node, Scalar, Sequence
from foreword.domain.instants import DAY, Duration, format_duration
from foreword.domain.rulebook import (
    AbsenceSignal,
    ChangeSignal,
    CountSignal,
    EachSignal,
    EventFilter,
    Expression,
    RatioSignal,
    Signal,
)

UNBUILT_KINDS = (
    "sum", "average", "min", "max", "distinct", "last", "first", "since", "first_time", "sequence", "date",
    "baseline", "peers", "willingness",
)  # fmt: skip
_UNBUILT_KEYS = ("per",)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_TYPE = re.compile(r"[^\s*]{1,128}")
_TAKEN = frozenset((*ROOTS, "case", "rule", *UNBUILT_KINDS[-1:], *RESERVED))
_TIMERS: Mapping[str, str] = {"each": "each", "last": "last"}


@dataclass(frozen=True, slots=True)
class Context:
    """What a signal is read against. `scope` is what its own conditions see: no signals."""

    source: Source
    scope: Scope
    retention: Duration

    def window(self, source: Source, node: Node) -> Duration:
        length = duration(source, node)
        self.reaches(node, length)
        return length

    def reaches(self, node: Node, length: Duration) -> None:
        if length > self.retention:
            raise self.source.refused(
                node,
                f"{format_duration(length)} is further back than the policy's retention of "
                f"{format_duration(self.retention)} keeps events",
            )


def read_signals(source: Source, node: Node, lists: frozenset[str], retention: Duration) -> dict[str, Signal]:
    """Name -> signal; what is wrong is left in `source.errors`, and such a signal is left out."""
    if not isinstance(node, YamlMapping):
        raise source.refused(node, "'signals' must be a mapping of names")
    names = frozenset(key.value for key, _ in node.entries)
    context = Context(source, Scope(lists=lists, hidden=names), retention)
    signals: dict[str, Signal] = {}
    for key, value in node.entries:
        with source.collecting():
            _check_name(source, key)
            signals[key.value] = _read(context, value)
    return signals


def signal_types(signals: Mapping[str, Signal]) -> dict[str, CelType]:
    """As conditions see them: a moment is a boolean, all others are numbers."""
    return {name: BOOLEAN if is_moment(signal) else NUMBER for name, signal in signals.items()}


def is_moment(signal: Signal) -> bool:
    return isinstance(signal, EachSignal | AbsenceSignal)


def event_filter(context: Context, node: Node, where: Expression | None = None) -> EventFilter:
    """A type, a list of types, "*", or {type:, where:}; `where` is one that stands beside it."""
    if not isinstance(node, YamlMapping):
        return EventFilter(types=_types(context.source, node), where=where)
    fields = Fields(context.source, node, "an event", ("type", "where"))
    own = _where(context, fields)
    return EventFilter(types=_types(context.source, fields.require("type")), where=both(where, own))


def _check_name(source: Source, key: Scalar) -> None:
    if not _NAME.fullmatch(key.value):
        raise source.refused(key, f"'{key.value}' cannot name a signal: letters, digits and _ only")
    if key.value in _TAKEN:
        raise source.refused(
            key, f"'{key.value}' cannot name a signal: it means something else in conditions or templates"
        )


def _read(context: Context, node: Node) -> Signal:
    source = context.source
    if not isinstance(node, YamlMapping):
        raise source.refused(node, "a signal is a mapping such as {count: SomethingHappened, within: 7d}")
    keys = {key.value: key for key, _ in node.entries}
    for kind in UNBUILT_KINDS:
        if kind in keys:
            built = ", ".join(_KINDS)
            raise source.refused(keys[kind], f"signal kind '{kind}' is not built yet; built are: {built}")
    found = [kind for kind in _KINDS if kind in keys]
    if len(found) != 1:
        raise source.refused(*_no_kind(node, found))
    kind = found[0]
    known, read = _KINDS[kind]
    what = f"an {kind} signal" if kind[0] in "ae" else f"a {kind} signal"
    if "where" in keys and "where" not in known:
        message = f"{what} has no 'where' of its own; write it inside the event: {{type: TYPE, where: '...'}}"
        raise source.refused(keys["where"], message)
    before = len(source.errors)
    fields = Fields(source, node, what, known, _UNBUILT_KEYS)
    if len(source.errors) > before:
        raise source.errors.pop()  # the signal is left out: what remains would not be what was meant
    return read(context, fields)


def _no_kind(node: YamlMapping, found: list[str]) -> tuple[Node, str]:
    kinds = ", ".join(_KINDS)
    if found:
        return node, f"a signal is of one kind, and this is {' and '.join(found)}"
    for key, _ in node.entries:
        hint = did_you_mean(key.value, _KINDS)
        if hint:
            return key, f"unknown signal kind '{key.value}'{hint}"
    return node, f"a signal needs a kind; built are: {kinds}"


def _where(context: Context, fields: Fields) -> Expression | None:
    node = fields.values.get("where")
    return None if node is None else condition(context.source, node, context.scope)


def _within(context: Context, fields: Fields) -> Duration | None:
    node = fields.values.get("within")
    return None if node is None else context.window(context.source, node)


def _count(context: Context, fields: Fields) -> Signal:
    reset = fields.values.get("reset")
    return CountSignal(
        of=event_filter(context, fields.require("count"), _where(context, fields)),
        within=_within(context, fields),
        reset=None if reset is None else event_filter(context, reset),
    )


def _ratio(context: Context, fields: Fields) -> Signal:
    return RatioSignal(
        of=event_filter(context, fields.require("ratio")),
        to=event_filter(context, fields.require("to")),
        at_least=integer(context.source, fields.require("at_least"), 1, 1_000_000),
        within=_within(context, fields),
    )


def _each(context: Context, fields: Fields) -> Signal:
    return EachSignal(of=event_filter(context, fields.require("each")))


def _change(context: Context, fields: Fields) -> Signal:
    over = context.window(context.source, fields.require("over"))
    stale_after = fields.optional("stale_after", duration, 7 * DAY)
    context.reaches(fields.values.get("stale_after", fields.values["over"]), over + stale_after)
    return ChangeSignal(
        value=expression(context.source, fields.require("change"), context.scope, (NUMBER,)),
        of=event_filter(context, fields.require("of")),
        over=over,
        stale_after=stale_after,
    )


def _absence(context: Context, fields: Fields) -> Signal:
    until = fields.values.get("until")
    within = _within(context, fields)
    if (until is None) == (within is None):
        raise context.source.refused(fields.node, "an absence signal needs 'within' or 'until', and not both")
    timer = fields.optional("timer", lambda source, node: one_of(source, node, _TIMERS, "timer"), "each")
    return AbsenceSignal(
        absence=event_filter(context, fields.require("absence")),
        after=event_filter(context, fields.require("after")),
        within=within,
        until=None
        if until is None
        else expression(context.source, until, context.scope, (TIMESTAMP, STRING)),
        timer="last" if timer == "last" else "each",
    )


def _types(source: Source, node: Node) -> tuple[str, ...] | None:
    if isinstance(node, Scalar) and node.value == "*":
        return None
    nodes = items(source, node, "the list of event types") if isinstance(node, Sequence) else (node,)
    types: list[str] = []
    for element in nodes:
        name = text(source, element)
        if name == "*":
            raise source.refused(element, '"*" means any event: write it alone, not in a list')
        if not _TYPE.fullmatch(name):
            raise source.refused(element, f"'{name}' is not an event type, a name like SupportContactOpened")
        if name in types:
            raise source.refused(element, f"'{name}' stands twice in the list")
        types.append(name)
    return tuple(types)


_KINDS: dict[str, tuple[tuple[str, ...], Callable[[Context, Fields], Signal]]] = {
    "count": (("count", "where", "within", "reset"), _count),
    "ratio": (("ratio", "to", "at_least", "within"), _ratio),
    "each": (("each",), _each),
    "change": (("change", "of", "over", "stale_after"), _change),
    "absence": (("absence", "after", "within", "until", "timer"), _absence),
}
