"""Times and values as short JSON: what a state is stored as must be small."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from hashlib import blake2b
from itertools import accumulate, pairwise
from typing import Any

from foreword.domain import json_text
from foreword.domain.instants import SECOND, Instant

_ALL_DIGITS = Context(prec=100_000, Emax=MAX_EMAX, Emin=MIN_EMIN)

LONGEST_IDENTITY = 20
MOST_PLACES = 12


def pack_times(times: Sequence[Instant]) -> list[int]:
    """`[unit, first, step, ...]`: the steps count the unit, a second where all times are whole seconds."""
    if not times:
        return []
    unit = SECOND if all(t % SECOND == 0 for t in times) else 1
    return [unit, times[0] // unit, *((later - earlier) // unit for earlier, later in pairwise(times))]


def unpack_times(packed: Sequence[int]) -> list[Instant]:
    if not packed:
        return []
    unit = packed[0]
    return [t * unit for t in accumulate(packed[1:])]


def pack_numbers(numbers: Sequence[Any]) -> list[Any]:
    """`[places, first, step, ...]`, in units of the last decimal place that any of them has.

    Numbers that are too large, or too finely written, for that are text each: `[None, "1e30", ...]`.
    """
    decimals = [Decimal(number) for number in numbers]
    places = max((_places(number) for number in decimals), default=0)
    if places > MOST_PLACES or any(number.adjusted() > MOST_PLACES for number in decimals if number):
        return [None, *(pack_number(number) for number in numbers)]
    whole = [int(number.scaleb(places)) for number in decimals]
    return [places, *whole[:1], *(later - earlier for earlier, later in pairwise(whole))]


def unpack_numbers(packed: Sequence[Any]) -> list[Any]:
    places = packed[0]
    if places is None:
        return [unpack_number(number) for number in packed[1:]]
    whole = accumulate(packed[1:])
    return [Decimal(number).scaleb(-places) for number in whole] if places else list(whole)


def _places(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def pack_number(number: Any) -> Any:
    """An int as it is, a decimal as text: a JSON number would lose its digits."""
    return str(number) if type(number) is Decimal else number


def unpack_number(packed: Any) -> Any:
    return Decimal(packed) if type(packed) is str else packed


def identity(value: Any) -> str:
    """A short text that is the same for equal values alone: 1 and 1.0 are equal, 1 and "1" are not."""
    if type(value) is str and len(value) < LONGEST_IDENTITY:
        return f'"{value}'
    match value:
        case bool() | None:
            text = json_text.dumps(value)
        case int() | Decimal():
            number = Decimal(value)
            text = "0" if number == 0 else str(number.normalize(_ALL_DIGITS))
        case str():
            text = f'"{value}'
        case list() | tuple():
            text = f"[{','.join(map(identity, value))}]"
        case dict():
            text = f"{{{','.join(f'{identity(name)}:{identity(value[name])}' for name in sorted(value))}}}"
        case _:
            text = f"{type(value).__name__} {value}"
    if len(text) <= LONGEST_IDENTITY:
        return text
    return f"#{blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=9).hexdigest()}"
