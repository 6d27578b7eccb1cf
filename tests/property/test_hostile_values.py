"""Whatever customers are called, and whatever events hold: every template of the project stays as it was (I10)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreword.adapters.liquid_templates import LiquidRenderer
from foreword.adapters.mime import compose
from foreword.authoring.filled_in import SAMPLE_HOST, SAMPLE_LINKS, profile_with
from foreword.authoring.rulebook import load_rulebook
from foreword.authoring.samples import Sample, samples_of
from foreword.authoring.templates import read_templates
from foreword.domain.content import EmailContent, SmsContent
from foreword.domain.errors import InvalidTemplate
from foreword.domain.links import foreign_links, in_html, in_text
from foreword.domain.message_files import LAYOUTS
from foreword.domain.rulebook import Channel
from foreword.domain.senders import Sender
from foreword.local import project

RULEBOOK = load_rulebook(project.find().rulebook)
TEMPLATES = read_templates(project.find().messages)
RENDERER = LiquidRenderer(TEMPLATES, (*RULEBOOK.policy.link_hosts, SAMPLE_HOST))
SAMPLES = {
    sample.message.message: sample for authored in RULEBOOK.rules for sample in samples_of(authored, RULEBOOK)
}
SENDER = Sender("Care Team", "care@shop.example")
TO = "ada@customer.example"
HEADERS = {"From", "To", "Subject", "X-Foreword-Message-Id", "MIME-Version", "Content-Type"}
HEADERS |= {"List-Unsubscribe", "List-Unsubscribe-Post"}

HOSTILE = st.sampled_from(
    [
        "\r\nBcc: eve@evil.example",
        "=?utf-8?q?=0D=0ABcc:_eve@evil.example?=",
        "\n\n.\r\nQUIT",
        "<script>alert(1)</script>",
        '"><img src=https://evil.example/x onerror=alert(1)>',
        "' onmouseover='alert(1)",
        "</title></style></main><a href=//evil.example>",
        "--><!--",
        "]]>",
        "&lt;b&gt;&#60;b&#62;",
        "{{ profile.email }}{% raw %}{% include 'x' %}",
        '{% extends "mail.html" %}{% endblock %}',
        "https://evil.example/",
        "HTTPS://EVIL.EXAMPLE",
        "http:/\\evil.example",
        "//evil.example",
        "www.evil.example",
        "evil.com/x",
        "mailto:eve@evil.example",
        "javascript:alert(1)",
        "\x00\x1b[2J\x85\u2028",
        "\u202e\u2066txt.exe\u2069",
        "שלום مرحبا 🎉👩‍👩‍👧",
        "=cmd|' /C calc'!A0",
        "\ud800",
        "Ünïcödé" * 60,
    ]
)
VALUES = st.lists(st.text(max_size=12) | HOSTILE, min_size=1, max_size=5).map("".join)


class Structure(HTMLParser):
    """Every tag with its attributes, in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, Any]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))

    def handle_endtag(self, tag: str) -> None:
        self.tags.append((f"/{tag}", None))

    def handle_comment(self, data: str) -> None:
        self.tags.append(("!--", None))

    def handle_decl(self, decl: str) -> None:
        self.tags.append(("!", None))

    def unknown_decl(self, data: str) -> None:
        self.tags.append(("![", None))

    def handle_pi(self, data: str) -> None:
        self.tags.append(("?", None))


def with_value(sample: Sample, value: str, locale: str) -> Sample:
    """Of everything that is text in it, but for a link that is Foreword's own."""
    signals = {
        name: value if isinstance(given, str) and not given.startswith("https://") else given
        for name, given in sample.message.signals.items()
    }
    case = None if sample.message.case is None else value
    message = replace(sample.message, signals=signals, case=case)
    profile = profile_with(sample.profile, name=value, nick=value, locale=locale)
    return replace(sample, message=message, profile=profile)


def mail_of(sample: Sample) -> EmailContent:
    content = RENDERER.render(sample.message, Channel.EMAIL, sample.profile, SAMPLE_LINKS)
    assert isinstance(content, EmailContent)
    return content


def messages_by(part: str) -> Iterator[str]:
    return (name for name, files in TEMPLATES.items() if part in files and name != LAYOUTS)


def is_ours(found: Any) -> bool:
    own = frozenset((SAMPLE_LINKS.unsubscribe, SAMPLE_LINKS.preferences))
    return not foreign_links(found, frozenset((*RULEBOOK.policy.link_hosts, SAMPLE_HOST)), own)


def test_there_is_a_sample_of_every_message() -> None:
    assert TEMPLATES.keys() - {LAYOUTS} <= SAMPLES.keys()


@pytest.mark.parametrize("message", sorted(messages_by("email.html")))
@settings(deadline=None, max_examples=30)
@given(
    value=VALUES, segment=VALUES | st.just("business"), locale=st.sampled_from(["en", "de", "de-AT"]) | VALUES
)
def test_an_email_is_to_one_recipient_with_no_header_tag_or_link_of_the_values(
    message: str, value: str, segment: str, locale: str
) -> None:
    sample = with_value(SAMPLES[message], value, locale)
    sample = replace(sample, profile=profile_with(sample.profile, segment=segment))
    harmless = with_value(sample, "Ada", locale)
    try:
        content = mail_of(sample)
    except InvalidTemplate:
        assert "://" in value
        return
    expected = mail_of(harmless)
    assert Structure(content.html).tags == Structure(expected.html).tags
    parsed = message_from_bytes(compose("0" * 32, SENDER, TO, content, SAMPLE_LINKS), policy=default)
    assert isinstance(parsed, EmailMessage)
    assert sorted(parsed.keys()) == sorted(HEADERS)
    assert [address.addr_spec for address in parsed["To"].addresses] == [TO]
    assert [address.addr_spec for address in parsed["From"].addresses] == [SENDER.address]
    assert not parsed.defects
    text, html = (part.get_content() for part in parsed.iter_parts())
    assert Structure(html).tags == Structure(expected.html).tags
    assert is_ours(in_html(html))
    assert is_ours(in_text(text))
    assert is_ours(in_text(parsed["Subject"]))
    for turned in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\x00\x1b":
        assert turned not in text + html + parsed["Subject"]


@pytest.mark.parametrize("message", sorted(messages_by("sms.txt")))
@settings(deadline=None, max_examples=30)
@given(value=VALUES, locale=st.sampled_from(["en", "de"]) | VALUES)
def test_a_text_message_holds_no_link_of_the_values(message: str, value: str, locale: str) -> None:
    sample = with_value(SAMPLES[message], value, locale)
    try:
        content = RENDERER.render(sample.message, Channel.SMS, sample.profile, SAMPLE_LINKS)
    except InvalidTemplate:
        assert "://" in value
        return
    assert isinstance(content, SmsContent)
    assert is_ours(in_text(content.text))
    assert not set(content.text) & set("\x00\x1b\u202e\u2066")
