from __future__ import annotations

from decimal import Decimal

import pytest

from foreword.contracts.activity_items import fact_of, item_of
from foreword.domain.facts import Fact
from foreword.domain.instants import DAY, SECOND

T = 20_000 * DAY
FACT = Fact("shop", "order-1/placed", "OrderPlaced", "c-1", T, T + SECOND, {"amount": Decimal("1.10")})


@pytest.mark.parametrize(
    "fact",
    [FACT, FACT._replace(id="order-1/mistaken", retracts="order-1/placed"), FACT._replace(imported=True)],
)
def test_what_is_kept_is_read_as_it_was(fact: Fact) -> None:
    read = fact_of(item_of(fact, T + DAY))
    assert read == fact
    assert str(read.data["amount"]) == "1.10"


def test_only_a_retraction_and_an_import_say_so() -> None:
    """So an item from before there were any is read like any other."""
    assert not {"retracts", "imported"} & item_of(FACT, T + DAY).keys()
