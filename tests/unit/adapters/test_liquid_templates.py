from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from foreword.adapters.liquid_templates import LiquidRenderer, Rendered
from foreword.domain.content import EmailContent, MessageLinks, SmsContent
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


# ---- whose files, and what they share

LAYOUT = (
    "<title>{{ subject }}</title>{% if preheader %}<i>{{ preheader }}</i>{% endif %}"
    "<main>{% block content %}{% endblock %}</main>"
    '{% if preferences_url %}<a href="{{ preferences_url }}">choices</a>{% endif %}'
)
FRAMED = {
    "subject.txt": "Hi {{ profile.name }}",
    "email.html": '{% extends "mail.html" %}{% block content %}<p>{{ profile.name }}</p>{% endblock %}',
}
LINKS = MessageLinks("https://x.example/u?t=1&m=2", "https://x.example/p?t=1&m=2")


def whole(
    files: dict[str, str],
    links: MessageLinks | None = None,
    layouts: dict[str, str] | None = None,
    hosts: tuple[str, ...] = (),
    variant: str | None = None,
    **profile: Any,
) -> Rendered:
    renderer = LiquidRenderer({"we-are-sorry": files, "_layouts": layouts or {"mail.html": LAYOUT}}, hosts)
    return renderer.rendered(a_message(variant=variant), Channel.EMAIL, a_profile(**profile), links)


def html(rendered: Rendered) -> str:
    assert isinstance(rendered.content, EmailContent)
    return rendered.content.html


def test_html_fills_in_the_blocks_of_a_layout() -> None:
    rendered = whole(FRAMED, name="<Ada>")
    assert html(rendered) == "<title>Hi &lt;Ada&gt;</title><main><p>&lt;Ada&gt;</p></main>\n"


def test_a_layout_is_in_the_language_of_the_template_that_uses_it() -> None:
    layouts = {
        "mail.html": "en {% block content %}{% endblock %}",
        "mail.html.de": "de {% block content %}{% endblock %}",
    }
    files = FRAMED | {"email.html.de-AT": FRAMED["email.html"]}
    got = {
        locale: html(whole(files, layouts=layouts, name="A", locale=locale))[:2]
        for locale in ("de-AT", "de", "en")
    }
    assert got == {"de-AT": "de", "de": "en", "en": "en"}


def test_a_preheader_is_escaped_and_optional() -> None:
    files = FRAMED | {"preheader.txt": "{{ profile.name }}\n again"}
    rendered = whole(files, name="<b>")
    assert "<i>&lt;b&gt; again</i>" in html(rendered)
    assert rendered.preheader == "<b> again"
    assert rendered.files["preheader.txt"] == "preheader.txt"


def test_segment_and_variant_have_files_of_their_own_and_share_the_others() -> None:
    files = FRAMED | {"segments/vip/subject.txt": "Dear", "variants/calm/email.html": "<p>calm</p>"}
    rendered = whole(files, variant="calm", name="Ada", segment="vip")
    assert rendered.files == {
        "subject.txt": "segments/vip/subject.txt",
        "email.html": "variants/calm/email.html",
        "email.txt": "variants/calm/email.html",
    }
    assert isinstance(rendered.content, EmailContent)
    assert (rendered.content.subject, rendered.content.text) == ("Dear", "calm\n")


def test_a_written_text_goes_with_its_own_html_alone() -> None:
    files = FRAMED | {
        "email.txt": "written",
        "email.html.de": "<p>deutsch</p>",
        "segments/vip/email.html": "<p>vip</p>",
    }
    rendered = (
        whole(files, name="Ada"),
        whole(files, name="Ada", locale="de"),
        whole(files, name="Ada", segment="vip"),
    )
    assert [one.content.text for one in rendered] == ["written\n", "deutsch\n", "vip\n"]


