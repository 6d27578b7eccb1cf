"""A new rule like one that is there: the rule file with its tests and comments, and copies of its templates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from foreword.authoring.fields import KEBAB
from foreword.authoring.suggest import did_you_mean
from foreword.authoring.templates import template_files
from foreword.authoring.yaml_reader import Mapping, Node, Scalar, Sequence, read_yaml
from foreword.domain.errors import ForewordError, InvalidRulebook
from foreword.domain.rulebook import Mode


class CannotScaffold(ForewordError):
    """Nothing was written, and why."""


def new_rule(name: str, like: str, rulebook: Path, messages: Path) -> tuple[Path, ...]:
    """Writes rules/`name`.yaml in mode draft, and its messages; gives the files written, the rule first.

    The message that has the name of the rule gets the new one, any other has the new name put before its own: no
    two rules share a text by accident. Raises CannotScaffold, InvalidRulebook for what YAML refuses, OSError.
    """
    rules = rulebook / "rules"
    pattern = _pattern(name, like, rules)
    root, text = read_yaml(pattern)
    renamed = {
        scalar.value: name if scalar.value == like else f"{name}-{scalar.value}"
        for scalar in _scalars(_value(root, "send"), "message")
    }
    files = {rules / f"{name}.yaml": _rewritten(pattern, text, root, name, renamed).encode()}
    for old, new in renamed.items():
        files |= {
            messages / new / path.relative_to(messages / old): path.read_bytes()
            for path in template_files(messages / old)
        }
    _write(files, (rules / f"{name}.yaml", *(messages / new for new in renamed.values())))
    return tuple(files)


def _pattern(name: str, like: str, rules: Path) -> Path:
    if not re.fullmatch(KEBAB, name, re.ASCII):
        near = re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()).strip("-")
        hint = f"; did you mean '{near}'?" if re.fullmatch(KEBAB, near, re.ASCII) else ""
        raise CannotScaffold(f"'{name}' is not kebab-case (small letters, digits, hyphens){hint}")
    known = sorted(path.stem for path in rules.glob("*.yaml"))
    if like not in known:
        hint = did_you_mean(like, known) or f"; there are: {', '.join(known) or 'none'}"
        raise CannotScaffold(f"no rule '{like}' in {rules}{hint}")
    return rules / f"{like}.yaml"


def _rewritten(path: Path, text: str, root: Node, name: str, renamed: dict[str, str]) -> str:
    """The text with the rule's name, its mode and its messages replaced where they stand, and nothing else."""
    edits = [
        *((scalar, name) for scalar in _scalars(root, "rule")),
        *((scalar, Mode.DRAFT.value) for scalar in _scalars(root, "mode")),
        *(
            (scalar, renamed[scalar.value])
            for where in (_value(root, "send"), *_expectations(root))
            for scalar in _scalars(where, "message")
            if scalar.value in renamed
        ),
    ]
    lines = text.split("\n")
    for scalar, new in sorted(
        edits, key=lambda edit: (edit[0].place.line, edit[0].place.column), reverse=True
    ):
        row = scalar.place.line - 1
        start = scalar.place.column - (1 if scalar.plain else 0)
        end = start + len(scalar.value)
        if row >= len(lines) or lines[row][start:end] != scalar.value:
            raise InvalidRulebook(
                f"'{scalar.value}' cannot be replaced where it stands: write it on one line",
                file=str(path),
                line=scalar.place.line,
                column=scalar.place.column,
            )
        lines[row] = lines[row][:start] + new + lines[row][end:]
    return "\n".join(lines)


def _write(files: dict[Path, bytes], taken: Iterable[Path]) -> None:
    """Nothing at all where anything is there already."""
    for path in taken:
        if path.exists():
            raise CannotScaffold(f"{path} is there already")
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(content)


def _value(node: Node | None, key: str) -> Node | None:
    if not isinstance(node, Mapping):
        return None
    return next((value for name, value in node.entries if name.value == key), None)


def _items(node: Node | None) -> tuple[Node, ...]:
    if isinstance(node, Sequence):
        return node.items
    return () if node is None else (node,)


def _expectations(root: Node) -> Iterator[Node | None]:
    return (_value(test, "expect") for test in _items(_value(root, "tests")))


def _scalars(node: Node | None, key: str) -> Iterator[Scalar]:
    """The key's words in a mapping, or in each mapping of a list."""
    for item in _items(node):
        value = _value(item, key)
        if isinstance(value, Scalar):
            yield value
