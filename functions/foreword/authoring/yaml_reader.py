"""YAML 1.2 -> nodes that know their line and column; everything surprising is refused.

No tags, anchors, aliases, duplicate keys, values left empty, or second documents. Only booleans, null and JSON
numbers are typed (`json_value`); all other plain scalars are text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml import events as yaml_events
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from foreword.domain.errors import InvalidRulebook

MAX_DEPTH = 30
QUOTE_IT = "put the condition in quotes"

_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_LITERALS = {"true": True, "false": False, "null": None}
_CONDITIONS = "when|where|eligible|until|if"
_EXPRESSIONS = "for_each|cohort|date|change|sum|average|min|max|distinct|last|first|first_time"
_CONDITION_KEY = re.compile(rf"""(?:^|[\s{{,"'-])(?:{_CONDITIONS})["']?\s*:""")
_CEL_KEY = re.compile(rf"""(?:^|[\s{{,"'-])(?:{_CONDITIONS}|{_EXPRESSIONS})["']?\s*:""")


@dataclass(frozen=True, slots=True)
class Place:
    """Counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """`style` is None for a plain scalar, else the quote (`'` or `"`) or block mark (`|` or `>`)."""

    value: str
    style: str | None
    place: Place

    @property
    def plain(self) -> bool:
        return self.style is None


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Mapping:
    entries: tuple[tuple[Scalar, Node], ...]
    place: Place


Node: TypeAlias = Scalar | Sequence | Mapping


def read_yaml(path: Path) -> tuple[Node, str]:
    """The file's one document and its text; raises InvalidRulebook."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRulebook(f"not UTF-8 text: {error.reason}", file=str(path)) from None
    return parse_yaml(text, str(path)), text


def parse_yaml(text: str, file: str) -> Node:
    """The one document of `text`; `file` is only for its errors."""
    try:
        return _Builder(text, file).document()
    except MarkedYAMLError as error:
        raise _syntax_error(error, text, file) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InvalidRulebook(
            f"a character YAML does not allow: {error.reason}", file=file, line=line
        ) from None
    except (
        YAMLError,
        ValueError,
        OverflowError,
    ) as error:  # the latter for escapes that stand for no character
        raise InvalidRulebook(f"not YAML: {error}", file=file) from None


def json_value(node: Node) -> Any:
    """The JSON value a node stands for, every number a Decimal of its source text."""
    match node:
        case Mapping():
            return {key.value: json_value(value) for key, value in node.entries}
        case Sequence():
            return [json_value(item) for item in node.items]
        case Scalar(value=value, style=None) if value in _LITERALS:
            return _LITERALS[value]
        case Scalar(value=value, style=None) if _JSON_NUMBER.fullmatch(value):
            return Decimal(value)
        case _:
            return node.value


class _Builder:
    """Nodes from the parser's events."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.events = YAML(typ="safe", pure=True).parse(text)  # "rt" would leave marks in folded text
        self.depth = 0

    def document(self) -> Node:
        self.expect(yaml_events.StreamStartEvent)
        start = next(self.events)
        if not isinstance(start, yaml_events.DocumentStartEvent):
            raise InvalidRulebook("the file is empty", file=self.file)
        root = self.node(next(self.events))
        self.expect(yaml_events.DocumentEndEvent)
        after = next(self.events)
        if not isinstance(after, yaml_events.StreamEndEvent):
            raise self.refused(after, "a file holds one document; a second one begins here")
        return root

    def expect(self, kind: type[Any]) -> None:
        event = next(self.events)
        assert isinstance(event, kind), event  # noqa: S101  the parser's own grammar

    def node(self, event: Any) -> Node:
        self.check(event)
        place = _place(event)
        if isinstance(event, yaml_events.ScalarEvent):
            return self.scalar(event, place)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.refused(event, f"nested deeper than {MAX_DEPTH} levels")
        node: Node
        if isinstance(event, yaml_events.SequenceStartEvent):
            node = Sequence(tuple(self.items()), place)
        else:
            node = Mapping(tuple(self.entries()), place)
        self.depth -= 1
        return node

    def scalar(self, event: Any, place: Place) -> Scalar:
        node = Scalar(str(event.value), event.style or None, place)
        if any("\ud800" <= character <= "\udfff" for character in node.value):
            raise self.refused(event, "an escape here stands for no character")
        try:
            json_value(node)
        except InvalidOperation:
            raise self.refused(event, f"{node.value} is not a number that can be reckoned with") from None
        return node

    def items(self) -> list[Node]:
        items = []
        while not isinstance(event := next(self.events), yaml_events.SequenceEndEvent):
            item = self.node(event)
            if _missing(item):
                raise self.refused(event, "an element of the list has no value")
            items.append(item)
        return items

    def entries(self) -> list[tuple[Scalar, Node]]:
        entries: dict[str, tuple[Scalar, Node]] = {}
        while not isinstance(event := next(self.events), yaml_events.MappingEndEvent):
            key = self.node(event)
            if not isinstance(key, Scalar):
                raise self.refused(event, f"a key is a word, not a list or mapping{self.hint(event)}")
            value_event = next(self.events)
            self.check(value_event, key)
            value = self.node(value_event)
            if _missing(value):
                hint = _quote_hint(self.text, event.start_mark.line, _CONDITION_KEY)
                raise self.refused(event, f"'{key.value}' has no value{hint}")
            if key.value in entries:
                first = entries[key.value][0].place.line
                raise self.refused(event, f"'{key.value}' stands twice; the first is in line {first}")
            entries[key.value] = (key, value)
        return list(entries.values())

    def check(self, event: Any, key: Scalar | None = None) -> None:
        """No tag, anchor or alias. After a `key` of a condition the words say what to do."""
        if isinstance(event, yaml_events.AliasEvent):
            raise self.refused(
                event, f"'*{event.anchor}' is a YAML alias, which is not allowed{self.hint(event)}"
            )
        if getattr(event, "anchor", None) is not None:
            raise self.refused(
                event, f"'&{event.anchor}' is a YAML anchor, which is not allowed{self.hint(event)}"
            )
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise self.refused(event, f"'{tag}' is a YAML tag, which is not allowed{self.hint(event)}")
        if key is not None and key.plain and key.value == "<<":
            raise self.refused(event, "'<<' is YAML's merge key, which is not allowed")

    def hint(self, event: Any) -> str:
        return _quote_hint(self.text, event.start_mark.line)

    def refused(self, event: Any, message: str) -> InvalidRulebook:
        place = _place(event)
        return InvalidRulebook(message, file=self.file, line=place.line, column=place.column)


def _place(event: Any) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


def _missing(node: Node) -> bool:
    return isinstance(node, Scalar) and node.plain and node.value == ""


def _quote_hint(text: str, line: int, of: re.Pattern[str] = _CEL_KEY) -> str:
    """What to do, where the line (from 0) holds the key of a condition or an expression."""
    lines = text.splitlines()
    found = of.search(lines[line]) if line < len(lines) else None
    return f"; {QUOTE_IT}" if found else ""


def _syntax_error(error: MarkedYAMLError, text: str, file: str) -> InvalidRulebook:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    if text.splitlines()[line : line + 1] and text.splitlines()[line][:column].endswith("*"):
        message = "'*' begins a YAML alias, which is not allowed; write \"*\" in quotes"
        return InvalidRulebook(message, file=file, line=line + 1, column=column)
    hint = _quote_hint(text, line)
    if not hint and error.context_mark is not None:
        hint = _quote_hint(text, error.context_mark.line)
    problem = error.problem or error.context or "not YAML"
    if "'\\t'" in problem:
        problem = "a tab stands here; YAML is indented with spaces"
    return InvalidRulebook(f"{problem}{hint}", file=file, line=line + 1, column=column + 1)
