"""Requests to the stack's HTTP API: the payload (format 2.0) that a function is handed, and its answer read back.

Nothing listens anywhere: whoever asks calls `request`. Throttling and access logs are not there.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from foreword.local.account import ACCOUNT
from foreword.local.deploy.stack import Route, Stack
from foreword.local.sources.source import Invoke


@dataclass(frozen=True)
class HttpResponse:
    """`headers` by lower-case name."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


class HttpApi:
    def __init__(self, stack: Stack, invoke: Invoke) -> None:
        self._stack = stack
        self._invoke = invoke
        self._count = 0

    def request(
        self, method: str, url: str, headers: Mapping[str, str], body: str | bytes, now: datetime
    ) -> HttpResponse:
        """`url` may be a path alone. Raises ValueError for the address of somebody else."""
        parts = urlsplit(url)
        endpoint = f"{parts.scheme}://{parts.netloc}"
        known = next(iter(self._stack.apis), "")
        if parts.netloc and endpoint != known:
            raise ValueError(f"{endpoint} is not {known or 'there: the template has no HTTP API'}")
        for route in self._stack.routes:
            values = _matched(route.path, parts.path) if route.method == method else None
            if values is not None:
                self._count += 1
                event = self._event(route, values, parts.path, parts.query, headers, body, now, known)
                invocation = self._invoke(route.function_arn, event)
                if invocation.error is not None:
                    return HttpResponse(500, {}, '{"message":"Internal Server Error"}')
                return _response(invocation.result)
        return HttpResponse(404, {}, '{"message":"Not Found"}')

    def _event(
        self,
        route: Route,
        values: Mapping[str, str],
        path: str,
        query: str,
        headers: Mapping[str, str],
        body: str | bytes,
        now: datetime,
        endpoint: str,
    ) -> dict[str, Any]:
        host = endpoint.removeprefix("https://")
        named = {"host": host} | {name.lower(): value for name, value in headers.items()}
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": route.key,
            "rawPath": path,
            "rawQueryString": query,
            "headers": named,
            "pathParameters": dict(values),
            "requestContext": {
                "accountId": ACCOUNT,
                "apiId": self._stack.apis[endpoint],
                "domainName": host,
                "domainPrefix": host.partition(".")[0],
                "http": {
                    "method": route.method,
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1",
                    "userAgent": named.get("user-agent", ""),
                },
                "requestId": f"request-{self._count:04d}",
                "routeKey": route.key,
                "stage": "$default",
                "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
                "timeEpoch": int(now.timestamp() * 1000),
            },
            "isBase64Encoded": False,
        }
        if query:
            event["queryStringParameters"] = dict(parse_qsl(query, keep_blank_values=True))
        if body:
            # A form comes in base64, as does whatever API Gateway does not take for text.
            raw = body.encode() if isinstance(body, str) else body
            event |= {"body": base64.b64encode(raw).decode(), "isBase64Encoded": True}
        return event


def _matched(route: str, path: str) -> Mapping[str, str] | None:
    parts = re.split(r"\{(\w+)\}", route)
    names = parts[1::2]
    pattern = "([^/]+)".join(re.escape(part) for part in parts[::2])
    match = re.fullmatch(pattern, path)
    return None if match is None else dict(zip(names, match.groups(), strict=True))


def _response(result: Any) -> HttpResponse:
    """As API Gateway reads an answer that says its own status."""
    if not isinstance(result, dict) or not isinstance(result.get("statusCode"), int):
        return HttpResponse(500, {}, '{"message":"Internal Server Error"}')
    body = result.get("body", "")
    text = base64.b64decode(body).decode() if result.get("isBase64Encoded") else body
    headers = {name.lower(): str(value) for name, value in result.get("headers", {}).items()}
    return HttpResponse(result["statusCode"], headers, text)
