"""policy.yaml and lists.yaml -> the published Policy and lists."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from foreword.authoring import limits, open_cases, quiet_hours, shares
from foreword.authoring.event_types import event_type
from foreword.authoring.fields import (
    Fields,
    Key,
    Source,
    duration,
    duration_or_zero,
    integer,
    items,
    one_of,
    text,
)
from foreword.authoring.suggest import did_you_mean
from foreword.authoring.value_schemas import DURATION, EVENT_TYPE, TEXT, list_of, mapping, whole
from foreword.authoring.value_schemas import one_of as any_of
from foreword.authoring.yaml_reader import Mapping as YamlMapping
from foreword.authoring.yaml_reader import Node, Place, Scalar, Sequence, json_value
from foreword.domain.errors import InvalidRulebook
from foreword.domain.facts import CUSTOMER_UPDATED
from foreword.domain.instants import DAY, Duration, format_duration
from foreword.domain.rulebook import Policy, Purpose, Willingness

LIST_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
TOPIC_NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
LANGUAGE = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
HIGHEST_SCORE = 10
LARGEST_INDEX = 1_000_000
CONSENTS = ("opt-in", "opt-out")
CONSENT_KEYS = {name: Key(any_of(CONSENTS)) for name in ("marketing", "service")}
WILLINGNESS_KEYS = {
    "within": Key({**DURATION, "default": "7d"}),
    "scores": Key(
        {
            "type": "object",
            "propertyNames": EVENT_TYPE,
            "additionalProperties": whole(-HIGHEST_SCORE, HIGHEST_SCORE),
            "minProperties": 1,
        },
        required=True,
    ),
    "hold_marketing_below": Key(whole(-LARGEST_INDEX, LARGEST_INDEX)),
}
KEYS = {
    "default_timezone": Key({**TEXT, "examples": ["Europe/Berlin"]}),
    "retention": Key({**DURATION, "default": "400d"}),
    "allowed_lateness": Key({**DURATION, "default": "7d"}),
    "settle": Key({**DURATION, "default": "5m"}),
    "quiet_hours": Key(quiet_hours.SCHEMA),
    "frequency_caps": Key(limits.CAPS),
    "volume_constraints": Key(limits.VOLUMES),
    "willingness": Key(mapping(WILLINGNESS_KEYS)),
    "open_cases": Key(open_cases.CASES),
    "consent": Key(mapping(CONSENT_KEYS)),
    "topics": Key(
        {
            "type": "object",
            "propertyNames": {"pattern": TOPIC_NAME},
            "additionalProperties": {
                "type": "object",
                "propertyNames": {"pattern": LANGUAGE},
                "additionalProperties": TEXT,
                "minProperties": 1,
            },
        }
    ),
    "links": Key(list_of({**TEXT, "examples": ["shop.example.com"]})),
    "holdout": Key(shares.PERCENT),
}

_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.ASCII)
_URL_OF_A_HOST = re.compile(r"(?:[a-z]+:)?(?://)?([^/:]+)")
T = TypeVar("T")

_LIST_NAME = re.compile(LIST_NAME, re.ASCII)


@dataclass(frozen=True, slots=True)
class AuthoredPolicy:
    """`places` holds where each score (`willingness.TYPE`) and each element of a list (`open_cases.0`) stands."""

    policy: Policy = field(default_factory=Policy)
    file: str = ""
    places: Mapping[str, Place] = field(default_factory=dict)

    def refused(self, name: str, message: str) -> InvalidRulebook:
        """At the place of that name."""
        at = self.places[name]
        return InvalidRulebook(message, file=self.file, line=at.line, column=at.column)


def read_policy(path: Path) -> Policy:
    """The defaults where there is no such file; raises RulebookErrors or InvalidRulebook."""
    return read_authored_policy(path).policy


def read_authored_policy(path: Path) -> AuthoredPolicy:
    """The same with the places that later checks need."""
    if not path.exists():
        return AuthoredPolicy()
    source = Source(path)
    fields = Fields(source, source.root(), "the policy", KEYS)
    values: dict[str, Any] = {}
    for name, node in fields.values.items():
        with source.collecting():
            values[name] = _read(source, name, node)
    _check_reach(source, fields, values)
    source.finish()
    values["link_hosts"] = values.pop("links", ())
    if "quiet_hours" in values:
        hours = values["quiet_hours"]
        values |= {"quiet_hours": hours.everywhere, "quiet_hours_on": hours.on}
    return AuthoredPolicy(Policy(**values), source.file, _places(fields))


def _places(fields: Fields) -> dict[str, Place]:
    places: dict[str, Place] = {}
    for name, node in fields.values.items():
        if isinstance(node, Sequence):
            places |= {f"{name}.{number}": item.place for number, item in enumerate(node.items)}
    for key, node in getattr(fields.values.get("willingness"), "entries", ()):
        if key.value == "scores":
            places |= {f"willingness.{kind.value}": kind.place for kind, _ in getattr(node, "entries", ())}
    return places


def _check_reach(source: Source, fields: Fields, values: dict[str, Any]) -> None:
    """Nothing looks back further than events and messages are kept."""
    retention = values.get("retention", Policy().retention)

    def reaches(node: Node, what: str, length: Duration) -> None:
        with source.collecting():
            if length > retention:
                raise source.refused(
                    node,
                    f"{what} {format_duration(length)} is further back than the policy's retention of "
                    f"{format_duration(retention)} keeps events and messages",
                )

    if "willingness" in values:
        reaches(fields.values["willingness"], "willingness within", values["willingness"].within)
    for cap, node in _with_nodes(source, fields, values, "frequency_caps"):
        reaches(node, "a cap within", cap.within)
    for cases, node in _with_nodes(source, fields, values, "open_cases"):
        reaches(node, "an open case, at_most and then_for together, of", cases.at_most + cases.then_for)


def _with_nodes(source: Source, fields: Fields, values: dict[str, Any], name: str) -> list[tuple[Any, Node]]:
    """What was read of a list, each with where it stands."""
    if name not in values:
        return []
    return list(zip(values[name], items(source, fields.values[name], f"'{name}'"), strict=True))


def read_lists(path: Path) -> dict[str, tuple[str, ...]]:
    """Name -> texts; empty where there is no such file."""
    if not path.exists():
        return {}
    source = Source(path)
    lists: dict[str, tuple[str, ...]] = {}
    for key, node in source.root().entries:
        with source.collecting():
            if not _LIST_NAME.fullmatch(key.value):
                raise source.refused(
                    key, f"'{key.value}' cannot be written as lists.name: letters, digits and _ only"
                )
            lists[key.value] = tuple(
                _element(source, item) for item in items(source, node, f"the list '{key.value}'")
            )
    source.finish()
    return lists


def _read(source: Source, name: str, node: Node) -> Any:
    match name:
        case "default_timezone":
            return _timezone(source, node)
        case "quiet_hours":
            return quiet_hours.read_quiet_hours(source, node)
        case "frequency_caps":
            return limits.read_caps(source, node)
        case "volume_constraints":
            return limits.read_volumes(source, node)
        case "open_cases":
            return open_cases.read_open_cases(source, node)
        case "holdout":
            return shares.holdout(source, node)
        case "consent":
            return _consent(source, node)
        case "willingness":
            return _willingness(source, node)
        case "links":
            return tuple(_host(source, item) for item in items(source, node, "'links'"))
        case "topics":
            return _topics(source, node)
        case "retention":
            return duration(source, node)
        case _:
            return duration_or_zero(source, node)


def _timezone(source: Source, node: Node) -> str:
    name = text(source, node)
    known = zoneinfo.available_timezones()
    if name not in known:
        raise source.refused(node, f"unknown time zone '{name}'{did_you_mean(name, known)}")
    return name


def _consent(source: Source, node: Node) -> dict[Purpose, str]:
    fields = Fields(source, node, "consent", CONSENT_KEYS)
    given = {
        Purpose(name): one_of(source, value, {consent: consent for consent in CONSENTS}, "consent")
        for name, value in fields.values.items()
    }
    return {**Policy().consent, **given}


def _topics(source: Source, node: Node) -> dict[str, dict[str, str]]:
    return {
        topic: _named(source, names, LANGUAGE, lambda title: text(source, title))
        for topic, names in _named(source, node, TOPIC_NAME, lambda names: names).items()
    }


def _named(source: Source, node: Node, pattern: str, read: Callable[[Node], T]) -> dict[str, T]:
    if not isinstance(node, YamlMapping) or not node.entries:
        raise source.refused(node, "'topics' must give topics their names: {offers: {en: Offers}}")
    for key, _ in node.entries:
        if not re.search(pattern, key.value, re.ASCII):
            raise source.refused(key, f"'{key.value}' is neither a topic nor a language like en or de-AT")
    return {key.value: read(value) for key, value in node.entries}


def _willingness(source: Source, node: Node) -> Willingness:
    fields = Fields(source, node, "willingness", WILLINGNESS_KEYS)
    scores = fields.require("scores")
    if not isinstance(scores, YamlMapping) or not scores.entries:
        raise source.refused(scores, "'scores' must give event types their scores: {OrderPlaced: 2}")
    return Willingness(
        within=fields.optional("within", duration, 7 * DAY),
        scores={_scored(source, key): _score(source, value) for key, value in scores.entries},
        hold_marketing_below=fields.optional("hold_marketing_below", _line, None),
    )


def _host(source: Source, node: Node) -> str:
    written = text(source, node)
    if not _HOST.fullmatch(written):
        meant = _URL_OF_A_HOST.match(written.lower())
        hint = f"; did you mean '{meant[1]}'?" if meant and _HOST.fullmatch(meant[1]) else ""
        raise source.refused(node, f"'{written}' is not a host name like shop.example.com{hint}")
    return written


def _line(source: Source, node: Node) -> int | None:
    return integer(source, node, -LARGEST_INDEX, LARGEST_INDEX)


def _scored(source: Source, key: Scalar) -> str:
    name = event_type(source, key)
    if name == CUSTOMER_UPDATED:
        raise source.refused(key, f"{CUSTOMER_UPDATED} tells of the profile and is no interaction")
    return name


def _score(source: Source, node: Node) -> int:
    return integer(source, node, -HIGHEST_SCORE, HIGHEST_SCORE)


def _element(source: Source, node: Node) -> str:
    if isinstance(node, Scalar) and not isinstance(json_value(node), str):
        raise source.refused(node, f"an element of a list is a text: write '{node.value}' in quotes")
    return text(source, node)
