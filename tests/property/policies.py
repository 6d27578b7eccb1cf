"""Random policies, the sends of rules under them, and what a customer chooses meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from foreword.domain import rulebook as documents
from foreword.domain.facts import Fact
from foreword.domain.instants import DAY, HOUR, format_instant
from foreword.domain.rulebook import (
    Channel,
    FrequencyCap,
    OpenCases,
    Policy,
    Purpose,
    QuietHours,
    Rule,
    Rulebook,
    Send,
    Willingness,
)
from tests.property.histories import BASE, LAST_HOUR, numbered, times
from tests.property.rulebooks import LISTS, eaches, rules
from tests.reference.contacting import Person
from tests.reference.writing import cel, event

hours = st.sampled_from((1, 2, 3, 5, 8, 12, 24, 48)).map(lambda n: n * HOUR)
purposes = st.sampled_from((*(Purpose.MARKETING, Purpose.SERVICE) * 4, Purpose.CRITICAL))
held_purposes = st.sampled_from(
    ((Purpose.MARKETING,), (Purpose.SERVICE,), (Purpose.MARKETING, Purpose.SERVICE))
)
topics = st.sampled_from(("care", "offers"))
channel_lists = st.lists(st.sampled_from(tuple(Channel)), min_size=1, max_size=3, unique=True).map(tuple)
events = st.sampled_from((event("B"), event("C"), event("Z"), event("A", where="event.data.x >= 2")))
quiet = st.sampled_from(
    (QuietHours(start=20 * 60, end=9 * 60), QuietHours(start=0, end=4 * 60), QuietHours(start=150, end=210))
)

caps = st.lists(
    st.builds(
        FrequencyCap,
        purpose=st.sampled_from((None, Purpose.MARKETING, Purpose.SERVICE)),
        channel=st.sampled_from((None, None, Channel.EMAIL, Channel.SMS)),
        at_most=st.integers(1, 2),
        within=hours,
    ),
    min_size=1,
    max_size=3,
).map(tuple)
open_cases = st.builds(
    OpenCases,
    opened=st.just(event("B")),
    closed=st.just(event("C")),
    by=st.sampled_from((cel("event.data.case"), cel("event.data.colour"))),
    hold=held_purposes,
    then_for=st.sampled_from((0, HOUR, 3 * HOUR)),
    at_most=st.sampled_from((2 * HOUR, 5 * HOUR, 60 * DAY)),
)
willingness = st.builds(
    Willingness,
    within=hours,
    scores=st.fixed_dictionaries({"A": st.integers(-1, 2), "B": st.integers(-3, 3), "Z": st.integers(-1, 3)}),
    hold_marketing_below=st.integers(-1, 1),
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    per_channel = st.dictionaries(st.sampled_from(tuple(Channel)), st.none() | quiet, max_size=2)
    return Policy(
        settle=0,
        default_timezone=draw(st.sampled_from(("UTC", "Europe/Berlin"))),
        quiet_hours=draw(quiet) if draw(st.integers(0, 3)) else None,
        quiet_hours_on=draw(per_channel),
        frequency_caps=draw(caps) if draw(st.integers(0, 3)) else (),
        open_cases=(draw(open_cases),) if draw(st.integers(0, 2)) == 0 else (),
        willingness=draw(willingness) if draw(st.integers(0, 2)) == 0 else None,
        consent={
            Purpose.MARKETING: draw(st.sampled_from(("opt-out", "opt-out", "opt-in"))),
            Purpose.SERVICE: draw(st.sampled_from(("opt-out", "opt-out", "opt-out", "opt-in"))),
        },
        holdout=Decimal(1) if draw(st.integers(0, 30)) == 17 else Decimal(0),
    )


@st.composite
def sends(draw: st.DrawFn, signals: Mapping[str, Any]) -> tuple[Send, ...]:
    """Of different priorities: what is equal in one rule is asked in its order, and gives way by chance."""
    many = draw(st.sampled_from((1, 1, 1, 2, 3)))
    priorities = draw(st.permutations((20, 50, 80)))
    return tuple(
        Send(
            message=f"m{index}",
            purpose=draw(purposes),
            topic=draw(topics),
            channels=draw(channel_lists),
            priority=priorities[index],
            expires_after=draw(hours),
            condition=draw(st.sampled_from((None, None, None, cel('profile.segment == "retail"')))),
            value=draw(st.sampled_from((None, None, cel("profile.segment == 'staff' ? 0.5 : 2")))),
            after=draw(st.sampled_from((0, 0, 0, HOUR, 5 * HOUR, 24 * HOUR))),
            unless=draw(st.none() | events),
        )
        for index in range(many)
    )


@st.composite
def contacting_rules(draw: st.DrawFn, name: str) -> Rule:
    if draw(st.booleans()):
        found = draw(rules(name))
    else:
        found = draw(rules(name).filter(lambda it: it.evaluate is None))
        signal = draw(eaches)
        found = found.model_copy(
            update={"signals": {"s0": signal}, "when": cel("s0", "s0"), "eligible": cel("true")}
        )
    held = documents.Hold(purposes=draw(held_purposes), lasts=draw(hours), until=draw(st.none() | events))
    return found.model_copy(
        update={
            "re_eligible_after": draw(st.sampled_from((None, HOUR, 3 * HOUR, 8 * HOUR))),
            "sends": draw(sends(found.signals)),
            "exceptions": draw(st.none() | st.none() | events),
            "hold": held if draw(st.integers(0, 3)) == 0 else None,
            "experiment": documents.Experiment(holdout=Decimal(1))
            if draw(st.integers(0, 20)) == 17
            else None,
        }
    )


@st.composite
def contacting_rulebooks(draw: st.DrawFn) -> Rulebook:
    names = [f"r{index}" for index in range(draw(st.sampled_from((3, 2, 1))))]
    found = tuple(draw(contacting_rules(name)) for name in names)
    return Rulebook(generation="test", rules=found, policy=draw(policies()), lists=LISTS)


_channels = st.sampled_from(("email", "sms", "any"))


@st.composite
def choice(draw: st.DrawFn) -> dict[str, Any]:
    chosen = draw(st.sampled_from(("in", "out")))
    found = {"topic": draw(topics), "channel": draw(_channels), "choice": chosen}
    if chosen == "out" and draw(st.integers(0, 3)) == 0:
        found["topic"] = "any"
    if chosen == "in" and draw(st.integers(0, 2)) == 0:
        found["confirmation"] = draw(st.sampled_from(("pending", "confirmed")))
    return found


settings_of = st.fixed_dictionaries(
    {},
    optional={
        "paused_until": st.none() | st.integers(0, LAST_HOUR).map(lambda n: format_instant(BASE + n * HOUR)),
        "preferred": st.sampled_from(([], ["sms"], ["task", "sms"], ["email"])),
        "at_most": st.none()
        | st.builds(
            lambda count, within: {"count": count, "within": within},
            st.integers(1, 2),
            st.sampled_from(("2h", "8h", "2d")),
        ),
    },
)


def _several(choices: list[dict[str, Any]]) -> dict[str, Any]:
    by_key = {(one["topic"], one["channel"]): one for one in choices}
    return {"choices": list(by_key.values())}


preferences = (
    choice() | st.lists(choice(), min_size=1, max_size=3).map(_several) | settings_of.filter(bool) | choice()
)


@st.composite
def changes_of_mind(draw: st.DrawFn) -> list[Fact]:
    entries = draw(st.lists(st.tuples(times, preferences), max_size=4))
    return numbered([(at, "PreferenceChanged", of) for at, of in entries], 400)


people = st.builds(
    Person,
    addresses=st.sampled_from((frozenset({"email", "phone"}),) * 5 + (frozenset({"phone"}), frozenset())),
    suppressed=st.sampled_from((frozenset(),) * 6 + (frozenset({"email"}), frozenset({"sms"}))),
)
