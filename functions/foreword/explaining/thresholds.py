"""What it takes for a signal to pass a threshold.

Each statement is exact as long as nothing else comes: how many more, and until when they still count together.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, TypeAlias

from foreword.domain.condition_values import ARITHMETIC
from foreword.domain.instants import Instant, format_duration, format_instant
from foreword.domain.rulebook import (
    AggregateSignal,
    BaselineSignal,
    ChangeSignal,
    CountSignal,
    DistinctSignal,
    EventFilter,
    LastSignal,
    RatioSignal,
    SinceSignal,
)
from foreword.explaining.explanation import Step
from foreword.explaining.journal import is_number
from foreword.explaining.made_of import MadeOf
from foreword.explaining.words import event_words, quoted
from foreword.explaining.written import shown

Number: TypeAlias = int | Decimal

_WORDS = {
    ">=": "at least ",
    ">": "more than ",
    "<=": "at most ",
    "<": "less than ",
    "==": "",
    "!=": "other than ",
}
_MORE = (">=", ">")
_MICROSECOND = timedelta(microseconds=1)


def threshold_step(made: MadeOf, symbol: str, bound: Any) -> Step | None:
    """What makes `made.value symbol bound` true, which it is not; None where nothing simple can be said."""
    match made.signal:
        case LastSignal(kind="last", of=of, value=value):
            return Step(
                f"1 {event_words(of)} with {quoted(value)} {_WORDS[symbol]}{shown(bound)}", 1, types_of(of)
            )
        case SinceSignal() if isinstance(bound, timedelta):
            return _since(made, made.signal, symbol, bound // _MICROSECOND)
    if not is_number(bound):
        return None
    match made.signal:
        case CountSignal():
            return _count(made, made.signal, symbol, bound)
        case DistinctSignal():
            return _distinct(made, made.signal, symbol, bound)
        case AggregateSignal():
            return _aggregate(made, made.signal, symbol, bound)
        case RatioSignal():
            return _ratio(made, made.signal, symbol, bound)
        case ChangeSignal():
            return _change(made, made.signal, symbol, bound)
        case BaselineSignal(compared_as="ratio", signal=compared) if made.against is not None:
            needs = f"{_WORDS[symbol]}{shown(_grown(made.against, bound))}"
            mean = f"with the mean {shown(made.against)} of its windows before as they are now"
            return Step(f"`{compared}` would have to be {needs}, {mean}")
    return None


def types_of(event: EventFilter) -> tuple[str, ...]:
    return ("*",) if event.types is None else event.types


def _count(made: MadeOf, signal: CountSignal, symbol: str, bound: Number) -> Step | None:
    has, least = len(made.evidence), _least(symbol, bound, len(made.evidence))
    if least is None or least <= has:
        return _as_they_leave(made, symbol, bound)
    reset = "" if signal.reset is None else f", with no {event_words(signal.reset)}"
    return _more(made, signal.of, least - has, event_words(signal.of), has, reset)


def _distinct(made: MadeOf, signal: DistinctSignal, symbol: str, bound: Number) -> Step | None:
    latest = {shown(one.value): one.at for one in made.evidence}
    least = _least(symbol, bound, len(latest))
    if least is None or least <= len(latest):
        return None
    words = f"different {quoted(signal.value)} of {event_words(signal.of)}"
    other = f", other than {', '.join(latest)}" if latest else ""
    # The value that was seen longest ago, counted from when it was seen last, is the first to leave.
    first = min(latest.values(), default=None)
    return _more(made, signal.of, least - len(latest), words, len(latest), other, first=first)


def _aggregate(made: MadeOf, signal: AggregateSignal, symbol: str, bound: Number) -> Step | None:
    of, value = event_words(signal.of), quoted(signal.value)
    if (signal.kind == "max" and symbol in _MORE) or (signal.kind == "min" and symbol in ("<=", "<")):
        return Step(f"1 {of} with {value} {_WORDS[symbol]}{shown(bound)}", 1, types_of(signal.of))
    if signal.kind != "sum" or symbol not in _MORE:
        return None
    missing = shown(ARITHMETIC.subtract(Decimal(bound), Decimal(made.value)))
    until = made.leaves(0) if made.evidence else None
    words = (
        f"{of} whose {value} add up to {_WORDS[symbol]}{missing} {'more' if made.evidence else ''}".strip()
    )
    return Step(f"{words}{_before(made, until)}", None, types_of(signal.of), until=until)


def _ratio(made: MadeOf, signal: RatioSignal, symbol: str, bound: Number) -> Step | None:
    part, whole = len(made.evidence), len(made.others)
    of, to = event_words(signal.of), event_words(signal.to)
    times = [one.at for one in (*made.evidence, *made.others)]
    until = min(times) + (made.within or 0) if times else None
    if made.undefined is not None:
        more = max(signal.at_least, 1) - whole
        words = f"{more} {'more ' if whole else ''}{to}{_before(made, until)}, so that the share has a value"
        return Step(words, more, types_of(signal.to), until=until)
    if symbol not in _MORE or _may_be_both(signal.of, signal.to):
        return None
    exact = ARITHMETIC.multiply(Decimal(bound), whole)
    least = int(exact.to_integral_value(ROUND_CEILING))
    least += 1 if symbol == ">" and least == exact else 0
    more = least - part
    words = f"{more} more {of} with no further {to}{_before(made, until)}: {least} of {whole}"
    return Step(words, more, types_of(signal.of), until=until)


def _since(made: MadeOf, signal: SinceSignal, symbol: str, bound: int) -> Step | None:
    of = event_words(signal.of)
    if symbol in ("<", "<=") and bound > 0:
        return Step(f"1 {of}", 1, types_of(signal.of))
    if symbol not in _MORE or made.within is None or bound >= made.within:
        return None  # by then it is out of the window, and the signal undefined
    if not made.evidence:
        return Step(f"1 {of}, and then none for {format_duration(bound)}", 1, types_of(signal.of))
    when = made.evidence[-1].at + bound
    on = "from" if symbol == ">=" else "after"
    return Step(f"no {of}: so it is {on} {format_instant(when)}", time=when)


def _change(made: MadeOf, signal: ChangeSignal, symbol: str, bound: Number) -> Step | None:
    of, value = event_words(signal.of), quoted(signal.value)
    if made.against is not None:
        then = f"compared with {shown(made.against)}, as of now"
        needs = f"{_WORDS[symbol]}{shown(_grown(made.against, bound))}"
        return Step(f"1 {of} with {value} {needs} ({then})", 1, types_of(signal.of))
    if made.defined_from is not None:
        words = f"1 {of} from {format_instant(made.defined_from)} on, when there is a value to compare with"
        return Step(words, 1, types_of(signal.of))
    if not made.others:
        over, stale = format_duration(signal.over), format_duration(signal.over + signal.stale_after)
        return Step(f"2 {of} with a number, from {over} to {stale} apart", 2, types_of(signal.of))
    return None


def _as_they_leave(made: MadeOf, symbol: str, bound: Number) -> Step | None:
    """A count that is too high falls as its events leave the window."""
    most = _most(symbol, bound)
    if most is None or not 0 <= most < len(made.evidence):
        return None
    when = made.leaves(len(made.evidence) - most - 1)
    left = sum(made.leaves(at) > when for at in range(len(made.evidence)))
    if symbol == "==" and left != bound:
        return None  # several leave at once
    return Step(f"`{made.name}` falls to {left} at {format_instant(when)}, if no more come", time=when)


def _more(
    made: MadeOf, of: EventFilter, more: int, words: str, has: int, and_: str, *, first: Instant | None = None
) -> Step:
    """`has` stand in the window already: until the first of them leaves it."""
    until = None
    if has:
        until = made.leaves(0) if first is None else first + (made.within or 0)
    text = f"{more} {'more ' if has else ''}{words}{and_}{_before(made, until)}"
    return Step(text, more, types_of(of), until=until)


def _before(made: MadeOf, until: Instant | None) -> str:
    if until is not None:
        return f" before {format_instant(until)}"
    return "" if made.within is None else f" within {format_duration(made.within)}"


def _least(symbol: str, bound: Number, has: int) -> int | None:
    """The smallest number of which the comparison is true, above what there is; None where there is none."""
    match symbol:
        case ">=":
            return int(Decimal(bound).to_integral_value(ROUND_CEILING))
        case ">":
            return int(Decimal(bound).to_integral_value(ROUND_FLOOR)) + 1
        case "==":
            return int(bound) if bound == int(bound) else None
        case "!=":
            return has + 1
    return None


def _most(symbol: str, bound: Number) -> int | None:
    """The largest number of which the comparison is true."""
    match symbol:
        case "<=":
            return int(Decimal(bound).to_integral_value(ROUND_FLOOR))
        case "<":
            return int(Decimal(bound).to_integral_value(ROUND_CEILING)) - 1
        case "==":
            return int(bound) if bound == int(bound) else None
    return None


def _grown(value: Number, by: Number) -> Decimal:
    return ARITHMETIC.multiply(Decimal(value), ARITHMETIC.add(Decimal(1), Decimal(by)))


def _may_be_both(one: EventFilter, other: EventFilter) -> bool:
    """Whether an event may stand above and below the line."""
    if one.types is None or other.types is None:
        return True
    return bool(set(one.types) & set(other.types))
