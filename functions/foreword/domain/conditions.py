"""Evaluating a checked CEL tree (`Expression.tree`), which authoring made from the author's text.

A tree is JSON: a list whose first element names the node, the rest being its operands.

    ["number", "0.1"]  ["string", "x"]  ["bool", true]  ["null"]  ["list", a, ...]     literals
    ["name", "contacts"]  ["field", x, "channel"]  ["index", x, i]  ["has", x, "channel"]
    ["!", x]  ["neg", x]  ["?:", c, a, b]  ["&&", a, b, ...]  ["||", a, b, ...]
    ["==", a, b], and so on for  !=  <  <=  >  >=  in  +  -  *  /  %
    ["call", "size", x], and so on for  contains  startsWith  endsWith  duration  timestamp

Nothing else is ever evaluated. Errors follow CEL: `true || error` is true and `false && error` is false in
either order; a condition that ends in an error is false.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from foreword.domain import condition_values as values
from foreword.domain.errors import ConditionError
from foreword.domain.rulebook import Expression

Names: TypeAlias = Mapping[str, Any]
Compiled: TypeAlias = Callable[[Names], Any]

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "==": values.equal,
    "!=": lambda left, right: not values.equal(left, right),
    "<": values.comparison("<", operator.lt),
    "<=": values.comparison("<=", operator.le),
    ">": values.comparison(">", operator.gt),
    ">=": values.comparison(">=", operator.ge),
    "in": values.is_in,
    "+": values.add,
    "-": values.subtract,
    "*": values.multiply,
    "/": values.divide,
    "%": values.remainder,
    "index": values.at,
}
FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    "size": (1, values.size),
    "contains": (2, values.contains),
    "startsWith": (2, values.starts_with),
    "endsWith": (2, values.ends_with),
    "duration": (1, values.duration),
    "timestamp": (1, values.timestamp),
}


def compile_expression(expression: Expression) -> Compiled:
    """A function of the names; it raises ConditionError. A tree outside the list above is a ValueError."""
    return _compile(expression.tree)


def holds(compiled: Compiled, names: Names) -> bool:
    """True for exactly true; anything else, an error included, is False."""
    try:
        return compiled(names) is True
    except ConditionError:
        return False


def root_names(expression: Expression) -> frozenset[str]:
    """The names the expression begins from: `event`, `profile`, `lists` and signals."""
    found: set[str] = set()

    def visit(tree: Any) -> None:
        if tree[0] == "name":
            found.add(tree[1])
        for operand in tree[1:]:
            if isinstance(operand, list):
                visit(operand)

    visit(expression.tree)
    return frozenset(found)


def _compile(tree: Any) -> Compiled:
    match tree:
        case ["number", str(text)]:
            return _constant(Decimal(text))
        case ["string", str(constant)]:
            return _constant(constant)
        case ["bool", bool(truth)]:
            return _constant(truth)
        case ["null"]:
            return _constant(None)
        case ["name", str(name)]:
            return _name(name)
        case ["list", *elements]:
            parts = [_compile(element) for element in elements]
            return lambda names: tuple(part(names) for part in parts)
        case ["field", inner, str(field)]:
            return _field(_compile(inner), field, _path(tree))
        case ["has", inner, str(field)]:
            return _has(_compile(inner), field, _path(inner))
        case ["!", inner]:
            return _not(_compile(inner))
        case ["neg", inner]:
            negated = _compile(inner)
            return lambda names: values.negate(negated(names))
        case ["?:", condition, first, second]:
            return _choice(_compile(condition), _compile(first), _compile(second))
        case ["&&", *operands] if operands:
            return _logical([_compile(operand) for operand in operands], decided_by=False)
        case ["||", *operands] if operands:
            return _logical([_compile(operand) for operand in operands], decided_by=True)
        case [str(symbol), left, right] if symbol in BINARY:
            return _binary(BINARY[symbol], _compile(left), _compile(right))
        case ["call", str(name), *arguments] if name in FUNCTIONS and len(arguments) == FUNCTIONS[name][0]:
            return _call(FUNCTIONS[name][1], [_compile(argument) for argument in arguments])
        case _:
            raise ValueError(f"not a node of a condition: {tree!r}")


def _constant(value: Any) -> Compiled:
    return lambda _names: value


def _name(name: str) -> Compiled:
    def evaluate(names: Names) -> Any:
        try:
            return names[name]
        except KeyError:
            raise ConditionError(f"{name} is undefined") from None

    return evaluate


def _field(inner: Compiled, field: str, path: str) -> Compiled:
    def evaluate(names: Names) -> Any:
        container = inner(names)
        try:
            return container[field]
        except (KeyError, TypeError):  # TypeError: not a map at all, which is as missing
            raise ConditionError(f"{path} is missing") from None

    return evaluate


def _has(inner: Compiled, field: str, path: str) -> Compiled:
    def evaluate(names: Names) -> bool:
        container = inner(names)
        try:
            container[field]
        except KeyError:
            return False
        except TypeError:
            raise ConditionError(f"{path} has no fields") from None
        return True

    return evaluate


def _not(inner: Compiled) -> Compiled:
    def evaluate(names: Names) -> bool:
        return not _truth(inner(names), "!")

    return evaluate


def _choice(condition: Compiled, first: Compiled, second: Compiled) -> Compiled:
    def evaluate(names: Names) -> Any:
        return first(names) if _truth(condition(names), "?:") else second(names)

    return evaluate


def _logical(parts: list[Compiled], *, decided_by: bool) -> Compiled:
    """`&&` is decided by a false operand, `||` by a true one, whatever errors the others end in."""
    symbol = "||" if decided_by else "&&"

    def evaluate(names: Names) -> bool:
        failure: ConditionError | None = None
        for part in parts:
            try:
                if _truth(part(names), symbol) is decided_by:
                    return decided_by
            except ConditionError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return not decided_by

    return evaluate


def _binary(operation: Callable[[Any, Any], Any], left: Compiled, right: Compiled) -> Compiled:
    return lambda names: operation(left(names), right(names))


def _call(function: Callable[..., Any], arguments: list[Compiled]) -> Compiled:
    if len(arguments) == 1:
        argument = arguments[0]
        return lambda names: function(argument(names))
    text, part = arguments
    return lambda names: function(text(names), part(names))


def _truth(value: Any, symbol: str) -> bool:
    if value is True or value is False:
        return value
    raise ConditionError(f"{symbol} needs true or false, not a {values.kind(value)}")


def _path(tree: Any) -> str:
    """The node as an author would write it, as far as it is a name with fields."""
    match tree:
        case ["name", str(name)]:
            return name
        case ["field", inner, str(field)]:
            return f"{_path(inner)}.{field}"
        case _:
            return "the value"
