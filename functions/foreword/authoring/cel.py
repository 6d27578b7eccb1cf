"""CEL text -> checked tree: parsed by cel-python's grammar, reduced to the nodes of `domain.conditions`.

What is outside them is refused by name. Types are checked as far as they are known before an event has come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lark import Token, Tree

from foreword.authoring import cel_functions, cel_types
from foreword.authoring.cel_parser import InvalidCondition, parse
from foreword.authoring.cel_text import is_number, number_text, string_value
from foreword.authoring.cel_types import (
    BOOLEAN,
    DYN,
    ELEMENTS,
    LIST,
    MAP,
    NULL,
    NUMBER,
    STRING,
    STRINGS,
    TIMESTAMP,
    CelType,
)
from foreword.authoring.suggest import did_you_mean
from foreword.domain.profiles import ADDRESSES
from foreword.domain.rulebook import Expression

MAX_DEPTH = 60
"""Nesting of one condition; each level costs a few frames here and one when it is evaluated."""

EVENT_FIELDS: dict[str, CelType] = {"data": MAP, "type": STRING, "source": STRING, "occurred_at": TIMESTAMP}
ROOTS = ("event", "profile", "lists")

_OPERATORS = {
    "relation_lt": "<",
    "relation_le": "<=",
    "relation_gt": ">",
    "relation_ge": ">=",
    "relation_eq": "==",
    "relation_ne": "!=",
    "relation_in": "in",
    "addition_add": "+",
    "addition_sub": "-",
    "multiplication_mul": "*",
    "multiplication_div": "/",
    "multiplication_mod": "%",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """The names a condition may use.

    `hidden` are signals of the rule which this place cannot see; `absent` gives for names that are known
    elsewhere, `event` say, why they are not known here. With `bus_event`, `event` is the whole event as the bus
    brings it, and there is no other name.
    """

    signals: Mapping[str, CelType] = field(default_factory=dict)
    lists: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    absent: Mapping[str, str] = field(default_factory=dict)
    bus_event: bool = False


def check_expression(source: str, scope: Scope, wanted: tuple[CelType, ...] = (BOOLEAN,)) -> Expression:
    """The expression of `source`, whose type is one of `wanted` or unknown; raises InvalidCondition."""
    parsed = parse(source)
    tree, of = _Checker(source, scope).visit(parsed)
    if of != DYN and of not in wanted:
        hint = "; compare it, as in x >= 3" if (of, wanted) == (NUMBER, (BOOLEAN,)) else ""
        raise InvalidCondition(f"this is a {of}; a {' or a '.join(wanted)} is needed here{hint}")
    return Expression(source=source, tree=tree)


class _Checker:
    """One walk over the parser's tree: each visit gives the node and its type."""

    def __init__(self, source: str, scope: Scope) -> None:
        self.source = source
        self.scope = scope
        self.depth = 0

    def visit(self, parsed: Tree[Token]) -> tuple[list[Any], CelType]:
        tree = parsed
        while len(tree.children) == 1 and isinstance(tree.children[0], Tree) and tree.data not in _LEAVES:
            tree = tree.children[0]
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.refused(tree, f"the condition nests deeper than {MAX_DEPTH} levels")
        try:
            result: tuple[list[Any], CelType] = getattr(self, f"_{tree.data}")(tree)
        finally:
            self.depth -= 1
        return result

    def refused(self, tree: Tree[Token], message: str) -> InvalidCondition:
        # The parser gives no place to what begins with `true` or `false`.
        return InvalidCondition(
            message, getattr(tree.meta, "line", None) or 1, getattr(tree.meta, "column", None) or 1
        )

    def text(self, tree: Tree[Token]) -> str:
        return self.source[tree.meta.start_pos : tree.meta.end_pos]

    def boolean(self, tree: Tree[Token], symbol: str) -> list[Any]:
        node, of = self.visit(tree)
        if of not in (BOOLEAN, DYN):
            raise self.refused(tree, f"'{symbol}' needs true or false, and '{self.text(tree)}' is a {of}")
        return node

    def _expr(self, tree: Tree[Token]) -> tuple[list[Any], CelType]:
        condition, first, second = tree.children
        chosen = self.boolean(_tree(condition), "?")
        left, left_type = self.visit(_tree(first))
        right, right_type = self.visit(_tree(second))
        of = cel_types.both(left_type, right_type)
        if of is None:
            raise self.refused(
                tree, f"'{self.text(tree)}' is a {left_type} or a {right_type}: both must be the same"
            )
        return ["?:", chosen, left, right], of

    def _conditionalor(self, tree: Tree[Token]) -> tuple[list[Any], CelType]:
        return self._logical(tree, "conditionalor", "||")

    def _conditionaland(self, tree: Tree[Token]) -> tuple[list[Any], CelType]:
        return self._logical(tree, "conditionaland", "&&")

    def _logical(self, tree: Tree[Token], rule: str, symbol: str) -> tuple[list[Any], CelType]:
        operands: list[Tree[Token]] = []
        while tree.data == rule and len(tree.children) == 2:
            operands.append(_tree(tree.children[1]))
            tree = _tree(tree.children[0])
        operands.append(tree)
        return [symbol, *(self.boolean(operand, symbol) for operand in reversed(operands))], BOOLEAN

    def _binary(self, tree: Tree[Token]) -> tuple[list[Any], CelType]:
        operator, right = (_tree(child) for child in tree.children)
        symbol = _OPERATORS[str(operator.data)]
        left_node, left_type = self.visit(_tree(operator.children[0]))
        right_node, right_type = self.visit(right)
        of = cel_types.binary(symbol, left_type, right_type)
        if of is None:
            hint = self._hint(left_node, left_type, right_node, right_type)
            raise self.refused(
                tree, f"'{self.text(tree)}': a {left_type} {symbol} a {right_type} has no answer{hint}"
            )
        return [symbol, left_node, right_node], of

    _relation = _addition = _multiplication = _binary

    def _hint(self, left: list[Any], left_type: CelType, right: list[Any], right_type: CelType) -> str:
        """What was probably meant where two types have no answer together."""
        for (node, of), (other, other_type) in (
            ((left, left_type), (right, right_type)),
            ((right, right_type), (left, left_type)),
        ):
            if of == BOOLEAN and node[0] == "name" and other_type == NUMBER:
                return f"; '{node[1]}' is true or false by itself: write it alone"
            if of == NUMBER and other[0] == "string" and is_number(other[1]):
                return "; a number stands without quotes"
        return cel_types.conversion_hint(left_type, right_type)

    def _unary(self, tree: Tree[Token]) -> tuple[list[Any], CelType]:
        sign, operand = (_tree(child) for child in tree.children)
        if sign.data == "unary_not":
            return ["!", self.boolean(operand, "!")], BOOLEAN
        node, of = self.visit(operand)
        if of not in (NUMBER, DYN):
            raise self.refused(tree, f"'-' needs a number, and '{self.text(operand)}' is a {of}")
        return ["neg", node], NUMBER

    def _literal(self, tree: Tree[Token]) -> tuple[list[Any], CelType]:
        (token,) = tree.children
        literal = str(token)
        try:
            match token.type if isinstance(token, Token) else "":
                case "BOOL_LIT":
                    return ["bool", literal == "true"], BOOLEAN
                case "NULL_LIT":
                    return ["null"], NULL
                case "INT_LIT" | "UINT_LIT" | "FLOAT_LIT":
                    return ["number", number_text(literal)], NUMBER
                case "STRING_LIT" | "MLSTRING_LIT":
                    return ["string", string_value(literal)], STRING
                case _:
                    raise self.refused(tree, 'CEL\'s bytes (b"...") are not supported in a condition')
        except ValueError as error:
            raise self.refused(tree, str(error)) from None

    def _list_lit(self, tree: Tree[Token]) -> tuple[list[Any], CelType]:
        elements = [self.visit(element) for element in _arguments(tree.children)]
        types = {of for _, of in elements}
        known = (of for of, element in ELEMENTS.items() if types == {element})
        return ["list", *(node for node, _ in elements)], next(known, LIST)

    def _map_lit(self, tree: Tree[Token]) -> tuple[list[Any], CelType]:
        raise self.refused(tree, "CEL's maps ({...}) are not supported in a condition")

    def _member_object(self, tree: Tree[Token]) -> tuple[list[Any], CelType]:
        raise self.refused(tree, "CEL's messages (Name{...}) are not supported in a condition")

    def _dot_ident(self, tree: Tree[Token]) -> tuple[list[Any], CelType]:
        raise self.refused(tree, f"'.{tree.children[0]}': a name does not begin with a dot")

    _dot_ident_arg = _dot_ident

    def _ident(self, tree: Tree[Token]) -> tuple[list[Any], CelType]:
        name = str(tree.children[0])
        if self.scope.bus_event and name == "event":
            return ["name", name], MAP
        if self.scope.bus_event:
            raise self.refused(
                tree,
                f"unknown name '{name}': a mapping knows the bus event alone, as in event.detail.x; "
                "a text of your own stands in quotes inside the quotes",
            )
        self._no_absent(tree, name)
        if name in self.scope.signals:
            return ["name", name], self.scope.signals[name]
        if name == "profile":
            return ["name", name], MAP
        if name in ("event", "lists"):
            raise self.refused(tree, f"'{name}' needs a field: {name}.{'data.x' if name == 'event' else 'x'}")
        if name in self.scope.hidden:
            raise self.refused(
                tree, f"'{name}' is a signal, and signals are not known here; only event, profile, lists"
            )
        raise self.refused(tree, f"unknown name '{name}'{did_you_mean(name, (*self.scope.signals, *ROOTS))}")

    def _member_dot(self, tree: Tree[Token]) -> tuple[list[Any], CelType]:
        inner, name = _single(_tree(tree.children[0])), str(tree.children[1])
        root = str(inner.children[0]) if inner.data == "ident" else ""
        self._no_absent(tree, root)
        if root == "event" and not self.scope.bus_event:
            return self._known(tree, root, name, EVENT_FIELDS)
        if root == "lists" and not self.scope.bus_event:
            return self._known(tree, root, name, dict.fromkeys(self.scope.lists, STRINGS))
        node, of = self.visit(inner)
        if node == ["name", "profile"]:
            self._no_address(tree, name)
        if of not in (MAP, DYN):
            raise self.refused(tree, f"'{self.text(inner)}' is a {of} and has no field '{name}'")
        return ["field", node, name], DYN

    def _member_index(self, tree: Tree[Token]) -> tuple[list[Any], CelType]:
        (container, of), (index, by) = (self.visit(_tree(child)) for child in tree.children)
        if container == ["name", "profile"] and index[0] == "string":
            self._no_address(tree, index[1])
        numbered = of in (LIST, *ELEMENTS, DYN) and by in (NUMBER, DYN)
        named = of in (MAP, DYN) and by in (STRING, DYN)
        if not numbered and not named:
            raise self.refused(tree, f"'{self.text(tree)}': a {of}[{by}] has no answer")
        return ["index", container, index], ELEMENTS.get(of, DYN)

    def _ident_arg(self, tree: Tree[Token]) -> tuple[list[Any], CelType]:
        name, *rest = tree.children
        arguments = _arguments(rest)
        if name == "has":
            return self._has(tree, arguments)
        return self._call(tree, str(name), arguments, cel_functions.PLAIN)

    def _member_dot_arg(self, tree: Tree[Token]) -> tuple[list[Any], CelType]:
        receiver, name, *rest = tree.children
        return self._call(tree, str(name), [_tree(receiver), *_arguments(rest)], cel_functions.METHODS)

    def _call(
        self,
        tree: Tree[Token],
        name: str,
        arguments: list[Tree[Token]],
        known: Mapping[str, cel_functions.Function],
    ) -> tuple[list[Any], CelType]:
        function = known.get(name)
        if function is None:
            raise self.refused(tree, cel_functions.refusal(name, known))
        if len(arguments) != len(function.takes):
            raise self.refused(tree, f"{function.form} is the form, not '{self.text(tree)}'")
        nodes = []
        for argument, takes in zip(arguments, function.takes, strict=True):
            node, of = self.visit(argument)
            if of != DYN and of not in takes:
                raise self.refused(argument, f"{function.form}: '{self.text(argument)}' is a {of}")
            nodes.append(node)
        node = ["call", name, *nodes]
        problem = cel_functions.constant_problem(node)
        if problem:
            raise self.refused(tree, problem)
        return node, function.gives

    def _has(self, tree: Tree[Token], arguments: list[Tree[Token]]) -> tuple[list[Any], CelType]:
        field_of = _single(arguments[0]) if len(arguments) == 1 else tree
        if field_of.data == "ident" and field_of.children[0] in self.scope.signals:
            raise self.refused(
                tree,
                f"'{field_of.children[0]}' is a signal, and has() asks for a field, as in "
                "has(event.data.channel); a condition that needs an undefined signal is false",
            )
        if field_of.data != "member_dot":
            raise self.refused(
                tree, f"'{self.text(tree)}': has() asks for a field, as in has(event.data.channel)"
            )
        node, _ = self.visit(field_of)
        return ["has", *node[1:]], BOOLEAN

    def _known(
        self, tree: Tree[Token], root: str, name: str, fields: Mapping[str, CelType]
    ) -> tuple[list[Any], CelType]:
        if name not in fields:
            known = ", ".join(f"{root}.{known}" for known in sorted(fields)) or "none"
            hint = did_you_mean(name, fields, f"{root}.")
            raise self.refused(tree, f"unknown name '{root}.{name}'{hint or f'; known are: {known}'}")
        return ["field", ["name", root], name], fields[name]

    def _no_absent(self, tree: Tree[Token], name: str) -> None:
        if name in self.scope.absent:
            raise self.refused(tree, f"'{name}' is not known here: {self.scope.absent[name]}")

    def _no_address(self, tree: Tree[Token], name: str) -> None:
        if name in ADDRESSES:
            raise self.refused(tree, f"profile.{name} is an address, and conditions do not see addresses")


_LEAVES = frozenset(
    {
        "literal", "ident", "list_lit", "map_lit", "member_object", "ident_arg", "dot_ident", "dot_ident_arg",
    }
)  # fmt: skip


def _tree(child: Tree[Token] | Token) -> Tree[Token]:
    assert isinstance(child, Tree)  # noqa: S101  the grammar puts a rule here, and mypy cannot know
    return child


def _single(tree: Tree[Token]) -> Tree[Token]:
    """Past the grammar's layers of one child each, parentheses included."""
    while len(tree.children) == 1 and isinstance(tree.children[0], Tree) and tree.data not in _LEAVES:
        tree = tree.children[0]
    return tree


def _arguments(children: list[Tree[Token] | Token]) -> list[Tree[Token]]:
    """The expressions of an optional `exprlist`."""
    return [_tree(child) for exprlist in children for child in _tree(exprlist).children]
