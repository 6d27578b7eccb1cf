"""The tick of every minute: closes periods that are over, wakes customers, releases deferred messages, gives up on
claims without evidence, and once a day looks at the providers' own suppression lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from foreword import wiring
from foreword.settings import ReleaseDueSettings

_use_case = cache(lambda: wiring.release_due(ReleaseDueSettings.from_environment()))
_close_periods = cache(lambda: wiring.close_periods(ReleaseDueSettings.from_environment()))
_reach_customers = cache(lambda: wiring.reach_customers(ReleaseDueSettings.from_environment()))
_reconcile = cache(lambda: wiring.reconcile_suppressions(ReleaseDueSettings.from_environment()))
_logger = cache(Logger)
_metrics = cache(Metrics)


def handle(_event: Mapping[str, Any], _context: object) -> dict[str, int]:
    """Gives the counts; a failure of one item is counted and tried again by the next tick."""
    closing = _close_periods()()
    done = _use_case()()
    reached = _reach_customers()()
    reconciled = _reconcile()()
    counts = {
        "CustomersWoken": done.woken,
        "MessagesReleased": done.released,
        "MessagesNudged": done.nudged,
        "DueShardsLeft": done.shards_left,
        "UnknownOutcome": done.unknown,
        "CustomersReached": reached,
        "ClosesBegun": closing.begun,
        "ClosesHandedOutAgain": closing.handed_out_again,
        "ClosesWithdrawn": closing.withdrawn,
        "CustomersSuppressed": reconciled.customers,
        "ReleaseFailed": len(closing.failed) + len(done.failed) + len(reconciled.failed),
    }
    for name, count in counts.items():
        _metrics().add_metric(name=name, unit=MetricUnit.Count, value=count)
    for error in (*closing.failed, *done.failed, *reconciled.failed):
        _logger().error("not released", extra={"error": error})
    _metrics().flush_metrics()
    return counts
