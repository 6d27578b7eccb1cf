"""A mapping of names to signals, in a rule or in signals.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foreword.authoring.cel import ROOTS
from foreword.authoring.cel_parser import RESERVED
from foreword.authoring.cel_types import NUMBER, CelType
from foreword.authoring.fields import Fields, Source
from foreword.authoring.signals.kinds import KINDS, Kind
from foreword.authoring.signals.references import check_references
from foreword.authoring.signals.values import Context, also_where
from foreword.authoring.suggest import did_you_mean
from foreword.authoring.yaml_reader import Mapping as YamlMapping
from foreword.authoring.yaml_reader import Node, Scalar
from foreword.domain.rulebook import Signal

WILLINGNESS = "willingness"
"""The built-in signal, there where the policy sets its scores."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
TAKEN = frozenset((*ROOTS, "case", "rule", "variant", WILLINGNESS, *RESERVED))
"""Names that mean something else in conditions or templates."""


@dataclass(frozen=True, slots=True)
class NamedSignals:
    """What was read, each with the key that names it and the mapping it was read from."""

    signals: Mapping[str, Signal]
    nodes: Mapping[str, tuple[Scalar, Node]]


def read_signals(context: Context, node: Node, shared: Mapping[str, Signal]) -> NamedSignals:
    """What is wrong is left in `context.source.errors`, and such a signal is left out.

    `shared` are signals written elsewhere, which these may refer to but not redefine.
    """
    source = context.source
    if not isinstance(node, YamlMapping):
        raise source.refused(node, "'signals' must be a mapping of names")
    signals: dict[str, Signal] = {}
    for key, value in node.entries:
        with source.collecting():
            _check_name(source, key, shared)
            signals[key.value] = _read(context, value)
    nodes = {key.value: (key, value) for key, value in node.entries}
    checked = check_references(context, signals, nodes, shared)
    return NamedSignals(checked, nodes)


def signal_types(signals: Mapping[str, Signal]) -> dict[str, CelType]:
    """As conditions see them."""
    return {name: signal_type(signal) for name, signal in signals.items()}


def signal_type(signal: Signal) -> CelType:
    """`dyn` where only the events tell."""
    return KINDS[signal.kind].gives if signal.kind in KINDS else NUMBER  # the latter for willingness


def is_moment(signal: Signal) -> bool:
    return signal.kind in KINDS and KINDS[signal.kind].is_moment


def _check_name(source: Source, key: Scalar, shared: Mapping[str, Signal]) -> None:
    if not _NAME.fullmatch(key.value):
        raise source.refused(key, f"'{key.value}' cannot name a signal: letters, digits and _ only")
    if key.value in TAKEN:
        raise source.refused(
            key, f"'{key.value}' cannot name a signal: it means something else in conditions or templates"
        )
    if key.value in shared:
        raise source.refused(
            key, f"'{key.value}' is also a shared signal in signals.yaml: give this one another name"
        )


def _read(context: Context, node: Node) -> Signal:
    source = context.source
    if not isinstance(node, YamlMapping):
        raise source.refused(node, "a signal is a mapping such as {count: SomethingHappened, within: 7d}")
    keys = {key.value: key for key, _ in node.entries}
    name, kind = _kind_of(source, node, keys)
    what = f"an {name} signal" if name[0] in "ae" else f"a {name} signal"
    if "where" in keys and "where" not in kind.keys:
        message = f"{what} has no 'where' of its own"
        if name in ("ratio", "absence", "sequence"):
            message += "; write it inside the event: {type: TYPE, where: '...'}"
        raise source.refused(keys["where"], message)
    before = len(source.errors)
    fields = Fields(source, node, what, {key: spec.key for key, spec in kind.keys.items()})
    given: dict[str, Any] = {}
    for key, spec in kind.keys.items():
        with source.collecting():
            if spec.key.required or key in fields.values:
                given[spec.field] = spec.read(context, fields.require(key))
    if len(source.errors) == before:
        kind.complete(context, fields, given)
        if "where" in given:
            given["of"] = also_where(given["of"], given.pop("where"))
        return kind.document(**given)
    raise source.errors.pop()  # the signal is left out: what remains would not be what was meant


def _kind_of(source: Source, node: YamlMapping, keys: Mapping[str, Scalar]) -> tuple[str, Kind]:
    """The one kind that a key names."""
    found = [kind for kind in KINDS if kind in keys]
    if len(found) > 1:
        raise source.refused(node, f"a signal is of one kind, and this is {' and '.join(found)}")
    if found:
        return found[0], KINDS[found[0]]
    for key in keys.values():
        hint = did_you_mean(key.value, (*KINDS, WILLINGNESS))
        if key.value == WILLINGNESS:
            message = "'willingness' is built in: name it in a condition, and set its scores in policy.yaml"
            raise source.refused(key, message)
        if hint:
            raise source.refused(key, f"unknown signal kind '{key.value}'{hint}")
    raise source.refused(node, f"a signal needs a kind; known are: {', '.join(KINDS)}")
