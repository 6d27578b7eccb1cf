"""Signals over other signals, baseline and peers: that there is such a one, of the right sort, and no circle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from foreword.authoring.cel_types import DYN, NUMBER
from foreword.authoring.signals.kinds import KINDS
from foreword.authoring.signals.values import Context
from foreword.authoring.suggest import did_you_mean
from foreword.authoring.yaml_reader import Mapping as YamlMapping
from foreword.authoring.yaml_reader import Node, Scalar
from foreword.domain.instants import DAY, HOUR, SECOND, Duration, format_duration
from foreword.domain.rulebook import BaselineSignal, PeersSignal, Signal


def referred(signal: Signal) -> str | None:
    """The name of the signal that this one is computed from."""
    return signal.signal if isinstance(signal, BaselineSignal | PeersSignal) else None


def closure(names: frozenset[str], signals: Mapping[str, Signal]) -> frozenset[str]:
    """The signals among `names`, and all they are computed from."""
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name in signals and name not in found:
            found.add(name)
            left += _referred(signals[name])
    return frozenset(found)


def _referred(signal: Signal) -> list[str]:
    name = referred(signal)
    return [] if name is None else [name]


def check_references(
    context: Context,
    signals: Mapping[str, Signal],
    nodes: Mapping[str, tuple[Scalar, Node]],
    shared: Mapping[str, Signal],
) -> dict[str, Signal]:
    """`signals` without those whose reference is wrong, which is left in the source's errors.

    A baseline is kept per case or customer as its signal is.
    """
    everything = {**shared, **signals}
    circles = list(_circles(signals))
    checked: dict[str, Signal] = {}
    for name, signal in signals.items():
        with context.source.collecting():
            circle = next((circle for circle in circles if name in circle), None)
            if circle is not None and circle[0] == name:
                path = " -> ".join((*circle, name))
                raise context.source.refused(
                    _value(nodes[name][1], signal.kind), f"these signals go in a circle: {path}"
                )
            if circle is None:
                checked[name] = _checked(context, signal, nodes[name][1], everything, nodes)
    return checked


def _circles(signals: Mapping[str, Signal]) -> Iterator[tuple[str, ...]]:
    """Each from the first of its signals as written."""
    order = list(signals)
    seen: set[str] = set()
    for start in order:
        path: list[str] = []
        following = [start]
        while following and following[0] in signals and following[0] not in seen:
            seen.add(following[0])
            path += following
            following = _referred(signals[following[0]])
        if following and following[0] in path:
            circle = path[path.index(following[0]) :]
            first = circle.index(min(circle, key=order.index))
            yield (*circle[first:], *circle[:first])


def _checked(
    context: Context,
    signal: Signal,
    node: Node,
    everything: Mapping[str, Signal],
    nodes: Mapping[str, tuple[Scalar, Node]],
) -> Signal:
    name = referred(signal)
    if name is None:
        return signal
    at = _value(node, signal.kind)
    base = everything.get(name)
    if base is None:
        if name in nodes:  # it could not be read, which has been said
            return signal
        hint = did_you_mean(name, everything) or f"; known are: {', '.join(sorted(everything))}"
        raise context.source.refused(at, f"there is no signal '{name}'{hint}")
    _comparable(context, signal, name, base, at)
    if isinstance(signal, BaselineSignal):
        _reach(context, signal, base, _value(node, "versus"))
        return signal.model_copy(update={"per_customer": base.per_customer})
    return signal


def _comparable(context: Context, signal: Signal, name: str, base: Signal, at: Node) -> None:
    kind = KINDS[base.kind]
    if kind.is_moment:
        raise context.source.refused(
            at, f"'{name}' is a moment and has no value; {signal.kind} needs a signal that is a number"
        )
    if kind.gives not in (NUMBER, DYN):
        raise context.source.refused(
            at, f"'{name}' is a {kind.gives}; {signal.kind} needs a signal that is a number"
        )
    if isinstance(signal, PeersSignal) and isinstance(base, PeersSignal):
        raise context.source.refused(at, f"'{name}' is itself a comparison with peers")
    if isinstance(signal, BaselineSignal) and _window(base) is None:
        raise context.source.refused(
            at, f"a baseline compares windows, and '{name}' has no 'within'{_where_windows_come(base)}"
        )


def _where_windows_come(base: Signal) -> str:
    return "" if "within" in KINDS[base.kind].keys else f": a {base.kind} signal has none"


def _reach(context: Context, signal: BaselineSignal, base: Signal, at: Node) -> None:
    length = _window(base) or 0
    reach = (signal.versus + 1) * length
    if reach <= context.retention:
        return
    fewest = 2 if signal.compared_as == "zscore" else 1
    most = context.retention // length - 1
    longest = _rounded(context.retention // (signal.versus + 1))
    hint = (
        f"versus: {most} would fit"
        if most >= fewest
        else f"with versus: {signal.versus} a window of {longest} would fit"
    )
    raise context.source.refused(
        at,
        f"{signal.versus} windows of {format_duration(length)} and the present one reach back "
        f"{format_duration(reach)}, further than the policy's retention of "
        f"{format_duration(context.retention)}; {hint}",
    )


def _rounded(length: Duration) -> str:
    """Down to what an author would write."""
    unit = next(unit for unit in (DAY, HOUR, SECOND, 1) if length >= unit)
    return format_duration(length // unit * unit)


def _window(signal: Signal) -> Duration | None:
    within: Duration | None = getattr(signal, "within", None)
    return within


def _value(node: Node, key: str) -> Node:
    """The value of a key that is known to be there."""
    assert isinstance(node, YamlMapping)  # noqa: S101  a signal was read from it
    return next(value for name, value in node.entries if name.value == key)
