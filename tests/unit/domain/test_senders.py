from __future__ import annotations

import pytest

from foreword.domain.senders import Sender, parse_sender


@pytest.mark.parametrize(
    ("text", "sender"),
    [
        ("care@shop.example", Sender("", "care@shop.example")),
        ("<care@shop.example>", Sender("", "care@shop.example")),
        (" Care Team <care@shop.example> ", Sender("Care Team", "care@shop.example")),
        ("Dr. Käthe's Team<care@shop.example>", Sender("Dr. Käthe's Team", "care@shop.example")),
        ('"Acme, Inc." <care@shop.example>', Sender("Acme, Inc.", "care@shop.example")),
        ('"<eve@evil.example>" <care@shop.example>', Sender("<eve@evil.example>", "care@shop.example")),
        ("Grüße <hello@München.de>", Sender("Grüße", "hello@xn--mnchen-3ya.de")),
        ("hello@münchen.de", Sender("", "hello@xn--mnchen-3ya.de")),
    ],
)
def test_a_sender_is_one_address_with_or_without_a_name(text: str, sender: Sender) -> None:
    assert parse_sender(text) == sender


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Care Team",
        "care@",
        "Care <care@shop.example",
        "Care care@shop.example",
        "a@b.de, evil@d.de",
        "Care <a@b.de>, evil@d.de",
        "evil@d.de, Care <a@b.de>",
        "Acme, Inc. <a@b.de>",
        "Care <a@b.de> trailing",
        "Care <a@b.de> <evil@d.de>",
        "Care (a comment) <a@b.de>",
        "Group: a@b.de;",
        'half "quoted" <a@b.de>',
        '"open <a@b.de>',
        "grüße@shop.example",
        "care@shop.example\r\nBcc: eve@evil.example",
        "Care\r\nBcc: eve@evil.example <care@shop.example>",
        "Care\u2028Team <care@shop.example>",
        "Care\ud800 <care@shop.example>",
    ],
)
def test_all_else_is_no_sender(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no sender; write it as 'Name <someone@example.com>'"):
        parse_sender(text)


def test_a_name_is_plain_text() -> None:
    with pytest.raises(ValueError, match="is an encoded word"):
        parse_sender("=?utf-8?q?=0D=0ABcc=3A_eve?= <care@shop.example>")


def test_a_name_is_no_longer_than_a_line_takes() -> None:
    assert parse_sender(f"{'x' * 64} <care@shop.example>").name == "x" * 64
    with pytest.raises(ValueError, match="longer than 64 characters"):
        parse_sender(f"{'x' * 65} <care@shop.example>")
