"""A condition's tree as CEL text again, or with what is known in place of its names."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from foreword.domain.instants import SECOND, format_instant, to_instant

Known: TypeAlias = Callable[[Any], str | None]
"""What stands in place of a name or field; None leaves it as it is."""

_BINDS = {"?:": 1, "||": 2, "&&": 3, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6}
_COMPARES = 4
_UNARY = 7
_METHODS = ("contains", "startsWith", "endsWith")

LONGEST_LIST = 5
LONGEST_NUMBER = 14
DIGITS = 10


def written(tree: Any, known: Known = lambda _: None) -> str:
    """The tree's text, with the parentheses that it needs."""
    return _text(tree, known)[0]


def shown(value: Any) -> str:
    """A value as people read it: as CEL writes it, but durations in days, long numbers rounded, long lists cut."""
    match value:
        case bool() | None | str():
            return json.dumps(value, ensure_ascii=False)
        case Decimal():
            return _decimal(value)
        case timedelta():
            return _duration(value)
        case datetime():
            return format_instant(to_instant(value))
        case list() | tuple():
            inside = [shown(element) for element in value[:LONGEST_LIST]]
            return f"[{', '.join(inside + (['...'] if len(value) > LONGEST_LIST else []))}]"
        case Mapping():
            return "{...}"
        case _:
            return str(value)


def _text(tree: Any, known: Known) -> tuple[str, int]:
    """The text, and how tightly it binds."""
    match tree:
        case ["number", text]:
            return text, 9
        case ["string" | "bool", constant]:
            return json.dumps(constant, ensure_ascii=False), 9
        case ["null"]:
            return "null", 9
        case ["list", *elements]:
            return f"[{', '.join(written(element, known) for element in elements)}]", 9
        case ["name" | "field" | "index", *_] if (told := known(tree)) is not None:
            return told, 9
        case ["name", name]:
            return name, 9
        case ["field", inner, field]:
            return f"{_bound(inner, known, 8)}.{field}", 8
        case ["index", inner, at]:
            return f"{_bound(inner, known, 8)}[{written(at, known)}]", 8
        case ["has", inner, field]:
            return f"has({written(inner)}.{field})", 9  # what is asked for stays: it is no value
        case ["!" | "neg" as symbol, inner]:
            return f"{'!' if symbol == '!' else '-'}{_bound(inner, known, _UNARY)}", _UNARY
        case ["?:", condition, first, second]:
            parts = _bound(condition, known, 2), _bound(first, known, 2), written(second, known)
            return "{} ? {} : {}".format(*parts), 1
        case ["&&" | "||" as symbol, *operands]:
            binds = _BINDS[symbol]
            return f" {symbol} ".join(_bound(operand, known, binds + 1) for operand in operands), binds
        case ["call", name, first, *rest] if name in _METHODS:
            return f"{_bound(first, known, 8)}.{name}({', '.join(written(one, known) for one in rest)})", 8
        case ["call", name, *arguments]:
            return f"{name}({', '.join(written(one, known) for one in arguments)})", 9
        case [symbol, left, right]:
            binds = _BINDS.get(symbol, _COMPARES)
            return f"{_bound(left, known, binds)} {symbol} {_bound(right, known, binds + 1)}", binds
        case _:
            raise ValueError(f"not a node of a condition: {tree!r}")


def _bound(tree: Any, known: Known, least: int) -> str:
    text, binds = _text(tree, known)
    return text if binds >= least else f"({text})"


def _decimal(value: Decimal) -> str:
    exact = f"{value:f}"
    if "." in exact:
        exact = exact.rstrip("0").rstrip(".")
    if len(exact) <= LONGEST_NUMBER:
        return exact
    return f"≈{value:.{DIGITS}g}"


def _duration(value: timedelta) -> str:
    seconds, micros = divmod(abs(value) // timedelta(microseconds=1), SECOND)
    parts = [(seconds // 86_400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m")]
    rest = f"{seconds % 60}.{micros:06}".rstrip("0") if micros else str(seconds % 60)
    text = "".join(f"{many}{unit}" for many, unit in parts if many)
    if rest != "0" or not text:
        text += f"{rest}s"
    return f"-{text}" if value < timedelta(0) else text
