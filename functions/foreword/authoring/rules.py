"""A rule document -> domain.rulebook.Rule, with the rule's tests and the places its later checks need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foreword.authoring import experiments, holds, schedules
from foreword.authoring.fields import Fields, Key, Source, duration, kebab, one_of, text
from foreword.authoring.rule_conditions import Asked, read_case, read_conditions
from foreword.authoring.rule_digest import digest
from foreword.authoring.schedules import read_schedule
from foreword.authoring.sends import ReadSend, read_sends
from foreword.authoring.surroundings import Surroundings
from foreword.authoring.value_schemas import (
    CONDITION,
    DURATION,
    EVENT,
    EXPRESSION,
    NAME,
    TEXT,
    definition,
    mapping,
)
from foreword.authoring.value_schemas import one_of as any_of
from foreword.authoring.written_tests import RuleTest, read_tests
from foreword.authoring.yaml_reader import Node, Place, Scalar
from foreword.domain.errors import InvalidRulebook
from foreword.domain.instants import Duration
from foreword.domain.rulebook import Mode, Rule

KEYS = {
    "rule": Key({**NAME, "description": "Its name, and that of its file."}, required=True),
    "why": Key(TEXT, required=True),
    "owner": Key(TEXT, required=True),
    "runbook": Key(TEXT),
    "mode": Key({**any_of(Mode), "default": Mode.DRAFT.value}),
    "for_each": Key({**EXPRESSION, "examples": ["event.data.order_id"]}),
    "signals": Key(definition("signals")),
    "when": Key(CONDITION, required=True),
    "evaluate": Key(mapping(schedules.KEYS)),
    "repeat": Key(any_of(["while_true"])),
    "eligible": Key(CONDITION),
    "re_eligible_after": Key({"anyOf": [DURATION, {"const": "none"}], "default": "30d"}),
    "exceptions": Key(EVENT),
    "send": Key(definition("sends"), required=True),
    "hold": Key(mapping(holds.KEYS)),
    "experiment": Key(
        mapping(experiments.KEYS, anyOf=[{"required": ["holdout"]}, {"required": ["variants"]}])
    ),
    "tests": Key(definition("tests")),
}


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file of the rulebook."""

    file: str
    place: Place


@dataclass(frozen=True, slots=True)
class AuthoredRule:
    """`places` holds where each key of the rule, each signal (`signals.name`, which may be shared), each message
    (`send.0`) and each send's `if`, `unless` and weights (`send.0.if`) stand."""

    rule: Rule
    tests: tuple[RuleTest, ...]
    file: str
    places: Mapping[str, Position]

    def refused(self, name: str, message: str) -> InvalidRulebook:
        """At the place of that name."""
        at = self.places[name]
        return InvalidRulebook(message, file=at.file, line=at.place.line, column=at.place.column)


def read_rule(path: Path, surroundings: Surroundings) -> AuthoredRule | None:
    """Raises InvalidRulebook or, with all that was found in the file, RulebookErrors.

    None where nothing more can be said of the rule until signals.yaml is mended.
    """
    source = Source(path)
    fields = Fields(source, source.root(), "a rule", KEYS)
    values = _plain_values(source, fields, surroundings)
    sends: tuple[ReadSend, ...] = ()
    with source.collecting():
        sends = read_sends(source, fields.require("send"), surroundings.policy.retention)
    asked: Asked | None = None
    with source.collecting():
        asked = read_conditions(source, fields, sends, surroundings)
    tests: tuple[RuleTest, ...] = ()
    with source.collecting():
        if "tests" in fields.values:
            tests = read_tests(source, fields.values["tests"], tuple(sent.send for sent in sends))
    source.finish()
    if asked is None:
        return None
    rule = Rule(
        **values,
        signals=asked.signals,
        when=asked.when,
        eligible=asked.eligible,
        sends=asked.sends,
        exceptions=asked.awaited.exceptions,
        hold=asked.awaited.hold,
        experiment=asked.awaited.experiment,
        digest="",
    )
    named = digest(rule, surroundings.policy, surroundings.lists)
    return AuthoredRule(
        rule.model_copy(update={"digest": named}),
        tests,
        source.file,
        _places(source, fields, sends, asked, surroundings),
    )


def _plain_values(source: Source, fields: Fields, surroundings: Surroundings) -> dict[str, Any]:
    """Whatever could be read of the keys that need no signals; the rest is in `source.errors`."""
    values: dict[str, Any] = {}
    with source.collecting():
        values["rule"] = _name(source, fields.require("rule"))
    for name in ("why", "owner"):
        with source.collecting():
            values[name] = text(source, fields.require(name))
    readers: Mapping[str, Any] = {
        "runbook": text,
        "mode": lambda at, node: one_of(at, node, {mode.value: mode for mode in Mode}, "mode"),
        "for_each": read_case,
        "evaluate": lambda at, node: read_schedule(at, node, surroundings.policy.retention),
        "repeat": lambda at, node: one_of(at, node, {"while_true": True}, "way to repeat"),
        "re_eligible_after": _re_eligible_after,
    }
    for name, read in readers.items():
        with source.collecting():
            if name in fields.values:
                values[name] = read(source, fields.values[name])
    return values


def _name(source: Source, node: Node) -> str:
    name = kebab(source, node)
    if name != source.path.stem:
        raise source.refused(node, f"the rule '{name}' must stand in a file of its name, {name}.yaml")
    return name


def _re_eligible_after(source: Source, node: Node) -> Duration | None:
    """None where it says none."""
    if isinstance(node, Scalar) and node.value == "none":
        return None
    if isinstance(node, Scalar) and (node.value == "null" or node.value[:1] == "0"):
        raise source.refused(node, "where a firing sets no pause, write none")
    return duration(source, node)


def _places(
    source: Source,
    fields: Fields,
    sends: tuple[ReadSend, ...],
    asked: Asked,
    surroundings: Surroundings,
) -> dict[str, Position]:
    places = {name: node.place for name, node in fields.values.items()}
    places |= {f"signals.{name}": key.place for name, (key, _) in asked.own.nodes.items()}
    for number, sent in enumerate(sends):
        places[f"send.{number}"] = sent.message
        if sent.condition is not None:
            places[f"send.{number}.if"] = sent.condition.place
        if sent.unless is not None:
            places[f"send.{number}.unless"] = sent.unless.place
        places |= {f"send.{number}.{name}": weight.place for name, weight in sent.weights.items()}
    positions = {name: Position(source.file, place) for name, place in places.items()}
    if surroundings.shared is not None:
        shared = surroundings.shared
        positions |= {
            f"signals.{name}": Position(shared.file, shared.places[name])
            for name in asked.signals
            if name in shared.places
        }
    return positions
