"""Random histories: few types, many equal times, and events exactly at the edges of windows."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from foreword.domain.facts import Fact
from foreword.domain.instants import DAY, HOUR, format_instant, parse_instant
from tests.reference.writing import CUSTOMER

BASE = parse_instant("2024-10-26T03:00:00Z")
"""Within a day and a half summer time ends in Berlin: the histories cross it."""

LAST_HOUR = 30

times = st.builds(
    lambda hour, edge: BASE + hour * HOUR + edge,
    st.integers(0, 9) | st.integers(0, LAST_HOUR),
    st.sampled_from((0, 0, 0, 0, 0, 0, 1, -1)),
)

xs = st.sampled_from((1, 2, 3, 1, 2, 3, Decimal("0.5"), Decimal("2.0"), Decimal("-1"), 0, None, "text"))


@st.composite
def data(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if draw(st.integers(0, 5)) > 0:
        found["x"] = draw(xs)
    if draw(st.booleans()):
        found["colour"] = draw(st.sampled_from(("red", "blue", "green", None)))
    if draw(st.integers(0, 9)) > 0:
        found["case"] = draw(st.sampled_from(("a", "a", "a", "b", None)))
    if draw(st.booleans()):
        found["until"] = draw(
            st.integers(0, LAST_HOUR).map(lambda hour: format_instant(BASE + hour * HOUR)) | st.just("soon")
        )
    return found


@st.composite
def histories(draw: st.DrawFn, *, most: int = 12, since: int = 0, first: int = 1) -> list[Fact]:
    """In their order, each received when it happened; `first` is the number of the first, by which ties go."""
    entries = draw(st.lists(st.tuples(times, st.sampled_from("AAAABBCZ"), data()), min_size=1, max_size=most))
    return numbered([(since + at, type, of) for at, type, of in entries], first)


def numbered(entries: Sequence[tuple[int, str, dict[str, Any]]], first: int) -> list[Fact]:
    ordered = sorted(entries, key=lambda entry: entry[0])
    return [
        Fact("test", f"{first + index:03}", type, CUSTOMER, at, at, of)
        for index, (at, type, of) in enumerate(ordered)
    ]


_ATTRIBUTES = {
    "segment": st.sampled_from(("retail", "staff")),
    "timezone": st.sampled_from(("Europe/Berlin", "America/New_York", "Nowhere/Land")),
    "day": st.sampled_from(("2024-10-26", "2024-10-27", "2024-10-28", "1996-02-29", "1990-10-27", "soon")),
    "instant": st.sampled_from(("2024-10-27T23:30:00Z", "2024-10-27T02:00:00+02:00")),
    "email": st.just("a@example.com"),
}

profiles = st.fixed_dictionaries({}, optional=_ATTRIBUTES)


@st.composite
def described(draw: st.DrawFn) -> list[Fact]:
    """A profile that nothing changes, written before a history or with its first events."""
    profile, since = draw(profiles), draw(st.sampled_from((BASE - 3 * DAY, BASE - 6 * HOUR, BASE)))
    return numbered([(since, "CustomerUpdated", profile)], 0) if profile else []


@st.composite
def updates(draw: st.DrawFn) -> list[Fact]:
    """CustomerUpdated facts, each of some attributes; None removes one."""
    removing = {name: values | st.none() for name, values in _ATTRIBUTES.items() if name != "email"}
    entries = draw(st.lists(st.tuples(times, st.fixed_dictionaries({}, optional=removing)), max_size=4))
    return numbered([(at, "CustomerUpdated", of) for at, of in entries], 200)


@st.composite
def retractions(draw: st.DrawFn, facts: Sequence[Fact], until: int) -> list[Fact]:
    """Of some of the facts, and now and then of one that never comes."""
    ids = draw(st.lists(st.sampled_from([*(fact.id for fact in facts), "never"]), min_size=1, max_size=3))
    return [
        Fact("test", f"back/{index}", "A", CUSTOMER, at, at, retracts=id)
        for index, id in enumerate(ids)
        for at in [draw(st.sampled_from((until, BASE, *(fact.occurred_at for fact in facts))))]
    ]
