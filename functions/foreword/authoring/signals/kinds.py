"""Every kind of signal: the keys it is written with, and the document it becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias

from foreword.authoring import value_schemas as schemas
from foreword.authoring.cel_types import BOOLEAN, DURATION, DYN, NUMBER, CelType
from foreword.authoring.fields import Fields, Key
from foreword.authoring.signals import values
from foreword.authoring.signals.values import Context
from foreword.authoring.yaml_reader import Node
from foreword.domain.instants import DAY
from foreword.domain.rulebook import (
    AbsenceSignal,
    AggregateSignal,
    BaselineSignal,
    ChangeSignal,
    CountSignal,
    DateSignal,
    DistinctSignal,
    EachSignal,
    FirstTimeSignal,
    LastSignal,
    PeersSignal,
    RatioSignal,
    SequenceSignal,
    Signal,
    SinceSignal,
)

Read: TypeAlias = Callable[[Context, Node], Any]
Values: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SignalKey:
    """`field` is the name in the document."""

    key: Key
    field: str
    read: Read


@dataclass(frozen=True, slots=True)
class Kind:
    """`gives` is the type that conditions see; `complete` looks at all that was given, and adds defaults."""

    document: Callable[..., Signal]
    keys: Mapping[str, SignalKey]
    gives: CelType = NUMBER
    is_moment: bool = False
    complete: Callable[[Context, Fields, Values], None] = lambda _context, _fields, _values: None


def _needs(read: Read, schema: schemas.Schema, into: str) -> SignalKey:
    return SignalKey(Key(schema, required=True), into, read)


def _may(read: Read, schema: schemas.Schema, into: str) -> SignalKey:
    return SignalKey(Key(schema), into, read)


def _event(into: str = "of") -> SignalKey:
    return _needs(values.event, schemas.EVENT, into)


_NUMBER = _needs(values.number, schemas.EXPRESSION, "value")
_VALUE = _needs(values.value, schemas.EXPRESSION, "value")
_WINDOW = {"within": _may(values.window, schemas.DURATION, "within")}
_PER = {"per": _may(values.per, schemas.one_of(["customer"]), "per_customer")}
_OTHER = _needs(values.name, {"type": "string", **schemas.SIGNAL_NAMES}, "signal")
_WHERE = {"where": _may(values.where, schemas.CONDITION, "where")}
_OF = {"of": _event(), **_WHERE}


def _absence(context: Context, fields: Fields, read: Values) -> None:
    if ("within" in read) == ("until" in read):
        raise context.source.refused(fields.node, "an absence signal needs 'within' or 'until', and not both")
    read.setdefault("timer", "each")


def _sequence(context: Context, fields: Fields, read: Values) -> None:
    del fields
    read.setdefault("within", context.retention)


def _change(context: Context, fields: Fields, read: Values) -> None:
    read.setdefault("stale_after", 7 * DAY)
    context.reaches(
        fields.values.get("stale_after", fields.values["over"]), read["over"] + read["stale_after"]
    )


def _baseline(context: Context, fields: Fields, read: Values) -> None:
    if read["compared_as"] == "zscore" and read["versus"] < 2:
        raise context.source.refused(
            fields.values["versus"], "a zscore needs at least two windows before: one has no deviation"
        )


def _aggregate(kind: Literal["sum", "average", "min", "max"]) -> Kind:
    return Kind(partial(AggregateSignal, kind=kind), {kind: _NUMBER, **_OF, **_WINDOW, **_PER})


def _boundary(kind: Literal["last", "first"]) -> Kind:
    return Kind(partial(LastSignal, kind=kind), {kind: _VALUE, **_OF, **_WINDOW, **_PER}, gives=DYN)


KINDS: Mapping[str, Kind] = {
    "count": Kind(
        CountSignal,
        {
            "count": _event(),
            **_WHERE,
            **_WINDOW,
            "reset": _may(values.event, schemas.EVENT, "reset"),
            **_PER,
        },
    ),
    "sum": _aggregate("sum"),
    "average": _aggregate("average"),
    "min": _aggregate("min"),
    "max": _aggregate("max"),
    "distinct": Kind(DistinctSignal, {"distinct": _VALUE, **_OF, **_WINDOW, **_PER}),
    "last": _boundary("last"),
    "first": _boundary("first"),
    "ratio": Kind(
        RatioSignal,
        {
            "ratio": _event(),
            "to": _event("to"),
            "at_least": _needs(values.many, schemas.whole(1, values.MOST), "at_least"),
            **_WINDOW,
            **_PER,
        },
    ),
    "since": Kind(SinceSignal, {"since": _event(), **_WHERE, **_WINDOW, **_PER}, gives=DURATION),
    "each": Kind(EachSignal, {"each": _event(), **_WHERE, **_PER}, gives=BOOLEAN, is_moment=True),
    "first_time": Kind(
        FirstTimeSignal,
        {"first_time": _VALUE, **_OF, **_WINDOW, **_PER},
        gives=BOOLEAN,
        is_moment=True,
    ),
    "absence": Kind(
        AbsenceSignal,
        {
            "absence": _event("absence"),
            "after": _event("after"),
            **_WINDOW,
            "until": _may(values.until, schemas.EXPRESSION, "until"),
            "timer": _may(values.timer, schemas.one_of(values.TIMERS), "timer"),
            **_PER,
        },
        gives=BOOLEAN,
        is_moment=True,
        complete=_absence,
    ),
    "sequence": Kind(
        SequenceSignal,
        {
            "sequence": _needs(values.steps, schemas.list_of(schemas.EVENT, 2), "steps"),
            **_WINDOW,
            **_PER,
        },
        gives=BOOLEAN,
        is_moment=True,
        complete=_sequence,
    ),
    "date": Kind(
        DateSignal,
        {
            "date": _needs(values.profile_date, schemas.EXPRESSION, "value"),
            "before": _needs(values.lead, schemas.DURATION, "before"),
            "at": _needs(values.clock, schemas.TIME_OF_DAY, "at"),
            "yearly": _may(values.flag, schemas.FLAG, "yearly"),
        },
        gives=BOOLEAN,
        is_moment=True,
    ),
    "change": Kind(
        ChangeSignal,
        {
            "change": _NUMBER,
            **_OF,
            "over": _needs(values.window, schemas.DURATION, "over"),
            "stale_after": _may(values.span, schemas.DURATION, "stale_after"),
            **_PER,
        },
        complete=_change,
    ),
    "baseline": Kind(
        BaselineSignal,
        {
            "baseline": _OTHER,
            "versus": _needs(values.many, schemas.whole(1, values.MOST), "versus"),
            "as": _needs(values.comparison, schemas.one_of(values.COMPARISONS), "compared_as"),
        },
        complete=_baseline,
    ),
    "peers": Kind(
        PeersSignal,
        {
            "peers": _OTHER,
            "cohort": _needs(values.value, schemas.EXPRESSION, "cohort"),
            "statistic": _needs(values.statistic, schemas.one_of(values.STATISTICS), "statistic"),
            "at_least": _needs(values.many, schemas.whole(1, values.MOST), "at_least"),
            "period": _needs(values.span, schemas.DURATION, "period"),
            "excluding_self": _may(values.flag, schemas.FLAG, "excluding_self"),
        },
    ),
}
