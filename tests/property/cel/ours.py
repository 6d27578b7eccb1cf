"""The same questions put to our own code, in each of the ways in which it is generated."""

from __future__ import annotations

import functools
from typing import Any

from foreword.authoring.cel import Scope, check_expression
from foreword.domain.conditions import Compiled, compile_expression
from foreword.domain.core import Core
from foreword.domain.errors import ConditionError
from foreword.domain.facts import Fact
from foreword.domain.instants import DAY, to_datetime
from foreword.domain.replay import replay
from foreword.domain.rulebook import (
    Channel,
    CountSignal,
    EachSignal,
    EventFilter,
    Expression,
    LastSignal,
    Mode,
    Purpose,
    RatioSignal,
    Rule,
    Rulebook,
    Send,
    Signal,
    SinceSignal,
)
from foreword.domain.state import State
from foreword.domain.walk import Walk
from tests.property.cel.google_cel import ERROR, Answer, told
from tests.property.cel.worlds import LISTS, SIGNALS, World

ANY_TYPE = (
    "boolean", "number", "string", "null", "timestamp", "duration", "list", "list of strings",
    "list of numbers", "map",
)  # fmt: skip
SCOPE = Scope(signals=SIGNALS, lists=frozenset(LISTS))

_ANY = EventFilter(types=("Asked", "OrderPlaced"))
_SIGNALS: dict[str, Signal] = {
    "contacts": CountSignal(of=_ANY, within=DAY),
    "share": RatioSignal(of=_ANY, to=_ANY, at_least=1, within=DAY),
    "hit": EachSignal(of=_ANY),
    "silence": SinceSignal(of=_ANY),
    "product": LastSignal(kind="last", value=Expression(source="1", tree=["number", "1"]), of=_ANY),
}
_SEEN = Expression(source="seen", tree=["name", "seen"])
_ALWAYS = Expression(source="true", tree=["bool", True])


def checked(source: str) -> Expression:
    """Raises InvalidCondition."""
    return check_expression(source, SCOPE, ANY_TYPE)


def looked_up(source: str, world: World) -> Answer:
    """By `compile_expression`: names come from a mapping."""
    names = {
        "event": {
            "data": world.data,
            "type": world.type,
            "source": world.source,
            "occurred_at": to_datetime(world.at),
        },
        "profile": world.profile,
        "lists": LISTS,
        **world.signals,
    }
    try:
        return told(_compiled(source)(names))
    except ConditionError:
        return ERROR


def truths(source: str, world: World) -> list[bool]:
    """Of a rule whose `when`, `eligible` and a send's `if` are all the text."""
    rule = _asking(source).rules["asked"]
    values = tuple(world.signals.get(name) for name in rule.names)
    asked: tuple[Any, ...] = (_fact(world), world.at, world.profile, values)
    return [rule.holds(*asked), rule.eligible(*asked), bool(rule.sends(*asked))]


def matches(source: str, world: World) -> bool:
    """Whether a rule fires that counts the events of which the text, as a `where`, is true."""
    return bool(replay(_matching(source), "c-1", world.profile, [_fact(world)]).decisions)


def kept(source: str, world: World) -> Answer:
    """What a signal that keeps the text's value has kept; ERROR where it has kept nothing."""
    core = _keeping(source)
    rule = core.rules["asked"]
    walk = Walk(core, State(), world.profile)
    handle = core.handler(world.type)
    assert handle is not None
    handle(walk, _fact(world))
    value = rule.values(walk, world.at, None)[rule.names.index("value")]
    return ERROR if value is None else told(value)


@functools.lru_cache(256)
def _compiled(source: str) -> Compiled:
    return compile_expression(checked(source))


@functools.lru_cache(256)
def _asking(source: str) -> Core:
    asked = checked(source)
    return _core(dict(_SIGNALS), asked, asked, asked)


@functools.lru_cache(256)
def _matching(source: str) -> Core:
    matched = EachSignal(of=EventFilter(types=_ANY.types, where=checked(source)))
    return _core({"seen": matched}, _SEEN)


@functools.lru_cache(256)
def _keeping(source: str) -> Core:
    value = LastSignal(kind="last", value=checked(source), of=_ANY)
    return _core({"seen": EachSignal(of=_ANY), "value": value}, _SEEN)


def _fact(world: World) -> Fact:
    return Fact(world.source, "1", world.type, "c-1", world.at, world.at, world.data)


def _core(
    signals: dict[str, Signal],
    when: Expression,
    eligible: Expression = _ALWAYS,
    condition: Expression | None = None,
) -> Core:
    rule = Rule(
        rule="asked",
        why="to compare",
        owner="tests",
        mode=Mode.LIVE,
        signals=signals,
        when=when,
        eligible=eligible,
        sends=(
            Send(
                message="m",
                purpose=Purpose.SERVICE,
                topic="care",
                channels=(Channel.EMAIL,),
                condition=condition,
            ),
        ),
        digest="asked",
    )
    return Core(Rulebook(generation="test", rules=(rule,), lists=LISTS))
