"""Random rulebooks: signals of every kind with windows of a few hours, and conditions over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from foreword.domain import rulebook as documents
from foreword.domain.instants import DAY, HOUR
from foreword.domain.rulebook import Rule, Rulebook, Schedule, Send
from tests.reference.conditions import names_in
from tests.reference.writing import book, cel, event, rule, send

RETENTIONS = (400 * DAY, 20 * HOUR)
"""No signal looks further back than the shorter one."""

LISTS = {"codes": ("red", "blue")}

hours = st.integers(1, 8).map(lambda n: n * HOUR)
windows = st.none() | hours

_WHERES = (
    None,
    None,
    None,
    None,
    None,
    None,
    "event.data.x >= 2",
    "event.data.x != 1",
    'profile.segment == "retail"',
    "event.data.colour in lists.codes",
    "has(event.data.x) && event.data.x < 3 || event.data.colour == null",
)
events = st.builds(
    lambda types, where: event(*types, where=where),
    st.sampled_from((("A",), ("A",), ("A",), ("B",), ("A", "B"), ("C",), ())),
    st.sampled_from(_WHERES),
)
named_events = events.filter(lambda found: found.types is not None)

numbers = st.sampled_from(("event.data.x", "event.data.x * 2 - 1", "event.data.x / 4")).map(cel)
values = st.sampled_from(("event.data.x", "event.data.colour")).map(cel)

counts = st.builds(documents.CountSignal, of=events, within=windows, reset=st.none() | named_events)
windowed_counts = st.builds(
    documents.CountSignal, of=events, within=st.integers(1, 3).map(lambda n: n * HOUR)
)
aggregates = st.builds(
    documents.AggregateSignal,
    kind=st.sampled_from(("sum", "average", "min", "max")),
    value=numbers,
    of=events,
    within=windows,
)
windowed_aggregates = st.builds(
    documents.AggregateSignal,
    kind=st.sampled_from(("sum", "average", "min", "max")),
    value=numbers,
    of=events,
    within=st.integers(1, 3).map(lambda n: n * HOUR),
)
distincts = st.builds(documents.DistinctSignal, value=values, of=events, within=windows)
lasts = st.builds(
    documents.LastSignal, kind=st.sampled_from(("last", "first")), value=values, of=events, within=windows
)
ratios = st.builds(documents.RatioSignal, of=events, to=events, at_least=st.integers(1, 3), within=windows)
sinces = st.builds(documents.SinceSignal, of=events, within=windows)
changes = st.builds(
    documents.ChangeSignal,
    value=numbers,
    of=events,
    over=hours,
    stale_after=st.integers(0, 4).map(lambda n: n * HOUR),
)
willingnesses = st.builds(
    documents.WillingnessSignal,
    scores=st.dictionaries(st.sampled_from("ABC"), st.integers(-3, 3), min_size=1),
    within=hours,
)
eaches = st.builds(documents.EachSignal, of=events)
first_times = st.builds(documents.FirstTimeSignal, value=values, of=events, within=windows)
sequences = st.builds(
    documents.SequenceSignal, steps=st.lists(events, min_size=2, max_size=3).map(tuple), within=hours
)
absences = st.builds(
    documents.AbsenceSignal,
    absence=events,
    after=named_events,
    within=hours,
    timer=st.sampled_from(("each", "last")),
) | st.builds(
    documents.AbsenceSignal,
    absence=events,
    after=named_events,
    until=st.sampled_from(("event.data.until", 'timestamp(event.data.until) + duration("1h")')).map(cel),
    timer=st.sampled_from(("each", "last")),
)
dates = st.builds(
    documents.DateSignal,
    value=st.sampled_from(("profile.day", "profile.instant")).map(cel),
    before=st.sampled_from((0, DAY, 6 * HOUR)),
    at=st.sampled_from((0, 60, 150, 9 * 60)),
    yearly=st.booleans(),
)
schedules = st.builds(
    Schedule,
    every=st.sampled_from((DAY, DAY, 2 * DAY)),
    at=st.sampled_from((0, 150, 9 * 60, 15 * 60)),
) | st.builds(
    Schedule,
    every=st.sampled_from((7 * DAY, 14 * DAY)),
    at=st.sampled_from((0, 150, 9 * 60)),
    weekday=st.sampled_from((0, 5, 6)),
)

NUMBERS = counts | aggregates | distincts | ratios | changes | willingnesses
MOMENTS = eaches | first_times | sequences | absences | dates

_THRESHOLDS: Mapping[str, Sequence[str]] = {
    "count": ("1", "2", "3"),
    "sum": ("0", "2", "4.5"),
    "average": ("1", "1.5", "2", "0.25"),
    "min": ("1", "0.5", "2"),
    "max": ("2", "0.75", "3"),
    "distinct": ("1", "2", "3"),
    "ratio": ("0.5", "1", "2"),
    "since": ('duration("1h")', 'duration("2h")', 'duration("4h")'),
    "change": ("-0.5", "0", "0.5", "1"),
    "baseline": ("-0.5", "-0.4", "0", "0.5", "1"),
    "willingness": ("-2", "0", "2"),
    "last": ("1", "2", '"red"'),
    "first": ("1", "2", '"red"'),
}


@st.composite
def comparisons(draw: st.DrawFn, signals: Mapping[str, Any], *, cause: bool) -> str:
    """One condition about one signal, or now and then about the profile or the event, where one is the cause."""
    if draw(st.integers(0, 7)) == 0:
        about_event = ("event.data.x >= 2", "has(event.data.x)", "event.data.x != 3")
        others = ('profile.segment == "retail"', *(about_event if cause else ()))
        about: str = draw(st.sampled_from(others))
        return about
    name = draw(st.sampled_from(sorted(signals)))
    thresholds = _THRESHOLDS.get(signals[name].kind)
    if thresholds is None:
        return draw(st.sampled_from((name, name, name, f"!{name}")))
    operators = (
        ("==", "!=") if signals[name].kind in ("last", "first") else (">=", ">=", "<=", ">", "<", "==")
    )
    return f"{name} {draw(st.sampled_from(operators))} {draw(st.sampled_from(thresholds))}"


@st.composite
def conditions(draw: st.DrawFn, signals: Mapping[str, Any], *, cause: bool) -> str:
    """One to three comparisons, joined."""
    most = draw(st.sampled_from((1, 1, 2, 3)))
    parts = draw(st.lists(comparisons(signals, cause=cause), min_size=1, max_size=most))
    joined = parts[0]
    for part in parts[1:]:
        joined = f"{joined} {draw(st.sampled_from(('&&', '||')))} ({part})"
    return f"!({joined})" if draw(st.integers(0, 9)) == 0 else joined


@st.composite
def signals_of(draw: st.DrawFn, kinds: st.SearchStrategy[Any], *, cases: bool) -> dict[str, Any]:
    drawn = draw(st.lists(kinds, min_size=1, max_size=3))
    signals = {f"s{index}": signal for index, signal in enumerate(drawn)}
    if draw(st.integers(0, 4)) == 0:
        signals["base"] = draw(windowed_counts | windowed_aggregates)
        signals["baseline"] = documents.BaselineSignal(
            signal="base",
            versus=draw(st.integers(1, 3)),
            compared_as=draw(st.sampled_from(("ratio", "ratio", "zscore"))),
        )
    moments = ("each", "first_time", "sequence", "absence", "date", "baseline")
    return {
        name: signal.model_copy(update={"per_customer": True})
        if cases and signal.kind not in moments and draw(st.integers(0, 2)) == 0
        else signal
        for name, signal in signals.items()
    }


@st.composite
def rules(draw: st.DrawFn, name: str = "r", *, pauses: bool = True) -> Rule:
    """Without `pauses` no firing holds another one up, so that what was decided earlier does not matter."""
    form = draw(
        st.sampled_from(("plain", "plain", "plain", "cases", "cases", "scheduled", "scheduled with cases"))
    )
    cases, scheduled = "cases" in form, "scheduled" in form
    kinds = NUMBERS | lasts | sinces if scheduled else NUMBERS | lasts | sinces | MOMENTS
    signals = draw(signals_of(kinds, cases=cases).filter(lambda found: not cases or without_dates(found)))
    cause = not scheduled and without_dates(signals)
    eligible = draw(st.sampled_from(("true", "true", "true", "by profile", "by condition")))
    if eligible == "by profile":
        eligible = 'profile.segment != "staff"'
    if eligible == "by condition":
        eligible = draw(conditions(signals, cause=cause))
    drawn = rule(
        draw(
            conditions(signals, cause=cause).filter(
                lambda condition: any(name in condition for name in signals)
            )
        ),
        signals,
        name=name,
        eligible=eligible,
        re_eligible_after=draw(st.sampled_from((None, "1h", "3h", "8h"))) if pauses else None,
        for_each="event.data.case" if cases else None,
        sends=draw(sends_of(signals, cause=cause)),
        evaluate=draw(schedules) if scheduled else None,
        repeat=draw(st.sampled_from((False, False, True))),
    )
    return drawn.model_copy(update={"signals": named_by_a_condition(drawn)})


def named_by_a_condition(of: Rule) -> dict[str, Any]:
    """As a published rule holds them: those that a condition names, and those that these are made of."""
    written = [of.when, of.eligible, *(send.condition for send in of.sends if send.condition)]
    names = {name for condition in written for name in names_in(condition)}
    names |= {
        signal.signal for name, signal in of.signals.items() if name in names and signal.kind == "baseline"
    }
    return {name: signal for name, signal in of.signals.items() if name in names}


def without_dates(signals: Mapping[str, Any]) -> bool:
    """A date is nobody's case, and has no event for its cause."""
    return all(signal.kind != "date" for signal in signals.values())


@st.composite
def sends_of(draw: st.DrawFn, signals: Mapping[str, Any], *, cause: bool) -> tuple[Send, ...]:
    """The first goes out always: a firing without any message would hold no pause."""
    more = draw(st.lists(conditions(signals, cause=cause), max_size=1))
    return (send(), *(send("more", condition, tuple(signals)) for condition in more))


@st.composite
def rulebooks(draw: st.DrawFn, *, pauses: bool = True, most: int = 4) -> Rulebook:
    # What is drawn first is drawn most often, and many rules see more than one.
    names = [f"r{index}" for index in range(draw(st.sampled_from(range(most, 0, -1))))]
    return book(
        *(draw(rules(name, pauses=pauses)) for name in names),
        lists=LISTS,
        retention=draw(st.sampled_from(RETENTIONS)),
        default_timezone=draw(st.sampled_from(("UTC", "Europe/Berlin"))),
    )
