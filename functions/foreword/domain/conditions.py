"""Evaluating a checked CEL tree (`Expression.tree`), which authoring made from the author's text.

A tree is JSON: a list whose first element names the node, the rest being its operands.

    ["number", "0.1"]  ["string", "x"]  ["bool", true]  ["null"]  ["list", a, ...]     literals
    ["name", "contacts"]  ["field", x, "channel"]  ["index", x, i]  ["has", x, "channel"]
    ["!", x]  ["neg", x]  ["?:", c, a, b]  ["&&", a, b, ...]  ["||", a, b, ...]
    ["==", a, b], and so on for  !=  <  <=  >  >=  in  +  -  *  /  %
    ["call", "size", x], and so on for  contains  startsWith  endsWith  duration  timestamp

Nothing else is ever evaluated: `domain.python_code` writes plain Python from these nodes alone. Errors follow
CEL: `true || error` is true and `false && error` is false in either order; a condition that ends in an error is
false.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from foreword.domain.errors import ConditionError
from foreword.domain.python_code import Code, LookedUp, strict
from foreword.domain.rulebook import Expression

Names: TypeAlias = Mapping[str, Any]
Compiled: TypeAlias = Callable[[Names], Any]


def compile_expression(expression: Expression) -> Compiled:
    """A function of the names; it raises ConditionError. A tree outside the list above is a ValueError."""
    code = Code()
    value, _ = strict(expression.tree, LookedUp(code))
    compiled: Compiled = code.function("evaluate", "names", [f"return {value}"])
    return compiled


def holds(compiled: Compiled, names: Names) -> bool:
    """True for exactly true; anything else, an error included, is False."""
    try:
        return compiled(names) is True
    except ConditionError:
        return False


def root_names(expression: Expression) -> frozenset[str]:
    """The names the expression begins from: `event`, `profile`, `lists` and signals."""
    return frozenset(node[1] for node in nodes(expression.tree) if node[0] == "name")


def fields_of(expression: Expression, root: str) -> frozenset[str]:
    """The fields that are read or asked for directly below `root`, such as `profile`."""
    return frozenset(
        node[2]
        for node in nodes(expression.tree)
        if node[0] in ("field", "has") and node[1] == ["name", root]
    )


def nodes(tree: Any) -> Iterator[list[Any]]:
    """The tree and every node below it."""
    yield tree
    for operand in tree[1:]:
        if isinstance(operand, list):
            yield from nodes(operand)
