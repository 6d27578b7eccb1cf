"""Rules whose conditions are written as trees, for tests that know no authoring."""

from __future__ import annotations

from typing import Any

from foreword.domain.instants import HOUR
from foreword.domain.rulebook import (
    Channel,
    EventFilter,
    Expression,
    Mode,
    Purpose,
    Rule,
    Send,
)
from foreword.domain.rulebook import Signal as CoreSignal


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
