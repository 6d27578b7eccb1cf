from __future__ import annotations

import base64
from typing import Any

import pytest

from foreword.contracts.page_requests import read_page_request
from foreword.domain.preference_links import LinkPurpose
from foreword.domain.preference_page import Form


def event(method: str = "POST", body: str = "", page: str = "p", **more: Any) -> dict[str, Any]:
    route = {"routeKey": f"{method} /{page}/{{token}}", "pathParameters": {"token": "abc"}}
    return {**route, "requestContext": {"http": {"method": method}}, "headers": {}, "body": body, **more}


@pytest.mark.parametrize(
    ("method", "writes", "is_head"), [("GET", False, False), ("HEAD", False, True), ("POST", True, False)]
)
def test_only_a_post_writes(method: str, writes: bool, is_head: bool) -> None:
    request = read_page_request(event(method, page="u", rawPath="/choices/u/abc"))
    assert (request.purpose, request.token) == (LinkPurpose.UNSUBSCRIBE, "abc")
    assert (request.writes, request.is_head) == (writes, is_head)


def test_a_form_is_read_plain_or_in_base64() -> None:
    body = "action=save&version=3&shown=care%2Femail%2Fon&shown=care%2Fsms%2Foff&on=care%2Fsms"
    body += "&limit=1%2F7d&preferred=sms"
    expected = Form(
        "save",
        3,
        {("care", "email"): True, ("care", "sms"): False},
        frozenset({("care", "sms")}),
        "1/7d",
        "sms",
    )
    assert read_page_request(event(body=body)).form == expected
    encoded = base64.b64encode(body.encode()).decode()
    assert read_page_request(event(body=encoded, isBase64Encoded=True)).form == expected


@pytest.mark.parametrize(
    "body",
    [
        "",
        "on=care&shown=care/email",
        "version=-1&on=a/b/c",
        "version=9999999999999999999",
        "%ff%fe=%00",
        "&".join("on" for _ in range(3_000)),
        '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--',
    ],
)
def test_what_is_no_form_of_ours_is_an_empty_one(body: str) -> None:
    assert read_page_request(event(body=body)).form == Form()


def test_what_is_no_base64_is_an_empty_form() -> None:
    assert read_page_request(event(body="é", isBase64Encoded=True)).form == Form()
    assert read_page_request(event(body="//79", isBase64Encoded=True)).form == Form()


def test_a_form_that_is_only_looked_at_is_not_read() -> None:
    assert read_page_request(event("GET", "action=stop")).form == Form()


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        ("de-CH, fr;q=0.5, en;q=0.9, *;q=0.1", ("de-CH", "en", "fr")),
        ("de;q=0, en;q=x, it;q=1.1.1, <script>", ()),
        ("", ()),
        ("en," * 1_000, ("en",) * 10),
    ],
)
def test_languages_are_taken_in_the_order_in_which_they_are_wanted(
    header: str, languages: tuple[str, ...]
) -> None:
    read = read_page_request(event("GET", headers={"accept-language": header}))
    assert read.languages == languages
