"""The same text over the same data, evaluated by Google's own CEL (cel-expr-python, which wraps cel-cpp).

An answer is a value that says its type, so that `1` is not `true`, or ERROR.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from cel_expr_python import cel

from foreword.domain.instants import to_datetime, to_instant
from tests.property.cel.worlds import LISTS, SIGNALS, World

Answer: TypeAlias = tuple[Any, ...]
ERROR: Answer = ("error",)

_TYPES: Mapping[str, Any] = {
    "number": cel.Type.INT,
    "boolean": cel.Type.BOOL,
    "duration": cel.Type.DURATION,
    "dyn": cel.Type.DYN,
}
_FIELDS = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)

# A map of unknown types may hold no time in this library, so at run time `event.occurred_at` is a name of its own.
_UNCHECKED = cel.NewEnv(
    variables={
        "event": cel.Type.DYN,
        "occurred_at": cel.Type.TIMESTAMP,
        "profile": cel.Type.DYN,
        "lists": cel.Type.DYN,
        **{name: _TYPES[of] if of == "duration" else cel.Type.DYN for name, of in SIGNALS.items()},
    }
)
_CHECKED = cel.NewEnv(
    variables={
        "event.data": _FIELDS,
        "event.type": cel.Type.STRING,
        "event.source": cel.Type.STRING,
        "event.occurred_at": cel.Type.TIMESTAMP,
        "profile": _FIELDS,
        **{f"lists.{name}": cel.Type.List(cel.Type.STRING) for name in LISTS},
        **{name: _TYPES[of] for name, of in SIGNALS.items()},
    }
)


def answer(source: str, world: World, *, doubles: bool = False) -> Answer:
    """Types are not checked, for CEL would refuse `1 == 1.0`; raises Exception where the text is not CEL.

    With `doubles`, every number of the data is one; without, whole ones are ints.
    """
    names = {
        "event": {"data": world.data, "type": world.type, "source": world.source},
        "profile": world.profile,
        "lists": LISTS,
        **world.signals,
    }
    given = {name: _for_cel(value, doubles) for name, value in names.items()}
    return _answer(parse(source).eval(data=given | {"occurred_at": to_datetime(world.at)}))


@functools.lru_cache(256)
def parse(source: str) -> cel.Expression:
    return _UNCHECKED.compile(source.replace("event.occurred_at", "occurred_at"), disable_check=True)


def is_refused(source: str) -> bool:
    """Whether CEL's type checker refuses the text."""
    try:
        _CHECKED.compile(source)
    except Exception as error:
        if "Syntax error" in str(error) or "undeclared reference" in str(error):
            raise
        return True
    return False


def told(value: Any) -> Answer:
    """One of our own values as an answer."""
    match value:
        case None:
            return ("null",)
        case bool():
            return ("boolean", value)
        case int() | Decimal():
            return ("number", Decimal(value))
        case float():
            return ("number", Decimal(repr(value)))  # the shortest text of it: 0.1 for 0.1
        case str():
            return ("string", value)
        case datetime():
            return ("timestamp", to_instant(value))
        case timedelta():
            return ("duration", value // timedelta(microseconds=1))
        case list() | tuple():
            return ("list", *map(told, value))
        case Mapping():
            return ("map", *sorted((name, told(element)) for name, element in value.items()))
    raise TypeError(f"{value!r} is no value of a condition")


def _for_cel(value: Any, doubles: bool) -> Any:
    match value:
        case bool() | None | str():
            return value
        case Decimal():
            return float(value)
        case int():
            return float(value) if doubles else value
        case list() | tuple():
            return [_for_cel(element, doubles) for element in value]
        case Mapping():
            return {name: _for_cel(element, doubles) for name, element in value.items()}
        case _:
            return value


def _answer(value: cel.Value) -> Answer:
    # Asking this library for the Python value of a null gives None's reference away each time: never ask.
    if value.type() == cel.Type.NULL:
        return ("null",)
    if value.type() == cel.Type.ERROR:
        return ERROR
    found = value.value()
    match found:
        case list():
            return ("list", *map(_answer, found))
        case dict():
            return ("map", *sorted((name, _answer(element)) for name, element in found.items()))
        case _:
            return told(found)
