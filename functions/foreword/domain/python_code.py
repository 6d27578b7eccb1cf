"""Plain Python for checked CEL trees: source text made of fixed phrases and `repr`s, never of an author's text.

Two ways to look names up: `LookedUp` asks a mapping and says in its errors what is missing; the core's own scope
(`domain.handlers`) binds names to local variables, for speed. What is outside the nodes of `domain.conditions`
raises ValueError.

Code may raise any of ERRORS where CEL would end in an error; all of them count the same.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Literal, Protocol, TypeAlias

from foreword.domain import condition_values as values
from foreword.domain.errors import ConditionError

Kind: TypeAlias = Literal["number", "string", "boolean", "any"]
"""What is known of a value before it is there; `any` is nothing."""

Written: TypeAlias = tuple[str, Kind]

ERRORS = (ConditionError, KeyError, TypeError)
"""A missing field, a field of what has none, a value of the wrong type."""

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
_ORDER = ("<", "<=", ">", ">=")
_SPELLED = {
    "==": "equal", "!=": "unequal", "<": "less", "<=": "at_most", ">": "more", ">=": "at_least", "in": "is_in",
    "+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "remainder", "index": "index",
}  # fmt: skip


class Scope(Protocol):
    """Where names come from. `code` collects the constants that the source text refers to."""

    code: Code

    def name(self, name: str) -> Written: ...

    def field(self, container: Any, field: str, path: str) -> Written:
        """`container` is the tree of what the field is asked of."""
        ...

    def has(self, container: Any, field: str, path: str) -> str: ...


class Code:
    """Source text in the making, with the objects it names."""

    def __init__(self) -> None:
        self.globals: dict[str, Any] = {
            "ERRORS": ERRORS,
            "NUMBERS": frozenset({int, Decimal}),
            "truth": _truth,
            "all_hold": _all_hold,
            "any_holds": _any_holds,
            "holds": _holds,
            "not_a_number": _not_a_number,
            "has_field": _has_field,
            "timestamp": values.timestamp,
            "negate": values.negate,
            **{_SPELLED[symbol]: function for symbol, function in BINARY.items()},
            **{f"call_{name}": function for name, (_, function) in FUNCTIONS.items()},
        }
        self._variables = 0

    def constant(self, value: Any, name: str = "C") -> str:
        """The name by which the source may refer to `value`; the same object gets the same name."""
        for known, other in self.globals.items():
            if other is value:
                return known
        known = f"{name}_{len(self.globals)}"  # no variable is called so
        self.globals[known] = value
        return known

    def variable(self, prefix: str = "x") -> str:
        self._variables += 1
        return f"{prefix}{self._variables}"

    def function(self, name: str, parameters: str, lines: Sequence[str]) -> Any:
        """The function of these lines of body, indented by what they hold themselves."""
        source = f"def {name}({parameters}):\n" + "".join(f"    {line}\n" for line in lines)
        exec(compile(source, f"<{name}>", "exec"), self.globals)  # noqa: S102  made from the whitelist of nodes alone
        return self.globals[name]


class LookedUp:
    """Names from a mapping called `names`; a missing one is told by its whole path."""

    def __init__(self, code: Code) -> None:
        self.code = code
        code.globals |= {"look_up": _look_up, "field_of": _field_of, "has_named": _has_named}

    def name(self, name: str) -> Written:
        return f"look_up(names, {name!r})", "any"

    def field(self, container: Any, field: str, path: str) -> Written:
        return f"field_of({strict(container, self)[0]}, {field!r}, {path!r})", "any"

    def has(self, container: Any, field: str, path: str) -> str:
        return f"has_named({strict(container, self)[0]}, {field!r}, {path!r})"


def strict(tree: Any, scope: Scope) -> Written:
    """An expression for the value of `tree`, which raises one of ERRORS where there is none."""
    match tree:
        case ["number", str(text)]:
            return _number(text, scope), "number"
        case ["string", str(constant)]:
            return repr(constant), "string"
        case ["bool", bool(truth)]:
            return repr(truth), "boolean"
        case ["null"]:
            return "None", "any"
        case ["name", str(name)]:
            return scope.name(name)
        case ["list", *elements]:
            return f"({''.join(f'{strict(element, scope)[0]}, ' for element in elements)})", "any"
        case ["field", inner, str(field)]:
            return scope.field(inner, field, path_of(tree))
        case ["has", inner, str(field)]:
            return scope.has(inner, field, path_of(inner)), "boolean"
        case ["!", inner]:
            return f"(not {_boolean(inner, '!', scope)})", "boolean"
        case ["neg", inner]:
            return f"negate({strict(inner, scope)[0]})", "number"
        case ["?:", condition, first, second]:
            chosen = _boolean(condition, "?:", scope)
            (left, left_kind), (right, right_kind) = strict(first, scope), strict(second, scope)
            return f"({left} if {chosen} else {right})", left_kind if left_kind == right_kind else "any"
        case ["&&", *operands] if operands:
            return _logical(operands, "all_hold", "&&", scope), "boolean"
        case ["||", *operands] if operands:
            return _logical(operands, "any_holds", "||", scope), "boolean"
        case [str(symbol), left, right] if symbol in BINARY:
            return _binary(symbol, left, right, scope)
        case ["call", str(name), *arguments] if name in FUNCTIONS and len(arguments) == FUNCTIONS[name][0]:
            return _call(name, arguments, scope), "any"
        case _:
            raise ValueError(f"not a node of a condition: {tree!r}")


def condition(tree: Any, scope: Scope) -> str:
    """An expression that is truthy exactly where `tree` is true; it may raise where it is not.

    For a condition as a whole, in which an error counts as false: so `&&` may stop at the first error.
    """
    match tree:
        case ["&&", *operands] if operands:
            return f"({' and '.join(condition(operand, scope) for operand in operands)})"
        case ["||", *operands] if operands:
            return f"({' or '.join(f'holds(lambda: {condition(operand, scope)})' for operand in operands)})"
        case _:
            value, kind = strict(tree, scope)
            return value if kind == "boolean" else f"({value} is True)"


def path_of(tree: Any) -> str:
    """The node as an author would write it, as far as it is a name with fields."""
    match tree:
        case ["name", str(name)]:
            return name
        case ["field", inner, str(field)]:
            return f"{path_of(inner)}.{field}"
        case _:
            return "the value"


def _number(text: str, scope: Scope) -> str:
    number = Decimal(text)
    if number == number.to_integral_value() and abs(number) < 10**15:
        return repr(int(number)) if number >= 0 else f"({int(number)})"
    return scope.code.constant(number)


def _boolean(tree: Any, symbol: str, scope: Scope) -> str:
    value, kind = strict(tree, scope)
    return value if kind == "boolean" else f"truth({value}, {symbol!r})"


def _logical(operands: Sequence[Any], function: str, symbol: str, scope: Scope) -> str:
    parts = [_boolean(operand, symbol, scope) for operand in operands]
    return f"{function}({', '.join(f'lambda: {part}' for part in parts)})"


def _binary(symbol: str, left: Any, right: Any, scope: Scope) -> Written:
    (first, first_kind), (second, second_kind) = strict(left, scope), strict(right, scope)
    if symbol in _ORDER:
        if second_kind == "number" and first_kind in ("number", "any"):
            return f"({_as_number(first, first_kind, symbol, scope)} {symbol} {second})", "boolean"
        if first_kind == "number" and second_kind == "any":
            return f"({first} {symbol} {_as_number(second, second_kind, symbol, scope)})", "boolean"
    # A text equals nothing but the same text, and Python says the same of every value that can stand here.
    if symbol in ("==", "!=") and "string" in (first_kind, second_kind):
        return f"({first} {symbol} {second})", "boolean"
    if symbol in ("==", "!=") and first_kind == second_kind == "number":
        return f"({first} {symbol} {second})", "boolean"
    if symbol == "in" and _all_strings(right):
        texts = scope.code.constant(frozenset(element[1] for element in right[1:]))
        held = scope.code.variable()
        return f"(type({held} := {first}) is str and {held} in {texts})", "boolean"
    boolean = symbol in ("==", "!=", "in", *_ORDER)
    number = symbol in ("*", "/", "%")
    kind: Kind = "boolean" if boolean else "number" if number else "any"
    return f"{_SPELLED[symbol]}({first}, {second})", kind


def _as_number(value: str, kind: Kind, symbol: str, scope: Scope) -> str:
    if kind == "number":
        return value
    held = scope.code.variable()
    return f"({held} if type({held} := {value}) in NUMBERS else not_a_number({held}, {symbol!r}))"


def _all_strings(tree: Any) -> bool:
    return bool(tree[0] == "list" and all(element[0] == "string" for element in tree[1:]))


def _call(name: str, arguments: Sequence[Any], scope: Scope) -> str:
    match name, arguments:
        case "duration", [["string", str(text)]]:
            return _known(values.duration, text, scope)
        case "timestamp", [["string", str(text)]]:
            return _known(values.timestamp, text, scope)
    return f"call_{name}({', '.join(strict(argument, scope)[0] for argument in arguments)})"


def _known(function: Callable[[str], Any], text: str, scope: Scope) -> str:
    """A constant's own value, or the call that raises its error when it is asked."""
    try:
        return scope.code.constant(function(text))
    except ConditionError:
        return f"call_{function.__name__}({text!r})"


