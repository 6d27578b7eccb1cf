"""Times and values as short JSON: what a state is stored as must be small."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from hashlib import blake2b
from itertools import accumulate, pairwise
from typing import Any

from foreword.domain import json_text
from foreword.domain.instants import SECOND, Instant

LONGEST_IDENTITY = 20


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
            text = "0" if number == 0 else str(number.normalize())
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
