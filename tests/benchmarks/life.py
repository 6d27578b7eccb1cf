"""What happens to the customers of the seed rules: a seeded stream, every type of theirs in a likely proportion.

A quarter of the events are valuations of a portfolio, where these are fed as the market moves (`intraday`). Else a
portfolio is valued once a day at most, however busy its owner is, and the others share the rest.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

DAY_SECONDS = 86_400

VALUED = "PortfolioValued"
_VALUED_SHARE = 0.25
_OTHER_SHARES = {
    "OrderPlaced": 40,
    "SupportContactOpened": 15,
    "AppointmentBooked": 8,
    "OrderReturned": 7,
    "DiagnosisRecorded": 5,
}
_SOURCES = {
    "OrderPlaced": "shop",
    "OrderReturned": "shop",
    VALUED: "custody",
    "SupportContactOpened": "support",
    "AppointmentBooked": "clinic",
    "DiagnosisRecorded": "clinic",
}


class Happening(NamedTuple):
    """`second` counts from the start; `id` is unique for the customer."""

    second: float
    source: str
    type: str
    id: str
    data: dict[str, Any]


def life(seed: int, *, a_day: float, days: int, intraday: bool) -> Iterator[Happening]:
    """One customer's events, `a_day` of them on average, in order of time."""
    chance = random.Random(seed)
    valued = _VALUED_SHARE if intraday else min(_VALUED_SHARE, 1 / a_day)
    second = chance.expovariate(a_day) * DAY_SECONDS
    value = 10_000.0
    number = 0
    while second < days * DAY_SECONDS:
        number += 1
        kind = VALUED
        if chance.random() >= valued:
            (kind,) = chance.choices(list(_OTHER_SHARES), list(_OTHER_SHARES.values()))
        value *= 1 + chance.gauss(0, 0.01)
        yield Happening(second, _SOURCES[kind], kind, f"{number:06}", _data(kind, number, value, chance))
        second += chance.expovariate(a_day) * DAY_SECONDS


def _data(kind: str, number: int, value: float, chance: random.Random) -> dict[str, Any]:
    match kind:
        case "OrderPlaced" | "OrderReturned":
            return {"order_id": f"order-{number:06}", "amount": chance.randrange(500, 20_000) / 100}
        case _ if kind == VALUED:
            return {"value": round(value, 2), "currency": "EUR", "portfolio_id": "p-1"}
        case "SupportContactOpened":
            channel = chance.choice(["phone", "chat", "email", "survey"])
            return {"channel": channel, "ticket_id": f"ticket-{number:06}"}
        case "AppointmentBooked":
            return {"appointment_id": f"appointment-{number:06}"}
        case _:
            return {"code": chance.choice(["E11.9", "I10", "J06", "M54"])}
