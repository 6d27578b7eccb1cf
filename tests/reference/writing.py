"""Rules and facts in few words, for examples of both the model and the core."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import count
from typing import Any

from foreword.authoring.cel import Scope, check_expression
from foreword.authoring.cel_types import BOOLEAN, DURATION, DYN, NUMBER, STRING, TIMESTAMP
from foreword.domain.facts import Fact
from foreword.domain.instants import DAY, HOUR, parse_duration
from foreword.domain.rulebook import (
    Channel,
    EventFilter,
    Expression,
    Mode,
    Policy,
    Purpose,
    Rule,
    Rulebook,
    Send,
)

T = 20_001 * DAY
"""Saturday 2024-10-05T00:00:00Z."""

CUSTOMER = "c-1"


def cel(source: str, *signals: str) -> Expression:
    scope = Scope(signals=dict.fromkeys(signals, DYN), lists=frozenset({"codes"}))
    return check_expression(source, scope, (BOOLEAN, DURATION, NUMBER, STRING, TIMESTAMP))


def event(*types: str, where: str | None = None) -> EventFilter:
    return EventFilter(types=types or None, where=None if where is None else cel(where))


def send(message: str = "m", condition: str | None = None, signals: tuple[str, ...] = ()) -> Send:
    return Send(
        message=message,
        purpose=Purpose.SERVICE,
        topic="care",
        channels=(Channel.EMAIL,),
        expires_after=10_000 * DAY,
        condition=None if condition is None else cel(condition, *signals),
    )


def rule(
    when: str,
    signals: Mapping[str, Any],
    *,
    name: str = "example",
    eligible: str = "true",
    re_eligible_after: str | None = None,
    for_each: str | None = None,
    sends: tuple[Send, ...] = (send(),),
    **more: Any,
) -> Rule:
    written = Rule(
        rule=name,
        why="an example",
        owner="tests",
        mode=Mode.LIVE,
        signals=signals,
        when=cel(when, *signals),
        eligible=cel(eligible, *signals),
        re_eligible_after=None if re_eligible_after is None else parse_duration(re_eligible_after),
        for_each=None if for_each is None else cel(for_each),
        sends=sends,
        digest="",
        **more,
    )
    return written.model_copy(update={"digest": repr(written)})


def book(*rules: Rule, lists: Mapping[str, tuple[str, ...]] | None = None, **policy: Any) -> Rulebook:
    return Rulebook(
        generation=repr((rules, policy)),
        rules=rules,
        policy=Policy(**{"settle": 0, **policy}),
        lists=lists or {},
    )


def fact(
    hours: float, type: str = "A", *, id: str | None = None, retracts: str | None = None, **data: Any
) -> Fact:
    """Of two at the same time, the one made later is received later. A float stands for its decimal text."""
    number, at = next(_NUMBERS), T + int(hours * HOUR)
    return Fact(
        source="test",
        id=f"{number:06}" if id is None else id,
        type=type,
        customer_id=CUSTOMER,
        occurred_at=at,
        received_at=at + number,
        data={
            name: Decimal(str(value)) if isinstance(value, float) else value for name, value in data.items()
        },
        retracts=retracts,
    )


_NUMBERS = count(1)
