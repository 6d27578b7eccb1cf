"""The customer's own page, unsubscribing with one click and confirming an opt-in, behind API Gateway."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from foreword import wiring
from foreword.contracts.page_requests import read_page_request
from foreword.settings import PreferencesSettings

_site = cache(lambda: wiring.preferences(PreferencesSettings.from_environment()))
_logger = cache(Logger)


def handle(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """One request, answered whatever happens: a person waits for it. Nothing is logged that names a customer."""
    request = read_page_request(event)
    about = {"purpose": request.purpose, "writes": request.writes}
    try:
        answer = _site().serve(request)
    except Exception:  # noqa: BLE001 - a page that says so beats an error of the gateway's
        _logger().exception("not served", extra=about)
        return _site().failed(request)
    if answer.changed:
        with single_metric(name="PreferencesChanged", unit=MetricUnit.Count, value=1) as metric:
            metric.add_dimension(name="purpose", value=request.purpose)
    _logger().info("served", extra={**about, "changed": answer.changed, "told": answer.told})
    return _site().response(request, answer)
