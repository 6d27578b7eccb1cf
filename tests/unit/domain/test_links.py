from __future__ import annotations

import pytest

from foreword.domain.links import (
    foreign_links,
    in_html,
    in_text,
    is_allowed,
    unlinked_html,
    unlinked_text,
    written_in,
)

HOSTS = frozenset(("shop.example.com",))


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example.com",
        "https://shop.example.com/",
        "https://SHOP.example.com/orders?id=7#top",
        "https://shop.example.com:443/x",
    ],
)
def test_https_to_a_host_of_the_policy_is_allowed(url: str) -> None:
    assert is_allowed(url, HOSTS)


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example.com/",
        "//shop.example.com/",
        "https://shop.example.com.evil.example/",
        "https://evil.example/https://shop.example.com/",
        "https://shop.example.com@evil.example/",
        "https://evil.example\\@shop.example.com/",
        "https://shop.example.com\\.evil.example/",
        "https://shop.example.com:8443/",
        "https://x.shop.example.com/",
        "https:shop.example.com",
        "https:///shop.example.com",
        "https://shop.example.com\u3002evil.example/",
        "javascript:alert(1)//https://shop.example.com/",
        "data:text/html,x",
        "/orders",
        "",
    ],
)
def test_anything_else_is_not(url: str) -> None:
    assert not is_allowed(url, HOSTS)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("See https://evil.example/x, or not.", ["https://evil.example/x"]),
        ("(www.evil.example)", ["www.evil.example"]),
        ("HTTP://evil.example ftp://evil.example", ["HTTP://evil.example", "ftp://evil.example"]),
        ("z.B. 12.50 and/or a@b.example", []),
    ],
)
def test_urls_that_are_written_out_are_found(text: str, found: list[str]) -> None:
    assert [one.url for one in in_text(text)] == found


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://evil.example/">x</a>',
        "<img src=//evil.example/x.png>",
        '<img srcset="https://shop.example.com/a 1x, https://evil.example/b 2x">',
        '<a href=" javascript:alert(1)">x</a>',
        '<a href="&#104;ttps://evil.example/">x</a>',
        "<style>p { background: url(https://evil.example/x) }</style>",
        "<p style='background: url(\"//evil.example/x\")'>x</p>",
        '<meta http-equiv="refresh" content="0; url=https://evil.example/">',
        "<p>go to https://evil.example/</p>",
        '<form action="https://evil.example/"></form>',
    ],
)
def test_a_link_of_html_is_found_wherever_it_stands(html: str) -> None:
    assert foreign_links(in_html(html), HOSTS, frozenset())


def test_what_is_the_page_s_own_or_allowed_by_name_is_no_foreign_link() -> None:
    html = (
        '<a href="#top">x</a><a href="https://a.example/?a=1&amp;b=2">y</a><html xmlns="http://www.w3.org/x">'
    )
    assert foreign_links(in_html(html), HOSTS, frozenset(("https://a.example/?a=1&b=2",))) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello evil.com", "Hello evil. com"),
        ("J.Smith", "J. Smith"),
        ("a@evil.example", "a@evil. example"),
        ("evil。com", "evil。 com"),
        (
            "own.example is ours, own.example.evil.com is not",
            "own.example is ours, own. example. evil. com is not",
        ),
        ("12.50 z.B. 1.5kg https://evil.com/x.y", "12.50 z.B. 1.5kg https://evil.com/x.y"),
    ],
)
def test_a_bare_host_name_is_no_link_unless_it_is_the_author_s(text: str, expected: str) -> None:
    assert unlinked_text(text, written_in("Visit own.example today")) == expected


def test_only_the_text_of_html_is_taken_apart() -> None:
    html = '<title>evil.com</title><style>a.bc {}</style><a href="https://x.example/a.b">evil.com</a><!-- e.vil -->'
    assert unlinked_html(html, written_in("")) == html.replace(">evil.com</a>", ">evil. com</a>")


def test_no_text_takes_long() -> None:
    for long in ("a" * 200_000, "a." * 100_000, "https://" * 30_000, "www." * 50_000, "a-" * 100_000):
        list(in_text(unlinked_text(long, written_in(long[:9]))))
