from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreword.domain.peers_selection import MOST_POINTS, Interval, settle, tell
from foreword.domain.peers_statistics import Standing, Statistic, standing

MOST_ROUNDS = 12


def selected(
    statistic: Statistic, shards: Sequence[Sequence[Decimal]], most_points: int
) -> tuple[Standing, int]:
    """The standing, and after how many rounds."""
    asked = Interval()
    for rounds in range(1, MOST_ROUNDS + 1):
        told = [tell(statistic, sorted(shard), asked, most_points) for shard in shards]
        assert all(len(one.points) <= most_points + 4 for one in told)
        found = settle(statistic, told)
        if isinstance(found, Standing):
            return found, rounds
        assert found != asked, "no progress"
        asked = found
    raise AssertionError(f"not settled after {MOST_ROUNDS} rounds")


names = st.sampled_from(["median", "mean", "min", "max", "p5", "p33", "p95"])
few = st.sampled_from([Decimal(0), Decimal("0.00"), Decimal(1)])
many = st.decimals(allow_nan=False, allow_infinity=False, min_value=-100, max_value=100, places=3)


@given(names, st.booleans(), st.lists(st.lists(st.one_of(few, many), max_size=80), min_size=1, max_size=6))
def test_it_is_what_sorting_everything_gives(
    name: str, excluding_self: bool, shards: list[list[Decimal]]
) -> None:
    statistic = Statistic.named(name, excluding_self=excluding_self)
    everything = [value for shard in shards for value in shard]
    found, _ = selected(statistic, shards, most_points=8)
    assert found == standing(statistic, everything)


@given(
    names, st.booleans(), st.integers(0, 2**32), st.sampled_from(["even", "sorted", "two heaps", "powers"])
)
def test_however_the_values_lie_in_the_shards(name: str, excluding_self: bool, seed: int, shape: str) -> None:
    """Thousands of values, so that no shard can tell of all of them."""
    random = Random(seed)
    numbers = [Decimal(random.randrange(10**6)) / 1000 for _ in range(3000)]
    if shape == "two heaps":
        numbers = [Decimal(0)] * 10_000 + numbers[:200] + [Decimal(1000)] * 10_000
    if shape == "powers":
        numbers = [Decimal(2) ** random.randrange(-90, 90) for _ in range(3000)]
    if shape == "sorted":
        numbers.sort()
        shards = [numbers[at : at + 500] for at in range(0, len(numbers), 500)]
    else:
        shards = [[] for _ in range(7)]
        for number in numbers:
            random.choice(shards).append(number)
    statistic = Statistic.named(name, excluding_self=excluding_self)
    found, _ = selected(statistic, shards, most_points=16)
    assert found == standing(statistic, numbers)


@pytest.mark.parametrize("name", ["median", "p95"])
def test_two_rounds_do_for_hundreds_of_thousands(name: str) -> None:
    random = Random(3)
    shards = [[Decimal(random.randrange(10**9)) for _ in range(16_000)] for _ in range(16)]
    statistic = Statistic.named(name)
    found, rounds = selected(statistic, shards, MOST_POINTS)
    assert found == standing(statistic, [value for shard in shards for value in shard])
    assert rounds == 2


def test_nobody_has_no_standing() -> None:
    assert settle(Statistic.named("median"), []) == Standing(0, Decimal(0))
