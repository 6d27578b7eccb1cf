"""Ten conditions such as authors write, in CEL and in zen's own language, and what they are asked about.

Standard library only: the rivals' environments read it too.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, NamedTuple


class Condition(NamedTuple):
    cel: str
    zen: str


CONDITIONS = (
    Condition('event.data.channel != "survey"', 'event.data.channel != "survey"'),
    Condition(
        'event.data.amount > 100.0 && event.data.channel == "phone"',
        'event.data.amount > 100 and event.data.channel == "phone"',
    ),
    Condition("contacts >= 3", "contacts >= 3"),
    Condition('contacts >= 3 && profile.segment != "staff"', 'contacts >= 3 and profile.segment != "staff"'),
    Condition("share >= 0.5", "share >= 0.5"),
    Condition('event.data.channel in ["phone", "chat"]', 'event.data.channel in ["phone", "chat"]'),
    Condition('event.data.product.startsWith("product-1")', 'startsWith(event.data.product, "product-1")'),
    Condition(
        'has(profile.segment) && profile.segment == "retail"',
        'profile.segment != null and profile.segment == "retail"',
    ),
    Condition(
        "(contacts > 1 || share > 0.25) && event.data.amount >= 20.0",
        "(contacts > 1 or share > 0.25) and event.data.amount >= 20",
    ),
    Condition(
        '!(profile.segment == "staff") || event.data.amount * 2.0 >= 150.0',
        'not(profile.segment == "staff") or event.data.amount * 2 >= 150',
    ),
)


class Asked(NamedTuple):
    """What a condition may name; `share` counts in sixteenths, exact in binary and decimal."""

    event: dict[str, Any]
    profile: dict[str, Any]
    contacts: int
    share: float


def questions(count: int, seed: int = 5) -> Iterator[Asked]:
    chance = random.Random(seed)
    for _ in range(count):
        yield Asked(
            {
                "type": "OrderPlaced",
                "data": {
                    "channel": chance.choice(["phone", "chat", "mail", "survey"]),
                    "product": f"product-{chance.randrange(30)}",
                    "amount": chance.randrange(1, 800) / 4,
                },
            },
            {"segment": chance.choice(["retail", "business", "staff"])},
            chance.randrange(6),
            chance.randrange(17) / 16,
        )
