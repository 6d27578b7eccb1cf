"""A rule document -> domain.rulebook.Rule, with the rule's tests and the places its later checks need."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from foreword.authoring.cel import Scope
from foreword.authoring.expressions import TRUE, condition
from foreword.authoring.fields import Fields, Source, duration, integer, items, kebab, one_of, text
from foreword.authoring.signals import read_signals, signal_types
from foreword.authoring.written_tests import RuleTest, read_tests
from foreword.authoring.yaml_reader import Mapping as YamlMapping
from foreword.authoring.yaml_reader import Node, Place, Scalar, Sequence
from foreword.domain.conditions import root_names
from foreword.domain.instants import DAY, Duration
from foreword.domain.rulebook import Channel, Expression, Mode, Policy, Purpose, Rule, Send, Signal

KNOWN = (
    "rule", "why", "owner", "runbook", "mode", "signals", "when", "eligible", "re_eligible_after", "send", "tests",
)  # fmt: skip
UNBUILT = ("for_each", "evaluate", "repeat", "exceptions", "experiment", "hold")
SEND_KNOWN = ("message", "purpose", "topic", "priority", "channels", "expires_after")
SEND_UNBUILT = ("if", "after", "unless", "propensity", "context", "value")
UNBUILT_CHANNELS = ("task", "outbound")

E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class AuthoredRule:
    """`places` holds where `when`, `eligible`, `tests`, `message` and each signal (`signals.name`) stand."""

    rule: Rule
    tests: tuple[RuleTest, ...]
    file: str
    places: Mapping[str, Place]


def read_rule(path: Path, policy: Policy, lists: Mapping[str, tuple[str, ...]]) -> AuthoredRule:
    """Raises InvalidRulebook or, with all that was found in the file, RulebookErrors."""
    source = Source(path)
    fields = Fields(source, source.root(), "a rule", KNOWN, UNBUILT)
    values = _read_values(source, fields, policy, lists)
    source.finish()
    tests = values.pop("tests")
    digest = _digest(values, policy, lists)
    return AuthoredRule(Rule(**values, digest=digest), tests, source.file, _places(fields))


def _read_values(
    source: Source, fields: Fields, policy: Policy, lists: Mapping[str, tuple[str, ...]]
) -> dict[str, Any]:
    """Whatever could be read; the rest is in `source.errors`."""
    values: dict[str, Any] = {"tests": ()}
    with source.collecting():
        values["rule"] = _name(source, fields.require("rule"))
    for name in ("why", "owner"):
        with source.collecting():
            values[name] = text(source, fields.require(name))
    with source.collecting():
        values["runbook"] = fields.optional("runbook", text, None)
    with source.collecting():
        values["mode"] = fields.optional(
            "mode", lambda at, node: one_of(at, node, _by_name(Mode), "mode"), Mode.DRAFT
        )
    with source.collecting():
        pause: Duration | None = 30 * DAY
        values["re_eligible_after"] = fields.optional("re_eligible_after", _re_eligible_after, pause)
    _read_conditions(source, fields, policy, lists, values)
    with source.collecting():
        values["sends"] = (_send(source, fields.require("send")),)
    with source.collecting():
        if "tests" in fields.values:
            values["tests"] = read_tests(
                source, fields.values["tests"], next(iter(values.get("sends", ())), None)
            )
    return values


def _read_conditions(
    source: Source,
    fields: Fields,
    policy: Policy,
    lists: Mapping[str, tuple[str, ...]],
    values: dict[str, Any],
) -> None:
    signals: dict[str, Signal] = {}
    broken = len(source.errors)
    with source.collecting():
        if "signals" in fields.values:
            signals = read_signals(source, fields.values["signals"], frozenset(lists), policy.retention)
    values["signals"] = signals
    if len(source.errors) > broken:
        return  # a condition over signals that could not be read would only be refused for their sake
    scope = Scope(signals=signal_types(signals), lists=frozenset(lists))
    with source.collecting():
        values["when"] = _when(source, fields.require("when"), scope)
    with source.collecting():
        values["eligible"] = fields.optional("eligible", lambda at, node: condition(at, node, scope), TRUE)


def _name(source: Source, node: Node) -> str:
    name = kebab(source, node)
    if name != source.path.stem:
        raise source.refused(node, f"the rule '{name}' must stand in a file of its name, {name}.yaml")
    return name


def _when(source: Source, node: Node, scope: Scope) -> Expression:
    when = condition(source, node, scope)
    if not root_names(when) & scope.signals.keys():
        raise source.refused(node, "'when' uses no signal, so it would never be evaluated")
    return when


def _re_eligible_after(source: Source, node: Node) -> Duration | None:
    """None where it says none."""
    if isinstance(node, Scalar) and node.value == "none":
        return None
    if isinstance(node, Scalar) and (node.value == "null" or node.value[:1] == "0"):
        raise source.refused(node, "where a firing sets no pause, write none")
    return duration(source, node)


def _send(source: Source, node: Node) -> Send:
    if isinstance(node, Sequence):
        sends = items(source, node, "'send'")
        if len(sends) > 1:
            raise source.refused(sends[1], "several sends of one rule are not built yet")
        node = sends[0]
    fields = Fields(source, node, "'send'", SEND_KNOWN, SEND_UNBUILT)
    return Send(
        message=kebab(source, fields.require("message")),
        purpose=one_of(source, fields.require("purpose"), _by_name(Purpose), "purpose"),
        topic=kebab(source, fields.require("topic")),
        channels=_channels(source, fields.require("channels")),
        priority=fields.optional("priority", lambda at, value: integer(at, value, 1, 100), 50),
        expires_after=fields.optional("expires_after", duration, DAY),
    )


def _channels(source: Source, node: Node) -> tuple[Channel, ...]:
    channels: list[Channel] = []
    for item in items(source, node, "'channels'"):
        channel = one_of(source, item, _by_name(Channel), "channel", UNBUILT_CHANNELS)
        if channel in channels:
            raise source.refused(item, f"the channel '{channel}' stands twice")
        channels.append(channel)
    return tuple(channels)


def _by_name(kind: type[E]) -> dict[str, E]:
    return {member.value: member for member in kind}


def _places(fields: Fields) -> dict[str, Place]:
    places = {name: node.place for name, node in fields.values.items()}
    send = fields.values["send"]
    if isinstance(send, Sequence):
        send = send.items[0]
    places["message"] = next(value.place for key, value in _entries(send) if key.value == "message")
    places |= {f"signals.{key.value}": key.place for key, _ in _entries(fields.values.get("signals"))}
    return places


def _entries(node: Node | None) -> tuple[tuple[Scalar, Node], ...]:
    return node.entries if isinstance(node, YamlMapping) else ()


def _digest(values: Mapping[str, Any], policy: Policy, lists: Mapping[str, tuple[str, ...]]) -> str:
    """Of what decides: words, layout and the message may change without making another rule of it."""
    signals: Mapping[str, Signal] = values["signals"]
    deciding = {
        "signals": {name: _trees(signal.model_dump(mode="json")) for name, signal in signals.items()},
        "when": values["when"].tree,
        "eligible": values["eligible"].tree,
        "re_eligible_after": values["re_eligible_after"],
        "retention": policy.retention,
    }
    written = json.dumps(deciding, sort_keys=True, separators=(",", ":"))
    used = {
        name: lists[name]
        for name in sorted(lists)
        if f'["field",["name","lists"],{json.dumps(name)}]' in written
    }
    return hashlib.sha256(f"{written}{json.dumps(used)}".encode()).hexdigest()


def _trees(document: Any) -> Any:
    """The document with every expression reduced to its tree."""
    if isinstance(document, dict):
        if document.keys() == {"source", "tree"}:
            return document["tree"]
        return {name: _trees(value) for name, value in document.items()}
    return document
