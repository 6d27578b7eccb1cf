"""policy.yaml and lists.yaml -> the published Policy and lists."""

from __future__ import annotations

import re
import zoneinfo
from pathlib import Path
from typing import Any

from foreword.authoring.fields import Fields, Source, duration, duration_or_zero, items, one_of, text
from foreword.authoring.suggest import did_you_mean
from foreword.authoring.yaml_reader import Node, Scalar, json_value
from foreword.domain.rulebook import Policy, Purpose, QuietHours

KNOWN = ("default_timezone", "retention", "allowed_lateness", "settle", "quiet_hours", "consent")
UNBUILT = ("frequency_caps", "volume_constraints", "willingness", "open_cases", "holdout")

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_LIST_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_CONSENT = {"opt-in": "opt-in", "opt-out": "opt-out"}


def read_policy(path: Path) -> Policy:
    """The defaults where there is no such file; raises RulebookErrors or InvalidRulebook."""
    if not path.exists():
        return Policy()
    source = Source(path)
    fields = Fields(source, source.root(), "the policy", KNOWN, UNBUILT)
    values: dict[str, Any] = {}
    for name, node in fields.values.items():
        with source.collecting():
            values[name] = _read(source, name, node)
    source.finish()
    return Policy(**values)


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
    fields = Fields(source, node, "quiet_hours", ("from", "to"))
    start, end = (_minutes(source, fields.require(name)) for name in ("from", "to"))
    if start == end:
        raise source.refused(
            node, "quiet_hours from and to are the same: leave quiet_hours out, or name a span"
        )
    return QuietHours(start=start, end=end)


def _minutes(source: Source, node: Node) -> int:
    match = _CLOCK.fullmatch(node.value) if isinstance(node, Scalar) else None
    if match is None:
        raise source.refused(node, 'a time of day like "20:00" is needed here')
    return int(match[1]) * 60 + int(match[2])


def _consent(source: Source, node: Node) -> dict[Purpose, str]:
    fields = Fields(source, node, "consent", ("marketing", "service"))
    given = {
        Purpose(name): one_of(source, value, _CONSENT, "consent") for name, value in fields.values.items()
    }
    return {**Policy().consent, **given}


def _element(source: Source, node: Node) -> str:
    if isinstance(node, Scalar) and not isinstance(json_value(node), str):
        raise source.refused(node, f"an element of a list is a text: write '{node.value}' in quotes")
    return text(source, node)
