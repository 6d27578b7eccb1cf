"""The rulebook this repository ships with: its own tests, its messages in both languages, its schemas."""

from __future__ import annotations

from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from foreword.adapters.liquid_templates import LiquidRenderer
from foreword.authoring.check import Report, check
from foreword.authoring.rulebook import load_rulebook
from foreword.authoring.schemas import read_schemas
from foreword.authoring.templates import read_templates
from foreword.domain.content import EmailContent, SmsContent
from foreword.domain.messages import Message
from foreword.domain.profiles import Attribute, Profile
from foreword.domain.rulebook import Channel, Mode, Purpose
from foreword.domain.sms_length import sms_length

ROOT = Path(__file__).parents[2]
MESSAGES = ROOT / "functions" / "deliver_message" / "messages"
SCHEMAS = ROOT / "events" / "schemas"
OWN_LINKS = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"
"""As long as the host of a stage that has no domain of its own."""

SIGNALS: dict[str, dict[str, Any]] = {
    "repeated-support-contacts": {"contacts": 3},
    "frequent-returns": {"returned_share": Decimal(4) / Decimal(7)},
    "portfolio-drop": {"change": Decimal("-0.1234"), "against_peers": Decimal("-0.0649")},
    "diagnosis-follow-up": {"no_appointment": True},
    "same-product-contacts": {"contacts": 3},
    "spend-drop": {"spend": Decimal("30.00"), "against_usual": Decimal("-0.4")},
    "late-delivery": {"not_delivered": True},
    "retirement-ahead": {"retirement": True},
    "first-failed-payment": {"first_failure": True},
    "payment-failures": {"failures": 3},
    "cancellation-intent": {"about_to_leave": True},
    "thank-you": {"spent": Decimal("320.50")},
    "care-tips": {"delivered": True},
    "unfinished-order": {"no_order": True},
    "confirm-your-choice": {
        "topics": "Advice and offers",
        "confirm_url": f"https://{OWN_LINKS}/c/" + "x" * 62,
    },
}
SIGNALS_BY_TEXT = {"confirm-text-messages": SIGNALS["confirm-your-choice"]}
CASES = {"same-product-contacts": "car insurance", "late-delivery": "order-7781"}
LIVE = {
    "repeated-support-contacts",
    "frequent-returns",
    "portfolio-drop",
    "diagnosis-follow-up",
    "confirm-your-choice",
    "thank-you",
    "care-tips",
    "unfinished-order",
}
TEMPLATES = read_templates(MESSAGES)
VOID = {"meta", "br"}


@pytest.fixture(scope="module")
def report() -> Report:
    rulebook = ROOT / "functions" / "evaluate_triggers"
    mappings = ROOT / "events" / "mappings"
    return check(rulebook, MESSAGES, SCHEMAS, mappings=mappings, renderer=LiquidRenderer)


def test_nothing_is_wrong_or_doubtful(report: Report) -> None:
    assert [str(problem) for problem in (*report.problems, *report.warnings)] == []
    assert set(report.rules) == set(SIGNALS)


def test_every_rule_test_passes(report: Report) -> None:
    assert [(test.rule, test.test, test.difference) for test in report.tests if not test.passed] == []
    assert len(report.tests) >= 4 * len(SIGNALS)


def test_five_rules_are_live_and_the_others_wait_to_be_switched_on() -> None:
    modes = {
        authored.rule.rule: authored.rule.mode
        for authored in load_rulebook(ROOT / "functions" / "evaluate_triggers").rules
    }
    assert {name for name, mode in modes.items() if mode is Mode.LIVE} == LIVE
    assert {modes[name] for name in modes.keys() - LIVE} == {Mode.DRAFT}


def test_every_event_of_the_rule_tests_has_a_schema_that_says_what_it_is() -> None:
    schemas = read_schemas(SCHEMAS)
    assert {"CustomerUpdated", "PreferenceChanged", "SupportContactOpened"} <= schemas.keys()
    for name, schema in schemas.items():
        assert schema["title"] == name
        assert schema["description"]
        assert all(field["description"] for field in schema["properties"].values())


def rendered(
    message: str, channel: Channel, locale: str, name: str | None = None
) -> EmailContent | SmsContent:
    attributes = {"locale": locale, **({"name": name} if name else {})}
    profile = Profile("c-1", {key: Attribute(value, (0, 0, "")) for key, value in attributes.items()})
    decided = Message(
        customer_id="c-1",
        message_id="m",
        rule=message,
        case=CASES.get(message),
        episode="e",
        message=message,
        purpose=Purpose.SERVICE,
        topic="t",
        priority=50,
        channels=(channel,),
        decided_for=0,
        decided_at=0,
        deliver_by=0,
        generation="g",
        signals=(SIGNALS | SIGNALS_BY_TEXT)[message],
    )
    return LiquidRenderer(TEMPLATES, (OWN_LINKS,)).render(decided, channel, profile, None)


class Balanced(HTMLParser):
    """Open elements must close in order; collects what would be fetched from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value or "" for key, value in attrs if key in ("src", "href", "background")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("message", SIGNALS)
@pytest.mark.parametrize("locale", ["en", "de-AT"])
def test_mails_are_whole_in_both_languages(message: str, locale: str) -> None:
    mail = rendered(message, Channel.EMAIL, locale, name="Ada <Byron> & Co")
    assert isinstance(mail, EmailContent)
    page = Balanced()
    page.feed(mail.html)
    page.close()
    assert page.open == []
    assert page.fetched == [url for name, url in SIGNALS[message].items() if name == "confirm_url"]
    assert "Ada &lt;Byron&gt; &amp; Co" in mail.html
    assert "Ada <Byron> & Co," in mail.text
    assert ("Guten Tag" in mail.text) is (locale == "de-AT")
    assert f'<html lang="{locale[:2]}">' in mail.html
    assert "prefers-color-scheme: dark" in mail.html
    assert "viewport" in mail.html


@pytest.mark.parametrize("message", [name for name, files in TEMPLATES.items() if "sms.txt" in files])
@pytest.mark.parametrize("locale", ["en", "de-AT"])
def test_a_text_message_fits_into_one_part(message: str, locale: str) -> None:
    content = rendered(message, Channel.SMS, locale)
    assert isinstance(content, SmsContent)
    length = sms_length(content.text)
    assert (length.encoding, length.segments) == ("GSM-7", 1)


def test_signals_are_shown_as_people_read_them() -> None:
    shown = {
        "frequent-returns": "57 %",
        "portfolio-drop": "12 %",
        "repeated-support-contacts": " 3 ",
        "same-product-contacts": "car insurance",
        "late-delivery": "order-7781",
        "payment-failures": " 3 ",
    }
    for message, part in shown.items():
        for locale in ("en", "de"):
            mail = rendered(message, Channel.EMAIL, locale)
            assert isinstance(mail, EmailContent)
            assert part in mail.text
            assert part in mail.html
