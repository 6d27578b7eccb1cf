"""The rules that the core and the model are compared on, each written for both."""

from __future__ import annotations

from typing import Any

from foreword.domain.instants import HOUR
from foreword.domain.rulebook import (
    AbsenceSignal,
    ChangeSignal,
    Channel,
    CountSignal,
    EachSignal,
    EventFilter,
    Expression,
    Mode,
    Policy,
    Purpose,
    RatioSignal,
    Rule,
    Rulebook,
    Send,
)
from foreword.domain.rulebook import Signal as CoreSignal
from tests.reference.semantics import Absence, Change, Count, Each, ModelRule, Ratio


def tree(node: Any) -> Expression:
    return Expression(source=str(node), tree=node)


def number(text: str) -> list[str]:
    return ["number", text]


def name(of: str) -> list[str]:
    return ["name", of]


def types(*of: str) -> EventFilter:
    return EventFilter(types=of)


ALWAYS = tree(["bool", True])
SEND = Send(
    message="m",
    purpose=Purpose.SERVICE,
    topic="care",
    channels=(Channel.EMAIL,),
    expires_after=1000 * HOUR,
)


def rule(of: str, signals: dict[str, CoreSignal], when: Any, re_eligible_after: int | None) -> Rule:
    return Rule(
        rule=of,
        why="to compare",
        owner="tests",
        mode=Mode.LIVE,
        signals=signals,
        when=tree(when),
        eligible=ALWAYS,
        re_eligible_after=None if re_eligible_after is None else re_eligible_after * HOUR,
        sends=(SEND,),
        digest=of,
    )


CORE_RULES = (
    rule(
        "count",
        {"n": CountSignal(of=types("A"), within=5 * HOUR, reset=types("C"))},
        [">=", name("n"), number("2")],
        None,
    ),
    rule("apart", {"n": CountSignal(of=types("A"), within=3 * HOUR)}, [">=", name("n"), number("2")], 6),
    rule(
        "ratio",
        {"r": RatioSignal(of=types("B"), to=types("A"), at_least=2, within=6 * HOUR)},
        [">=", name("r"), number("0.5")],
        None,
    ),
    rule(
        "visit",
        {"visit": EachSignal(of=types("B")), "n": CountSignal(of=types("A"), within=4 * HOUR)},
        ["&&", name("visit"), [">=", name("n"), number("2")]],
        4,
    ),
    rule(
        "change",
        {
            "c": ChangeSignal(
                value=tree(["field", ["field", name("event"), "data"], "value"]),
                of=types(
                    "A",
                ),
                over=4 * HOUR,
                stale_after=3 * HOUR,
            )
        },
        ["<=", name("c"), ["neg", number("0.1")]],
        None,
    ),
    rule(
        "absent",
        {"gone": AbsenceSignal(absence=types("B"), after=types("A"), within=3 * HOUR, timer="each")},
        name("gone"),
        None,
    ),
    rule(
        "idle",
        {
            "idle": AbsenceSignal(absence=types("C"), after=types("A"), within=4 * HOUR, timer="last"),
            "n": CountSignal(of=types("A"), within=9 * HOUR),
        },
        ["&&", name("idle"), [">=", name("n"), number("2")]],
        5,
    ),
)

MODEL_RULES = (
    ModelRule("count", {"n": Count("A", 5, reset="C")}, lambda v: v["n"] >= 2, None),
    ModelRule("apart", {"n": Count("A", 3)}, lambda v: v["n"] >= 2, 6),
    ModelRule("ratio", {"r": Ratio("B", "A", 2, 6)}, lambda v: v["r"] is not None and 2 * v["r"] >= 1, None),
    ModelRule("visit", {"visit": Each("B"), "n": Count("A", 4)}, lambda v: v["visit"] and v["n"] >= 2, 4),
    ModelRule("change", {"c": Change("A", 4, 3)}, lambda v: v["c"] is not None and 10 * v["c"] <= -1, None),
    ModelRule("absent", {"gone": Absence("B", "A", 3, "each")}, lambda v: v["gone"], None),
    ModelRule(
        "idle",
        {"idle": Absence("C", "A", 4, "last"), "n": Count("A", 9)},
        lambda v: v["idle"] and v["n"] >= 2,
        5,
    ),
)

RULEBOOK = Rulebook(generation="reference", rules=CORE_RULES, policy=Policy(settle=0))
