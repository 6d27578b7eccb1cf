"""Requests to the local cloud's API: the payload a function is handed, and what it makes of its answers."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from foreword.local.deploy.stack import Route, Stack
from foreword.local.records import Invocation
from foreword.local.sources.http import HttpApi, HttpResponse

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOST = "0123456789.execute-api.eu-central-1.amazonaws.com"


class Api:
    def __init__(self, result: Any = None, error: Mapping[str, Any] | None = None) -> None:
        self.events: list[Mapping[str, Any]] = []
        self.result, self.error = result, error
        routes = [Route(method, "/p/{token}", "arn:function") for method in ("GET", "POST")]
        stack = Stack(apis={f"https://{HOST}": "0123456789"}, routes=routes)
        self.api = HttpApi(stack, self._invoke)

    def _invoke(self, arn: str, event: Mapping[str, Any]) -> Invocation:
        self.events.append(event)
        return Invocation(NOW, "preferences", event, self.result, self.error, "", ())

    def ask(self, method: str, url: str, body: str = "", **headers: str) -> HttpResponse:
        return self.api.request(method, url, headers, body, NOW)


def test_a_function_is_handed_the_payload_of_format_2() -> None:
    api = Api({"statusCode": 200, "headers": {"Content-Type": "text/html"}, "body": "hello"})
    answer = api.ask("POST", f"https://{HOST}/p/abc?x=1&y=", "a=b", Accept="*/*")
    assert answer == HttpResponse(200, {"content-type": "text/html"}, "hello")
    (event,) = api.events
    assert (event["version"], event["routeKey"], event["rawPath"]) == ("2.0", "POST /p/{token}", "/p/abc")
    assert event["pathParameters"] == {"token": "abc"}
    assert (event["rawQueryString"], event["queryStringParameters"]) == ("x=1&y=", {"x": "1", "y": ""})
    assert event["headers"] == {"host": HOST, "accept": "*/*"}
    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b"a=b", True)
    assert event["requestContext"]["http"]["method"] == "POST"


def test_a_request_with_nothing_in_it_has_neither_query_nor_body() -> None:
    api = Api({"statusCode": 204})
    assert api.ask("GET", "/p/abc") == HttpResponse(204)
    assert not api.events[0].keys() & {"queryStringParameters", "body"}


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/p/abc"), ("GET", "/p/a/b"), ("GET", "/p/"), ("GET", "/")]
)
def test_what_has_no_route_is_not_found_and_calls_nothing(method: str, path: str) -> None:
    api = Api()
    assert api.ask(method, path).status == 404
    assert not api.events


@pytest.mark.parametrize("result", [None, "hello", {"body": "hello"}])
def test_what_is_no_answer_is_an_error_of_the_gateway(result: Any) -> None:
    assert Api(result).ask("GET", "/p/abc").status == 500
    assert Api({"statusCode": 200}, {"errorType": "Boom"}).ask("GET", "/p/abc").status == 500


def test_a_body_may_come_in_base64() -> None:
    api = Api({"statusCode": 200, "body": base64.b64encode(b"hello").decode(), "isBase64Encoded": True})
    assert api.ask("GET", "/p/abc").body == "hello"


def test_the_address_of_somebody_else_is_refused() -> None:
    with pytest.raises(ValueError, match=r"https://example\.com is not https://0123456789"):
        Api().ask("GET", "https://example.com/p/abc")
