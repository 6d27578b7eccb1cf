"""Who was in which arm of an experiment, and since when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from foreword.domain.exposures import Exposure
from foreword.domain.instants import Instant
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Experiment

HOLDOUT = "holdout"
TREATED = "treated"
"""The arm of an experiment without variants that gets the messages."""

HELD_OUT = "HELD_OUT"
_NEVER_ASSIGNED = frozenset({Reason.NOT_ELIGIBLE, Reason.NOT_RE_ELIGIBLE, Reason.TOO_LATE, Reason.SHADOW})
"""These gates come before the holdout, so that a closed one says nothing of the arm. Later ones do not matter: who
got no message for want of consent belongs to the arm all the same, since the holdout has such customers too."""


class Entered(NamedTuple):
    """A customer's first exposure. `crossed`: a later one was in another arm, as when the shares were changed."""

    arm: str
    at: Instant
    crossed: bool


def arms_of(experiment: Experiment) -> Mapping[str, Decimal]:
    """Their shares of all customers; the first is what the others are compared with."""
    holdout = {HOLDOUT: experiment.holdout} if experiment.holdout else {}
    others = experiment.variants or {TREATED: Decimal(1)}
    return {**holdout, **{name: share * (1 - experiment.holdout) for name, share in others.items()}}


def entered(exposures: Iterable[Exposure], experiment: Experiment) -> dict[str, Entered]:
    """By customer. Exposures of an arm that the experiment does not have are of an earlier one, and left out."""
    arms = arms_of(experiment)
    found: dict[str, Entered] = {}
    for exposure in sorted(exposures, key=_first_then_held_out):
        arm = _arm(exposure, experiment)
        if arm is None or arm not in arms:
            continue
        before = found.get(exposure.customer_id)
        if before is None:
            found[exposure.customer_id] = Entered(arm, exposure.decided_at, crossed=False)
        elif before.arm != arm and exposure.decided_at > before.at:
            found[exposure.customer_id] = before._replace(crossed=True)
    return found


def _first_then_held_out(exposure: Exposure) -> tuple[Instant, bool]:
    """Of one decision, a critical message goes out even to who is held out from the others."""
    return exposure.decided_at, exposure.reason != HELD_OUT


def _arm(exposure: Exposure, experiment: Experiment) -> str | None:
    if exposure.reason == HELD_OUT:
        return HOLDOUT
    if exposure.reason in _NEVER_ASSIGNED:
        return None
    return exposure.variant if experiment.variants else TREATED
