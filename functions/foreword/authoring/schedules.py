"""`evaluate` of a rule: asked on a schedule instead of at events."""

from __future__ import annotations

import re

from foreword.authoring.fields import CLOCK, Fields, Key, Source, duration
from foreword.authoring.value_schemas import DURATION
from foreword.authoring.yaml_reader import Node, Scalar
from foreword.domain.instants import DAY, WEEK, Duration, format_duration
from foreword.domain.rulebook import Schedule

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_AT = rf"(?:({'|'.join(WEEKDAYS)}) )?{CLOCK}"
KEYS = {
    "every": Key(DURATION, required=True),
    "at": Key({"type": "string", "pattern": f"^{_AT}$", "examples": ["Mon 06:00", "06:00"]}, required=True),
}
_WRITTEN = re.compile(_AT, re.ASCII)
_NEARLY = re.compile(rf"({'|'.join(WEEKDAYS)})[a-z]*,? +{CLOCK}", re.ASCII | re.IGNORECASE)


def read_schedule(source: Source, node: Node, retention: Duration) -> Schedule:
    """Whole days, or whole weeks on a weekday: Monday where none is written."""
    fields = Fields(source, node, "'evaluate'", KEYS)
    every = duration(source, fields.require("every"))
    if every % DAY != 0:
        raise source.refused(
            fields.values["every"], f"{format_duration(every)} is not a number of whole days or weeks"
        )
    if every > retention:
        raise source.refused(
            fields.values["every"],
            f"{format_duration(every)} is longer than the policy's retention of {format_duration(retention)}, "
            "and the first evaluation looks back as far",
        )
    weekday, at = _at(source, fields.require("at"))
    if every % WEEK == 0:
        return Schedule(every=every, at=at, weekday=weekday or 0)
    if weekday is not None:
        raise source.refused(
            fields.values["at"],
            f"a weekday goes with whole weeks (every: 1w), and this is every {format_duration(every)}",
        )
    return Schedule(every=every, at=at)


def _at(source: Source, node: Node) -> tuple[int | None, int]:
    """The weekday (0 is Monday), where one is written, and the minutes after midnight."""
    words = node.value if isinstance(node, Scalar) else ""
    match = _WRITTEN.fullmatch(words)
    if match is None:
        nearly = _NEARLY.fullmatch(words)
        hint = f'; did you mean "{nearly[1].capitalize()} {nearly[2]}:{nearly[3]}"?' if nearly else ""
        raise source.refused(node, f'a time like "06:00" or "Mon 06:00" is needed here{hint}')
    weekday = WEEKDAYS.index(match[1]) if match[1] else None
    return weekday, int(match[2]) * 60 + int(match[3])
