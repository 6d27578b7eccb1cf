"""What an experiment has shown so far: per arm who was exposed, who converted, and how that compares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from foreword.domain.instants import Instant
from foreword.domain.rulebook import Experiment, Goal
from foreword.experiments.arms import Entered, arms_of
from foreword.experiments.statistics import Difference, Rate, difference, mismatch

MISMATCH_BELOW = 0.001
"""A p-value that by chance alone one experiment of a thousand has: then something else assigns customers too."""


@dataclass(frozen=True, slots=True)
class ArmResult:
    """`rate` is None while nobody was exposed. `lift` is the rate over that of the first arm, minus 1; None where
    that one is 0. The first arm itself is compared with none.
    """

    arm: str
    share: Decimal
    exposed: int
    converted: int
    rate: float | None
    lift: float | None
    compared: Difference | None


@dataclass(frozen=True, slots=True)
class Results:
    """`waiting` have not had the whole time of the goal yet; `crossed` were later in another arm than at first.

    `mismatch` is the p-value of the numbers exposed, None where nobody was.
    """

    arms: tuple[ArmResult, ...]
    waiting: int
    crossed: int
    mismatch: float | None

    @property
    def is_mismatched(self) -> bool:
        return self.mismatch is not None and self.mismatch < MISMATCH_BELOW


def results(
    experiment: Experiment,
    goal: Goal,
    customers: Mapping[str, Entered],
    conversions: Mapping[str, Iterable[Instant]],
    now: Instant,
) -> Results:
    """`conversions` has the times of the goal's events by customer.

    A customer converts once: by an event after the first exposure, up to and including `within` later.
    """
    shares = arms_of(experiment)
    exposed, converted = dict.fromkeys(shares, 0), dict.fromkeys(shares, 0)
    for customer_id, one in customers.items():
        exposed[one.arm] += 1
        times = conversions.get(customer_id, ())
        converted[one.arm] += any(one.at < time <= one.at + goal.within for time in times)
    first = next(iter(shares))
    base = Rate(converted[first], exposed[first])
    total = sum(exposed.values())
    return Results(
        arms=tuple(
            _arm(name, share, Rate(converted[name], exposed[name]), None if name == first else base)
            for name, share in shares.items()
        ),
        waiting=sum(one.at + goal.within > now for one in customers.values()),
        crossed=sum(one.crossed for one in customers.values()),
        mismatch=mismatch(list(exposed.values()), [float(share) for share in shares.values()])
        if total
        else None,
    )


def _arm(name: str, share: Decimal, rate: Rate, base: Rate | None) -> ArmResult:
    comparable = base is not None and bool(base.exposed) and bool(rate.exposed)
    return ArmResult(
        arm=name,
        share=share,
        exposed=rate.exposed,
        converted=rate.converted,
        rate=rate.rate if rate.exposed else None,
        lift=rate.rate / base.rate - 1 if base is not None and comparable and base.converted else None,
        compared=difference(rate, base) if base is not None and comparable else None,
    )
