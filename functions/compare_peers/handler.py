"""Takes the parts of a period's close from the queue, and compares each customer with its peers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from foreword import wiring
from foreword.contracts.peer_work import work_of
from foreword.settings import ComparePeersSettings

_use_case = cache(lambda: wiring.compare_peers(ComparePeersSettings.from_environment()))
_logger = cache(Logger)
_metrics = cache(Metrics)


def handle(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """A batch of the queue; gives the messages that have to come again."""
    failed: list[dict[str, str]] = []
    for record in event["Records"]:
        try:
            worked = _use_case()(work_of(record["body"]))
        except Exception:  # noqa: BLE001 - one part's trouble, a store that fails included, must not hold its neighbours up
            _logger().exception("not compared", extra={"work": record["body"]})
            failed.append({"itemIdentifier": record["messageId"]})
            continue
        counts = {
            "PeersCompared": worked.compared,
            "PeersChanged": worked.changed,
            "PeriodsClosed": worked.closed,
        }
        for name, count in counts.items():
            _metrics().add_metric(name=name, unit=MetricUnit.Count, value=count)
    _metrics().flush_metrics()
    return {"batchItemFailures": failed}
