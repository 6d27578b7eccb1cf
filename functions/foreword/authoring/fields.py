"""Reading a mapping of a rule document: known keys, required ones, keys that are not built yet, typed values."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from foreword.authoring.suggest import did_you_mean
from foreword.authoring.yaml_reader import Mapping as YamlMapping
from foreword.authoring.yaml_reader import Node, Place, Scalar, Sequence, json_value, read_yaml
from foreword.domain.errors import ForewordError, InvalidRulebook
from foreword.domain.instants import DAY, Duration, Instant, format_duration, parse_duration, parse_instant

T = TypeVar("T")

LONGEST: Duration = 10_000 * DAY
"""Added to any time of an event, it still gives a time within the calendar."""

KEBAB = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
CLOCK = r"([01][0-9]|2[0-3]):([0-5][0-9])"
_KEBAB = re.compile(KEBAB, re.ASCII)
_CLOCK = re.compile(CLOCK, re.ASCII)
_NEARLY_DURATION = re.compile(r"P?T?([1-9][0-9]{0,8}) ?(?:([smhdw])[a-z]*)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Key:
    """A key that a mapping may have: the JSON Schema of its value (for editors), and whether it must be there."""

    schema: Mapping[str, Any]
    required: bool = False


class RulebookErrors(ForewordError):
    """Everything that is wrong with a rulebook, in the order of files and lines; never empty."""

    def __init__(self, errors: list[InvalidRulebook]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: (error.file, error.line, error.column)))
        super().__init__("\n".join(str(error) for error in self.errors))


class Source:
    """One file that is being read, and what was found wrong in it so far."""

    def __init__(self, path: Path) -> None:
        self.file = str(path)
        self.path = path
        self.errors: list[InvalidRulebook] = []
        self.text = ""

    def root(self) -> YamlMapping:
        node, self.text = read_yaml(self.path)
        if not isinstance(node, YamlMapping):
            raise self.refused(node, f"the file must be a mapping of keys, not {_shape(node)}")
        return node

    def refused(self, at: Node | Place, message: str) -> InvalidRulebook:
        place = at if isinstance(at, Place) else at.place
        return InvalidRulebook(message, file=self.file, line=place.line, column=place.column)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """An error inside is kept, and what comes after is still looked at."""
        try:
            yield
        except InvalidRulebook as error:
            self.errors.append(error)

    def finish(self) -> None:
        if self.errors:
            raise RulebookErrors(self.errors)


class Fields:
    """The keys of one mapping. What is not known, and what is not built yet, is refused by name."""

    def __init__(
        self,
        source: Source,
        node: Node,
        what: str,
        known: Collection[str],
    ) -> None:
        if not isinstance(node, YamlMapping):
            raise source.refused(node, f"{what} must be a mapping of keys, not {_shape(node)}")
        self.source = source
        self.node = node
        self.what = what
        self.values: dict[str, Node] = {}
        for key, value in node.entries:
            with source.collecting():
                if key.value not in known:
                    hint = did_you_mean(key.value, known) or f"; known are: {', '.join(sorted(known))}"
                    raise source.refused(key, f"unknown key '{key.value}' of {what}{hint}")
                self.values[key.value] = value

    def require(self, name: str) -> Node:
        if name not in self.values:
            raise self.source.refused(self.node, f"{self.what} needs '{name}'")
        return self.values[name]

    def optional(self, name: str, read: Callable[[Source, Node], T], default: T) -> T:
        node = self.values.get(name)
        return default if node is None else read(self.source, node)


def text(source: Source, node: Node) -> str:
    """Words of an author: not empty, and not a number or boolean by accident."""
    value = json_value(node) if isinstance(node, Scalar) else None
    if not isinstance(value, str):
        raise source.refused(node, f"a text is needed here, not {_shape(node)}")
    if not value.strip():
        raise source.refused(node, "a text is needed here, and this one is empty")
    return value


def kebab(source: Source, node: Node) -> str:
    value = text(source, node)
    if not _KEBAB.fullmatch(value):
        near = re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", value).lower()).strip("-")
        hint = f"; did you mean '{near}'?" if _KEBAB.fullmatch(near) else ""
        raise source.refused(node, f"'{value}' is not kebab-case (small letters, digits, hyphens){hint}")
    return value


def duration(source: Source, node: Node) -> Duration:
    """Longer than nothing."""
    length = duration_or_zero(source, node)
    if length == 0:
        raise source.refused(node, "a duration of zero is no duration")
    return length


def duration_or_zero(source: Source, node: Node) -> Duration:
    try:
        length = parse_duration(node.value if isinstance(node, Scalar) else "")
    except ValueError:
        given = f"'{node.value}'" if isinstance(node, Scalar) else _shape(node)
        hint = _duration_meant(node.value) if isinstance(node, Scalar) else ""
        raise source.refused(node, f"{given} is not a duration like 90s, 30m, 6h, 7d or 2w{hint}") from None
    if length > LONGEST:
        raise source.refused(node, f"no duration is longer than {format_duration(LONGEST)}")
    return length


def time_of_day(source: Source, node: Node) -> int:
    """Minutes after midnight."""
    match = _CLOCK.fullmatch(node.value) if isinstance(node, Scalar) else None
    if match is None:
        raise source.refused(node, 'a time of day like "20:00" is needed here')
    return int(match[1]) * 60 + int(match[2])


def boolean(source: Source, node: Node) -> bool:
    value = json_value(node)
    if not isinstance(value, bool):
        raise source.refused(node, f"true or false is needed here, not {_shape(node)}")
    return value


def _duration_meant(written: str) -> str:
    """Of `7`, `7 days` and `P7D`, which authors write."""
    match = _NEARLY_DURATION.fullmatch(written.strip())
    return f"; did you mean '{match[1]}{(match[2] or 'd').lower()}'?" if match else ""


def instant(source: Source, node: Node) -> Instant:
    if not isinstance(node, Scalar):
        raise source.refused(node, f"a time is needed here, not {_shape(node)}")
    try:
        return parse_instant(node.value)
    except ValueError as error:
        raise source.refused(node, str(error)) from None


def integer(source: Source, node: Node, lowest: int, highest: int) -> int:
    value = json_value(node)
    if not isinstance(value, Decimal) or not lowest <= value <= highest or value % 1 != 0:
        quoted = isinstance(node, Scalar) and not node.plain and node.value.strip("-").isdigit()
        hint = ", without quotes" if quoted else ""
        raise source.refused(node, f"a whole number from {lowest} to {highest} is needed here{hint}")
    return int(value)


def one_of(source: Source, node: Node, allowed: Mapping[str, T], what: str) -> T:
    value = text(source, node)
    if value not in allowed:
        hint = did_you_mean(value, allowed) or f"; known are: {', '.join(allowed)}"
        raise source.refused(node, f"unknown {what} '{value}'{hint}")
    return allowed[value]


def items(source: Source, node: Node, what: str) -> tuple[Node, ...]:
    """The elements of a list that is not empty."""
    if not isinstance(node, Sequence):
        raise source.refused(node, f"{what} must be a list, not {_shape(node)}")
    if not node.items:
        raise source.refused(node, f"{what} must not be empty")
    return node.items


def _shape(node: Node) -> str:
    match node:
        case YamlMapping():
            return "a mapping"
        case Sequence():
            return "a list"
        case Scalar():
            value = json_value(node)
            kinds = {str: "a text", bool: "a boolean", Decimal: "a number", type(None): "null"}
            return kinds[type(value)]
