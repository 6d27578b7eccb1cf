"""The workload: rules of five shapes, and a seeded stream of events of which each touches exactly two of them.

Rules come in families of ten, two of each shape, over six event types; 1000 rules are a hundred families. Every
customer lives in one family, so the stream is the same for any number of rules but for the family's number in
the type's name: the same rules are touched by the same events and fire as often. What grows is only what an
engine has to pass over. Standard library only: the rivals' environments read it too.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

Shape: TypeAlias = Literal["count", "sum", "ratio", "distinct"]

DAY_MS = 24 * 60 * 60 * 1000
START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
SPAN_MS = 60 * DAY_MS
RULES_IN_A_FAMILY = 10

KINDS = ("ContactOpened", "PageVisited", "OrderPlaced", "OrderReturned", "CaseOpened", "CaseReopened")
_KIND_WEIGHTS = (3, 3, 3, 1.5, 2, 1)
_CHANNELS = ("phone", "chat", "mail", "survey")
_PRODUCTS = tuple(f"product-{number}" for number in range(8))


class Event(NamedTuple):
    """One event; `at` is in milliseconds since 1970, no two events share one. `amount` counts in quarters,
    so that binary floating point sums it exactly and every engine can agree."""

    at: int
    type: str
    customer_id: str
    channel: str
    product: str
    amount: float

    def data(self) -> dict[str, Any]:
        return {"channel": self.channel, "product": self.product, "amount": self.amount}


class Rule(NamedTuple):
    """`of` (and `to` for a ratio) are event types; the rule is true at `at_least`, over the last `days`.

    Only events on another channel than `but_channel` count, where it is given.
    """

    name: str
    shape: Shape
    of: str
    at_least: float
    days: int
    to: str | None = None
    but_channel: str | None = None

    @property
    def types(self) -> tuple[str, ...]:
        return (self.of,) if self.to is None else (self.of, self.to)

    def sees(self, event: Event) -> bool:
        """Whether the event is one that the rule's signal counts."""
        return event.type in self.types and event.channel != self.but_channel

    def yaml(self, *, every_evaluation: bool) -> str:
        """As an author writes it. `every_evaluation` takes each true evaluation for a firing of its own, which
        is what engines without episodes report; else the pause is a fortnight."""
        match self.shape:
            case "count":
                signal = f"count: {self.of}"
            case "sum":
                signal = f"sum: event.data.amount\n    of: {self.of}"
            case "ratio":
                signal = f"ratio: {self.of}\n    to: {self.to}\n    at_least: {RATIO_NEEDS}"
            case "distinct":
                signal = f"distinct: event.data.product\n    of: {self.of}"
        if self.but_channel is not None:
            signal += f"\n    where: 'event.data.channel != \"{self.but_channel}\"'"
        firing = (
            "repeat: while_true\nre_eligible_after: none" if every_evaluation else "re_eligible_after: 14d"
        )
        return (
            f"rule: {self.name}\nwhy: A rule of the benchmark.\nowner: benchmark\nmode: live\n"
            f"signals:\n  value:\n    {signal}\n    within: {self.days}d\n"
            f"when: 'value >= {self.at_least:g}'\n{firing}\n"
            f"send:\n  message: {self.name}\n  purpose: service\n  topic: care\n  channels: [email]\n"
        )


RATIO_NEEDS = 4
"""A ratio is undefined below so many events of its `to`."""


class Workload(NamedTuple):
    rules: list[Rule]
    events: list[Event]

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(self), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Workload:
        rules, events = json.loads(path.read_text(encoding="utf-8"))
        return cls([Rule(*rule) for rule in rules], [Event(*event) for event in events])


def make(rules: int, *, events: int, customers: int, seed: int = 3) -> Workload:
    """`rules` is a multiple of ten. The same arguments give the same workload."""
    families, rest = divmod(rules, RULES_IN_A_FAMILY)
    if rest or not families:
        raise ValueError(f"rules come in tens, not {rules}")
    return Workload(
        [rule for family in range(families) for rule in _family(family)],
        list(_events(families, events, customers, seed)),
    )


def _family(number: int) -> Iterator[Rule]:
    contact, page, order, back, case, again = (f"{kind}{number}" for kind in KINDS)

    def name(rule: str) -> str:
        return f"{rule}-{number}"

    yield Rule(name("contacts"), "count", contact, 3, 7, but_channel="survey")
    yield Rule(name("contact-cost"), "sum", contact, 500, 30)
    yield Rule(name("visits"), "count", page, 5, 1)
    yield Rule(name("products-seen"), "distinct", page, 3, 7)
    yield Rule(name("returns"), "ratio", back, 0.5, 30, to=order)
    yield Rule(name("orders-by-hand"), "count", order, 3, 7, but_channel="mail")
    yield Rule(name("returned-value"), "sum", back, 300, 30)
    yield Rule(name("reopened"), "ratio", again, 0.5, 30, to=case)
    yield Rule(name("cases"), "count", case, 5, 1)
    yield Rule(name("products-broken"), "distinct", again, 3, 7)


def _events(families: int, count: int, customers: int, seed: int) -> Iterator[Event]:
    """Few customers are busy and most are quiet, and a third of all events come in bursts, as in life."""
    chance = random.Random(seed)
    activity = [chance.lognormvariate(0, 1.2) for _ in range(customers)]
    latest: dict[int, int] = {}
    times: list[tuple[int, int]] = []
    for customer in chance.choices(range(customers), activity, k=count):
        at = chance.randrange(SPAN_MS)
        if customer in latest and chance.random() < 0.3:
            at = min(latest[customer] + int(chance.expovariate(6 / DAY_MS)), SPAN_MS)
        latest[customer] = at
        times.append((at, customer))
    last = -1
    for at, customer in sorted(times):
        last = max(at, last + 1)
        yield Event(
            START_MS + last,
            f"{chance.choices(KINDS, _KIND_WEIGHTS)[0]}{customer % families}",
            f"c-{customer:05}",
            chance.choice(_CHANNELS),
            chance.choice(_PRODUCTS),
            chance.randrange(1, 400) / 4,
        )