@pytest.mark.parametrize("name", ["mail.htm", "../mail.html", "/etc/hosts"])
def test_a_layout_that_is_not_there_is_an_invalid_template(name: str) -> None:
    with pytest.raises(InvalidTemplate, match=r"we-are-sorry/email.html: TemplateNotFoundError"):
        whole(FRAMED | {"email.html": f'{{% extends "{name}" %}}'}, name="Ada")


# ---- links


def test_the_customer_s_own_links_are_there_where_there_are_any() -> None:
    rendered = whole(FRAMED, LINKS, name="Ada")
    assert 'href="https://x.example/p?t=1&amp;m=2"' in html(rendered)
    assert isinstance(rendered.content, EmailContent)
    assert rendered.content.text == "Ada\n\nchoices (https://x.example/p?t=1&m=2)\n"
    assert "choices" not in html(whole(FRAMED, name="Ada"))
    with pytest.raises(InvalidTemplate, match="UndefinedError"):
        whole(FRAMED | {"email.html": "{{ unsubscribe_url }}"}, name="Ada")


@pytest.mark.parametrize(
    "name",
    [
        "https://evil.example/",
        "Ada http://shop.example.com/",
        "www.evil.example is not taken apart: xhttps://shop.example.com.evil.example",
        "https://x.example/p?t=1&m=3",
    ],
)
@pytest.mark.parametrize("part", ["subject.txt", "email.txt", "email.html", "preheader.txt"])
def test_no_value_brings_a_link_into_any_part(name: str, part: str) -> None:
    plain = {"subject.txt": "Hi", "email.html": "<p>Hi</p>", "email.txt": "Hi"}
    with pytest.raises(InvalidTemplate, match=f"we-are-sorry/{part}: holds a link"):
        whole(plain | {part: "{{ profile.name }}"}, LINKS, hosts=("shop.example.com",), name=name)


def test_a_value_may_hold_a_link_to_a_host_of_the_policy() -> None:
    files = FRAMED | {"email.html": '<a href="{{ profile.page }}">{{ profile.page }}</a>'}
    page = "https://shop.example.com/orders/7.html"
    assert (
        html(whole(files, hosts=("shop.example.com",), name="Ada", page=page))
        == f'<a href="{page}">{page}</a>\n'
    )


@pytest.mark.parametrize(
    "href", ["{{ profile.name }}", "mailto:{{ profile.name }}", "tel:{{ profile.name }}"]
)
@pytest.mark.parametrize(
    "name", ["javascript:alert(1)", "mailto:eve@evil.example", "tel:+1", "/x", "x", "data:,x"]
)
def test_no_value_decides_where_a_link_leads(href: str, name: str) -> None:
    files = FRAMED | {"email.html": f'<a href="{href}">x</a>'}
    with pytest.raises(InvalidTemplate, match="holds a link"):
        whole(files, name=name)


def test_addresses_that_an_author_wrote_stay() -> None:
    body = '<a href="mailto:care@own.example">care@own.example</a> <a href="tel:+491">call</a>'
    assert html(whole(FRAMED | {"email.html": body}, name="Ada")) == f"{body}\n"


# ---- what turns, hides or breaks text


def test_no_value_turns_the_text_around_it_and_letters_from_right_to_left_stay() -> None:
    name = "\u202eevil\u202c \u2066שלום\u2069 مرحبا\x00"
    assert sms("{{ profile.name }}!", name=name) == "evil שלום مرحبا!"
    assert sms("\u2068{{ profile.name }}\u2069", name="שלום") == "\u2068שלום\u2069"


def test_a_value_is_compared_as_it_is() -> None:
    assert (
        sms('{% if profile.plan contains "pro." %}max{% endif %} {{ profile.plan }}', plan="pro.max")
        == "max pro. max"
    )


@pytest.mark.parametrize("filter_", ["safe", "safe | upcase"])
def test_there_is_no_way_around_escaping(filter_: str) -> None:
    with pytest.raises(InvalidTemplate):
        whole(FRAMED | {"email.html": f"{{{{ profile.name | {filter_} }}}}"}, name="<b>")
