"""policy.yaml and lists.yaml -> the published Policy and lists."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

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
    time_of_day,
)
from foreword.authoring.suggest import did_you_mean
from foreword.authoring.value_schemas import DURATION, EVENT_TYPE, TEXT, TIME_OF_DAY, mapping, whole
from foreword.authoring.value_schemas import one_of as any_of
from foreword.authoring.yaml_reader import Mapping as YamlMapping
from foreword.authoring.yaml_reader import Node, Scalar, json_value
from foreword.domain.facts import CUSTOMER_UPDATED
from foreword.domain.instants import DAY, format_duration
from foreword.domain.rulebook import Policy, Purpose, QuietHours, Willingness

LIST_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
TOPIC_NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
LANGUAGE = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
HIGHEST_SCORE = 10
CONSENTS = ("opt-in", "opt-out")
QUIET_HOURS_KEYS = {name: Key(TIME_OF_DAY, required=True) for name in ("from", "to")}
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
}
WILLINGNESS_UNBUILT = ("hold_marketing_below",)
KEYS = {
    "default_timezone": Key({**TEXT, "examples": ["Europe/Berlin"]}),
    "retention": Key({**DURATION, "default": "400d"}),
    "allowed_lateness": Key({**DURATION, "default": "7d"}),
    "settle": Key({**DURATION, "default": "5m"}),
    "quiet_hours": Key(mapping(QUIET_HOURS_KEYS)),
    "willingness": Key(mapping(WILLINGNESS_KEYS)),
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
}
UNBUILT = ("frequency_caps", "volume_constraints", "open_cases", "holdout")

T = TypeVar("T")

_LIST_NAME = re.compile(LIST_NAME, re.ASCII)


def read_policy(path: Path) -> Policy:
    """The defaults where there is no such file; raises RulebookErrors or InvalidRulebook."""
    if not path.exists():
        return Policy()
    source = Source(path)
    fields = Fields(source, source.root(), "the policy", KEYS, UNBUILT)
    values: dict[str, Any] = {}
    for name, node in fields.values.items():
        with source.collecting():
            values[name] = _read(source, name, node)
    _check_reach(source, fields, values)
    source.finish()
    return Policy(**values)


def _check_reach(source: Source, fields: Fields, values: dict[str, Any]) -> None:
    """The willingness index looks back no further than events are kept."""
    willingness, retention = values.get("willingness"), values.get("retention", Policy().retention)
    if willingness is not None and willingness.within > retention:
        with source.collecting():
            raise source.refused(
                fields.values["willingness"],
                f"willingness within {format_duration(willingness.within)} is further back than the policy's "
                f"retention of {format_duration(retention)} keeps events",
            )


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
            return _quiet_hours(source, node)
        case "consent":
            return _consent(source, node)
        case "willingness":
            return _willingness(source, node)
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


def _quiet_hours(source: Source, node: Node) -> QuietHours:
    fields = Fields(source, node, "quiet_hours", QUIET_HOURS_KEYS)
    start, end = (time_of_day(source, fields.require(name)) for name in QUIET_HOURS_KEYS)
    if start == end:
        raise source.refused(
            node, "quiet_hours from and to are the same: leave quiet_hours out, or name a span"
        )
    return QuietHours(start=start, end=end)


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
    fields = Fields(source, node, "willingness", WILLINGNESS_KEYS, WILLINGNESS_UNBUILT)
    scores = fields.require("scores")
    if not isinstance(scores, YamlMapping) or not scores.entries:
        raise source.refused(scores, "'scores' must give event types their scores: {OrderPlaced: 2}")
    return Willingness(
        within=fields.optional("within", duration, 7 * DAY),
        scores={_scored(source, key): _score(source, value) for key, value in scores.entries},
    )


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
