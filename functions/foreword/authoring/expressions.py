"""Expressions inside a YAML file: read, checked, and their errors placed in the file."""

from __future__ import annotations

from foreword.authoring.cel import Scope, check_expression
from foreword.authoring.cel_parser import InvalidCondition
from foreword.authoring.cel_types import BOOLEAN, CelType
from foreword.authoring.fields import Source
from foreword.authoring.yaml_reader import QUOTE_IT, Node, Place, Scalar
from foreword.domain.rulebook import Expression

TRUE = Expression(source="true", tree=["bool", True])


def condition(source: Source, node: Node, scope: Scope) -> Expression:
    """A condition, which must stand in quotes (or in a block)."""
    if not isinstance(node, Scalar) or node.plain:
        raise source.refused(node, QUOTE_IT)
    return expression(source, node, scope, (BOOLEAN,))


def expression(source: Source, node: Node, scope: Scope, wanted: tuple[CelType, ...]) -> Expression:
    """A value of one of the `wanted` types."""
    if not isinstance(node, Scalar):
        raise source.refused(node, "an expression is needed here")
    try:
        return check_expression(node.value.strip() if node.plain else node.value, scope, wanted)
    except InvalidCondition as error:
        raise source.refused(_place(source, node, error), error.message) from None


def both(first: Expression | None, second: Expression | None) -> Expression | None:
    """The two conditions joined by `&&`."""
    if first is None or second is None:
        return first or second
    return Expression(source=f"({first.source}) && ({second.source})", tree=["&&", first.tree, second.tree])


def _place(source: Source, node: Scalar, error: InvalidCondition) -> Place:
    """Where the error stands, exactly if the file's lines are the condition's lines, else where it begins."""
    lines = source.text.split("\n")
    if node.style == "|":
        line = node.place.line + error.line
        meant = node.value.split("\n")[error.line - 1]
        written = lines[line - 1] if line <= len(lines) else ""
        if meant and written.endswith(meant):
            return Place(line, len(written) - len(meant) + error.column)
    elif "\n" not in node.value:
        start = node.place.column - 1 + (0 if node.plain else 1)
        if lines[node.place.line - 1][start:].startswith(node.value):
            return Place(node.place.line, start + error.column)
    return node.place
