"""Conditions with the values compared: each part is compiled and asked as the core compiles the whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from foreword.domain.conditions import compile_expression, root_names
from foreword.domain.errors import ConditionError
from foreword.domain.facts import Fact
from foreword.domain.handlers import event_names
from foreword.domain.python_code import ERRORS
from foreword.domain.rulebook import Expression, Rule
from foreword.explaining.explanation import Comparison, SendCondition, Truth
from foreword.explaining.written import shown, written

_JOINED = ("&&", "||")


class NoValue(Exception):
    """An expression that ends in an error; `asks_event` where only an event could tell."""

    def __init__(self, because: str, *, asks_event: bool) -> None:
        super().__init__(because)
        self.because = because
        self.asks_event = asks_event


@dataclass(frozen=True, slots=True)
class Names:
    """What conditions know at one moment. `fact` is what `event` means, None where no event is at hand.

    `signals` holds the defined ones, `undefined` says of the others why they have no value.
    """

    signals: Mapping[str, Any]
    undefined: Mapping[str, str]
    profile: Mapping[str, Any]
    lists: Mapping[str, Any]
    fact: Fact | None = None

    def value(self, tree: Any) -> Any:
        """Raises NoValue."""
        expression = Expression(source="", tree=tree)
        names: dict[str, Any] = {**self.signals, "profile": self.profile, "lists": self.lists}
        if self.fact is not None:
            names["event"] = event_names(self.fact)
        try:
            return compile_expression(expression)(names)
        except ERRORS as error:
            named = root_names(expression)
            if self.fact is None and "event" in named:
                raise NoValue("it depends on the event", asks_event=True) from None
            of = sorted(named & self.undefined.keys())
            because = f"{of[0]} is undefined: {self.undefined[of[0]]}" if of else _words(error)
            raise NoValue(because, asks_event=False) from None

    def truth(self, tree: Any) -> tuple[Truth, str | None]:
        """Whether it holds, and what is missing where nobody can say."""
        try:
            return (Truth.TRUE if self.value(tree) is True else Truth.FALSE), None
        except NoValue as no:
            return (Truth.ASKS_EVENT, None) if no.asks_event else (Truth.UNDEFINED, no.because)

    def in_place(self, tree: Any) -> str | None:
        """The value as text, in place of a name or a field. A list of the rulebook stays a name."""
        if tree[0] == "name" and tree[1] in ("event", "profile", "lists"):
            return None
        if tree[0] == "field" and tree[1] == ["name", "lists"]:
            return None
        try:
            return shown(self.value(tree))
        except NoValue:
            return None


def compare(tree: Any, names: Names) -> Comparison:
    """The condition, part by part as far as `&&` and `||` join them."""
    parts = tuple(compare(part, names) for part in _parts(tree))
    truth, because = names.truth(tree)
    if truth in (Truth.UNDEFINED, Truth.ASKS_EVENT) and parts:
        truth = _undecided(tree[0], [part.truth for part in parts])
        because = None
    return Comparison(written(tree), written(tree, names.in_place), truth, because, parts)


def send_conditions(rule: Rule, names: Names) -> tuple[SendCondition, ...]:
    """Of the sends that have an `if`."""
    return tuple(
        SendCondition(send.message, compare(send.condition.tree, names))
        for send in rule.sends
        if send.condition is not None
    )


def _parts(tree: Any) -> Iterator[Any]:
    if tree[0] in _JOINED:
        yield from tree[1:]
    elif tree[0] == "!" and tree[1][0] in _JOINED:
        yield tree[1]


def _undecided(symbol: str, parts: list[Truth]) -> Truth:
    """`&&` needs all of its parts, so that an error in one of them settles it; `||` waits for the event."""
    if symbol == "||":
        return Truth.ASKS_EVENT if Truth.ASKS_EVENT in parts else Truth.UNDEFINED
    return Truth.UNDEFINED if Truth.UNDEFINED in parts else Truth.ASKS_EVENT


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, ConditionError) else "a value is missing or of the wrong type"
