"""The model and the core, asked the same and answering in the same terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Context, Decimal
from typing import Any, NamedTuple, Protocol

from foreword.domain.core import Core
from foreword.domain.facts import Fact
from foreword.domain.replay import once, replay
from foreword.domain.rulebook import Rulebook
from tests.reference.conditions import Span
from tests.reference.firing import decide
from tests.reference.writing import CUSTOMER

COMPARED = Context(prec=24)
"""The last of 28 digits depend on the order in which a mean or a deviation is reckoned."""


class Decided(NamedTuple):
    rule: str
    case: str | None
    at: int
    reason: str | None
    signals: Mapping[str, Any]
    sends: tuple[int, ...]


class Engine(Protocol):
    def __call__(
        self,
        rulebook: Rulebook,
        facts: Iterable[Fact],
        profile: Mapping[str, Any] = ...,
        start: int | None = ...,
        end: int | None = ...,
    ) -> list[Decided]: ...


def model(
    rulebook: Rulebook,
    facts: Iterable[Fact],
    profile: Mapping[str, Any] | None = None,
    start: int | None = None,
    end: int | None = None,
) -> list[Decided]:
    return in_order(map(comparable, decide(rulebook, CUSTOMER, profile or {}, facts, start, end)))


def core(
    rulebook: Rulebook,
    facts: Iterable[Fact],
    profile: Mapping[str, Any] | None = None,
    start: int | None = None,
    end: int | None = None,
) -> list[Decided]:
    replayed = replay(Core(rulebook).as_live(), CUSTOMER, profile or {}, once(facts), start, end)
    return in_order(map(comparable, replayed.decisions))


def comparable(decision: Any) -> Decided:
    """Of a decision of either."""
    signals = {name: plain(value) for name, value in decision.signals.items()}
    reason = None if decision.reason is None else str(decision.reason)
    return Decided(decision.rule, decision.case, decision.at, reason, signals, tuple(decision.sends))


def in_order(decisions: Iterable[Decided]) -> list[Decided]:
    """By time, and by rule and case at one instant."""
    return sorted(decisions, key=lambda decided: (decided.at, decided.rule, decided.case or ""))


def plain(value: Any) -> Any:
    match value:
        case bool():
            return value
        case int() | Decimal():
            return COMPARED.plus(Decimal(value)).normalize()
        case Span():  # a decision tells it in seconds
            return f"{Decimal(int(value.micros)).scaleb(-6).normalize():f}s"
        case list() | tuple():
            return [plain(element) for element in value]
        case Mapping():
            return {name: plain(element) for name, element in value.items()}
    return value