def _truth(value: Any, symbol: str) -> bool:
    if value is True or value is False:
        return value
    raise ConditionError(f"{symbol} needs true or false, not a {values.kind(value)}")


def _all_hold(*parts: Callable[[], bool]) -> bool:
    return _decided(parts, by=False)


def _any_holds(*parts: Callable[[], bool]) -> bool:
    return _decided(parts, by=True)


def _decided(parts: Sequence[Callable[[], bool]], *, by: bool) -> bool:
    """`&&` is decided by a false operand, `||` by a true one, whatever errors the others end in."""
    failure: Exception | None = None
    for part in parts:
        try:
            if part() is by:
                return by
        except ERRORS as error:
            failure = failure or error
    if failure is not None:
        raise failure
    return not by


def _holds(part: Callable[[], bool]) -> bool:
    try:
        return part()
    except ERRORS:
        return False


def _not_a_number(value: Any, symbol: str) -> Any:
    if values.kind(value) == "number":
        return value
    raise ConditionError(f"{values.kind(value)} {symbol} number has no answer")


def _look_up(names: Any, name: str) -> Any:
    try:
        return names[name]
    except KeyError:
        raise ConditionError(f"{name} is undefined") from None


def _field_of(container: Any, field: str, path: str) -> Any:
    try:
        return container[field]
    except (KeyError, TypeError):  # TypeError: not a map at all, which is as missing
        raise ConditionError(f"{path} is missing") from None


def _has_field(container: Any, field: str) -> bool:
    return _has_named(container, field, "the value")


def _has_named(container: Any, field: str, path: str) -> bool:
    try:
        container[field]
    except KeyError:
        return False
    except TypeError:
        raise ConditionError(f"{path} has no fields") from None
    return True
