from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from foreword.adapters.liquid_templates import LiquidRenderer
from foreword.domain.content import EmailContent, SmsContent
from foreword.domain.errors import InvalidTemplate
from foreword.domain.rulebook import Channel
from tests.fakes.samples import a_message, a_profile


def sms(template: str, signals: dict[str, Any] | None = None, case: str | None = None, **profile: Any) -> str:
    renderer = LiquidRenderer({"we-are-sorry": {"sms.txt": template}})
    message = a_message(signals=signals or {}, case=case)
    content = renderer.render(message, Channel.SMS, a_profile(**profile), None)
    assert isinstance(content, SmsContent)
    return content.text


def email(files: dict[str, str], **profile: Any) -> EmailContent:
    content = LiquidRenderer({"we-are-sorry": files}).render(
        a_message(), Channel.EMAIL, a_profile(**profile), None
    )
    assert isinstance(content, EmailContent)
    return content


FILES = {"subject.txt": "Hi", "email.txt": "{{ profile.name }}", "email.html": "<p>{{ profile.name }}</p>"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (3, "3"),
        (Decimal("3"), "3"),
        (Decimal("3.00"), "3"),
        (Decimal("3E+2"), "300"),
        (Decimal("-0.25"), "-0.25"),
        (Decimal("12.10"), "12.10"),
        (Decimal("0.0000001"), "0.0000001"),
        (Decimal("0.6666666666666666666666666667"), "0.6666666666666666666666666667"),
        (Decimal("1E+999999"), "1E+999999"),
        (True, "true"),
    ],
)
def test_a_number_is_shown_plainly(value: Any, shown: str) -> None:
    assert sms("{{ it }}", {"it": value}) == shown


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{{ ratio | times: 100 | round }} %", "67 %"),
        ("{{ ratio | times: 100 | round: 1 }} %", "66.7 %"),
        ("{{ change | times: -100 | ceil }} %", "13 %"),
        ("{{ change | abs | times: 100 | floor }}", "12"),
        ("{{ count | plus: 1 }}", "4"),
        ("{{ count | divided_by: 2 }}", "1"),
        ("{% if count >= 3 and ratio > 0.5 %}many{% endif %}", "many"),
        ("{% if change < 0 %}down{% else %}up{% endif %}", "down"),
    ],
)
def test_filters_and_comparisons_calculate(template: str, shown: str) -> None:
    signals = {"ratio": Decimal(2) / Decimal(3), "change": Decimal("-0.1234"), "count": 3}
    assert sms(template, signals) == shown


def test_templates_see_profile_case_and_rule_but_no_address() -> None:
    text = sms(
        "{{ profile.name }} {{ profile.tags[0] }} {{ case }} {{ rule }}",
        None,
        "order-7",
        name="Ada",
        tags=["x"],
    )
    assert text == "Ada x order-7 repeated-contacts"
    for address in ("email", "phone"):
        with pytest.raises(InvalidTemplate):
            sms(f"{{{{ profile.{address} }}}}")


@pytest.mark.parametrize(
    "template",
    ["{{ contact }}", "Hi {{ profile.name }}", "{{ profile.a.b }}", "{% for x in nobody %}{% endfor %}x"],
)
def test_a_missing_variable_is_an_error_that_tells_no_value(template: str) -> None:
    with pytest.raises(InvalidTemplate, match=r"we-are-sorry/sms.txt: UndefinedError"):
        sms(template)


def test_a_template_may_ask_whether_a_variable_is_there() -> None:
    template = 'Hi{% if profile.name %} {{ profile.name }}{% endif %}, {{ profile.nick | default: "you" }}'
    assert sms(template) == "Hi, you"
    assert sms(template, name="Ada", nick="A") == "Hi Ada, A"


@pytest.mark.parametrize(
    "template",
    [
        "{{ it | nosuchfilter }}",
        "{% nosuchtag %}",
        "{{ it ",
        '{% include "x" %}',
        '{% render "/etc/hosts" %}',
        "{% for i in (1..100000000) %}x{% endfor %}",
        "{{ it | divided_by: 0 }}",
    ],
)
def test_what_cannot_be_rendered_is_an_invalid_template(template: str) -> None:
    with pytest.raises(InvalidTemplate):
        sms(template, {"it": 1})


@pytest.mark.parametrize("template", ["", "  \n ", "{% if false %}x{% endif %}", "\x00\x1b"])
def test_nothing_is_never_sent(template: str) -> None:
    with pytest.raises(InvalidTemplate, match="renders to nothing"):
        sms(template)
    for name in FILES:
        with pytest.raises(InvalidTemplate, match="renders to nothing"):
            email(FILES | {name: template}, name="Ada")


HOSTILE = '<script>alert(1)</script> & "{{ rule }}" {% raw %}'


def test_values_are_escaped_in_html_and_are_never_templates() -> None:
    content = email(FILES, name=HOSTILE)
    assert content.text == HOSTILE + "\n"
    assert content.html == (
        "<p>&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;{{ rule }}&#34; {% raw %}</p>\n"
    )


def test_a_subject_is_one_line() -> None:
    files = FILES | {"subject.txt": "\n  Hi {{ profile.name }}\n\n"}
    assert email(files, name="Ada\r\nBcc: eve@evil.example").subject == "Hi Ada Bcc: eve@evil. example"


def test_the_nearest_locale_is_taken_file_by_file() -> None:
    files = FILES | {
        "subject.txt.de": "Hallo",
        "subject.txt.de-AT": "Servus",
        "email.html.de": "<p>Guten Tag",
    }
    got = {
        locale: (
            email(files, name="Ada", locale=locale).subject,
            email(files, name="Ada", locale=locale).text,
        )
        for locale in ("de-AT", "de_at", "de-CH-1996", "de", "en-GB", "", "../de")
    }
    assert got == {
        "de-AT": ("Servus", "Guten Tag\n"),
        "de_at": ("Servus", "Guten Tag\n"),
        "de-CH-1996": ("Hallo", "Guten Tag\n"),
        "de": ("Hallo", "Guten Tag\n"),
        "en-GB": ("Hi", "Ada\n"),
        "": ("Hi", "Ada\n"),
        "../de": ("Hi", "Ada\n"),
    }
    assert email(files, name="Ada", locale=7).subject == "Hi"


def test_no_more_of_a_locale_is_looked_at_than_a_locale_needs() -> None:
    long = "de-" + "x" * 32
    deep = {"subject.txt.a-b-c-d": "four", "subject.txt.a-b-c-d-e": "five"}
    files = FILES | deep | {f"subject.txt.{long}": "35", f"subject.txt.{long}y": "36"}
    assert email(files, name="Ada", locale="a-b-c-d-e").subject == "four"
    assert email(files, name="Ada", locale=long + "y").subject == "35"
    assert email(files, name="Ada", locale="a_b_c_d_" + "e-" * 30_000).subject == "four"


def test_a_subject_holds_no_encoded_word() -> None:
    files = FILES | {"subject.txt": "{{ profile.name }}, hello"}
    name = "=?utf-8?q?=0D=0AReply-To:_eve@evil.example?="
    assert email(files, name=name).subject == "= ?utf-8?q?=0D=0AReply-To:_eve@evil. example?=, hello"


def test_a_message_without_the_template_is_invalid() -> None:
    with pytest.raises(InvalidTemplate, match=r"we-are-sorry/sms.txt: there is no such template"):
        LiquidRenderer({}).render(a_message(), Channel.SMS, a_profile(), None)
