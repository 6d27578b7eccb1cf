"""`check` and `publish`: rule tests, templates, schemas, and what is probably not meant."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from foreword.adapters.liquid_templates import LiquidRenderer
from foreword.authoring.check import Report, check
from foreword.authoring.fields import RulebookErrors
from foreword.authoring.publish import publish
from foreword.domain.errors import InvalidRulebook
from foreword.domain.rulebook import Rulebook
from tests.unit.authoring.rulebooks import RULE, write_messages, write_rulebook

SCHEMAS: dict[str, dict[str, Any]] = {
    "SupportContactOpened": {
        "type": "object",
        "properties": {"channel": {"type": "string"}, "product": {"type": "string"}},
        "required": ["channel"],
    },
    "CustomerUpdated": {"type": "object", "properties": {"segment": {"type": "string"}}},
}


def write_schemas(directory: Path) -> Path:
    directory.mkdir(exist_ok=True)
    for name, schema in SCHEMAS.items():
        (directory / f"{name}.json").write_text(json.dumps(schema), encoding="utf-8")
    return directory


def run(directory: Path, rule: str = RULE, messages: Mapping[str, str | None] | None = None) -> Report:
    return check(
        write_rulebook(directory / "rulebook", stuck=rule),
        write_messages(directory / "messages", **(messages or {})),
        write_schemas(directory / "schemas"),
    )


def words(errors: tuple[InvalidRulebook, ...], directory: Path) -> list[str]:
    return [str(error).replace(f"{directory}/", "") for error in errors]


def test_a_good_rulebook_passes_without_a_word(tmp_path: Path) -> None:
    report = run(tmp_path)
    assert (report.passed, report.problems, report.warnings, report.rules) == (True, (), (), ("stuck",))
    assert [test.test for test in report.tests] == ["three contacts", "one contact"]


def test_a_failing_test_says_what_was_expected_and_what_happened(tmp_path: Path) -> None:
    report = run(tmp_path, RULE.replace("contacts >= 3", "contacts >= 1"))
    assert not report.passed
    assert [(test.test, test.passed, test.line) for test in report.tests] == [
        ("three contacts", True, 21),
        ("one contact", False, 29),
    ]
    assert report.tests[1].difference == (
        "expected  no message",
        "happened  stuck by email at 2026-03-02T09:00:00Z with contacts = 1",
    )


def test_a_rule_that_never_rises_says_so(tmp_path: Path) -> None:
    report = run(tmp_path, RULE.replace("contacts >= 3", "contacts >= 4"))
    assert report.tests[0].difference == (
        "expected  stuck by email",
        "happened  nothing: 'when' did not become true",
    )


def test_what_was_skipped_is_compared_only_where_the_test_speaks_of_it(tmp_path: Path) -> None:
    staff = RULE.replace("customer: {segment: retail}", "customer: {segment: staff}")
    silent = staff.replace("      - {message: stuck, channel: email}\n", "").replace(
        "expect:\n  -", "expect: []\n  -"
    )
    assert all(test.passed for test in run(tmp_path, silent).tests)
    spoken = staff.replace("{message: stuck, channel: email}", "{skipped: NOT_ELIGIBLE}")
    assert all(test.passed for test in run(tmp_path, spoken).tests)
    wrong = staff.replace("{message: stuck, channel: email}", "{skipped: NOT_RE_ELIGIBLE}")
    assert run(tmp_path, wrong).tests[0].difference == (
        "expected  skipped: NOT_RE_ELIGIBLE",
        "happened  skipped: NOT_ELIGIBLE at 2026-03-04T09:00:00Z with contacts = 3",
    )


def test_events_of_one_instant_are_taken_in_the_order_written(tmp_path: Path) -> None:
    contact = "{at: 2026-03-02T09:00:00Z, event: Contact}"
    solved = "{at: 2026-03-02T09:00:00Z, event: Solved, source: another}"
    rule = RULE.replace(
        "SupportContactOpened\n    where: 'event.data.channel != \"survey\"'", "Contact\n    reset: Solved"
    )
    head, tail = rule.replace("contacts >= 3", "contacts >= 2").split("    given:\n", 1)
    rest = tail.split("    expect:\n", 1)[1]

    def passes(*given: str) -> bool:
        return run(tmp_path, f"{head}    given: [{', '.join(given)}]\n    expect:\n{rest}").tests[0].passed

    assert passes(solved, contact, contact)
    assert not passes(contact, solved, contact)


def test_both_tests_are_needed(tmp_path: Path) -> None:
    head, _ = RULE.split("tests:\n")
    report = run(tmp_path, head)
    assert words(report.problems, tmp_path) == [
        "rulebook/rules/stuck.yaml:1:7: the rule needs a test that does not fire",
        "rulebook/rules/stuck.yaml:1:7: the rule needs a test that fires",
    ]
    assert not report.passed


def test_a_given_event_that_would_be_quarantined_is_a_problem(tmp_path: Path) -> None:
    report = run(tmp_path, RULE.replace("{channel: phone}", "{channel: 7}", 1))
    assert words(report.problems, tmp_path) == [
        "rulebook/rules/stuck.yaml:21:5: given event 1 breaks the schema of SupportContactOpened: "
        "data.channel must be string"
    ]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"sms_txt": None}, "sms.txt:1:1: sms needs this file"),
        ({"email_html": None}, "email.html:1:1: email needs this file"),
        ({"sms_txt_de": "Hallo", "subject_txt_de": "Hallo"}, "email.html.de:1:1: email needs this file"),
        (
            {"email_txt": "a\n {{ contcts }}"},
            "email.txt:2:5: unknown placeholder 'contcts'; did you mean 'contacts'?",
        ),
        (
            {"email_txt": "{{ zzz }}"},
            "email.txt:1:4: unknown placeholder 'zzz'; known are: case, contacts, preferences_url, profile",
        ),
        (
            {"email_txt": "{{ profile.email }}"},
            "email.txt:1:4: profile.email is an address, and templates do not see",
        ),
        (
            {"email_txt": "{{ profile }}"},
            "email.txt:1:4: a placeholder of the profile names a field: profile.x",
        ),
        ({"email_txt": "a\n{% if contacts %}"}, "email.txt:1:1: Liquid: expected tag endif"),
        ({"email_txt": "a\n{{ contacts "}, "email.txt:2:1: Liquid: expected '}}', found end of file"),
        (
            {"email_txt": "a\n{{ contacts | rond }}"},
            "email.txt:2:15: unknown filter 'rond'; did you mean 'round'?",
        ),
        ({"email_txt": "{% include 'x' %}"}, "email.txt:1:4: Liquid: unexpected tag 'include'"),
        ({"subject_txt": "a\nb"}, "subject.txt:2:1: a subject is one line"),
        ({"email_md": "x"}, "email.md:1:1: not a template; did you mean"),
        ({"body_txt": "x"}, "body.txt:1:1: not a template"),
    ],
)
def test_templates_are_checked(tmp_path: Path, files: dict[str, str | None], expected: str) -> None:
    report = run(tmp_path, messages=files)
    assert any(
        problem.startswith(f"messages/stuck/{expected}") for problem in words(report.problems, tmp_path)
    )


def test_a_template_may_use_signals_profile_case_and_its_own_variables(tmp_path: Path) -> None:
    text = "{% assign n = contacts | plus: 1 %}{% if profile.name %}{{ profile.name }}{% endif %}{{ n }}{{ case }}"
    assert run(tmp_path, messages={"email_txt": text}).passed


LAYOUT = "<p>{{ subject }}{{ preheader }}{% block content %}{% endblock %}</p>"
FRAMED = '{% extends "mail.html" %}{% block content %}{{ contacts }}{% endblock %}'


def check_files(
    directory: Path, files: Mapping[str, str], policy: str = "links: [shop.example.com]"
) -> Report:
    """The message `stuck` with these files more, by path in the folder of messages."""
    messages = write_messages(directory / "messages")
    for name, text in files.items():
        path = messages / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    rulebook = write_rulebook(directory / "rulebook", policy=policy)
    return check(rulebook, messages, write_schemas(directory / "schemas"), renderer=LiquidRenderer)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {"stuck/email.html": '<a href="https://evil.example/x">x</a>'},
            "stuck/email.html:1:1: 'evil.example' is not",
        ),
        (
            {"stuck/email.html": '<p>\n<a\nhref="https://shop.exmple.com/{{ case }}">x</a>'},
            "stuck/email.html:2:1: 'shop.exmple.com' is not one of the hosts under 'links' in policy.yaml; "
            "did you mean 'shop.example.com'?",
        ),
        (
            {"stuck/sms.txt": "a\nSee http://shop.example.com/x."},
            "stuck/sms.txt:2:1: a link is https: did you mean 'https://shop.example.com/x'?",
        ),
        (
            {"stuck/email.txt": "www.shop.example.com"},
            "stuck/email.txt:1:1: a link is https: did you mean 'https://www.shop.example.com'?",
        ),
        (
            {"stuck/email.html": "<a href='/orders/{{ case }}'>x</a>"},
            "stuck/email.html:1:1: '/orders/{{...}}' is not a link",
        ),
        (
            {"stuck/email.html": '<a href="mailto:{{ case }}">x</a>'},
            "stuck/email.html:1:1: 'mailto:{{...}}' is completed",
        ),
        (
            {"stuck/email.html": "<p\nid={{ case }}>x</p>"},
            "stuck/email.html:1:1: in a tag a placeholder stands in quotes",
        ),
        (
            {"stuck/email.html": "<p {{ case }}>x</p>"},
            "stuck/email.html:1:1: in a tag a placeholder stands in quotes",
        ),
        (
            {"stuck/email.html": "<p style='color: {{ case }}'>x</p>"},
            "stuck/email.html:1:1: no placeholder may stand in 'style'",
        ),
        (
            {"stuck/email.html": "<p>\n<style>\n{{ case }}</style>"},
            "stuck/email.html:3:1: no placeholder may stand in <style>",
        ),
        ({"stuck/email.html": "{{ case | safe }}"}, "stuck/email.html:1:11: the filter 'safe' is refused"),
        (
            {"stuck/email.html": FRAMED},
            "stuck/email.html:1:4: there is no layout 'mail.html'; there are: none",
        ),
        (
            {"stuck/email.html": FRAMED.replace("mail.html", "mial.html"), "_layouts/mail.html": LAYOUT},
            "stuck/email.html:1:4: there is no layout 'mial.html'; did you mean 'mail.html'?",
        ),
        (
            {"stuck/email.html": FRAMED.replace("content", "contnet"), "_layouts/mail.html": LAYOUT},
            "stuck/email.html:1:29: the layout 'mail.html' has no block 'contnet'; did you mean 'content'?",
        ),
        (
            {"stuck/email.html": f"{FRAMED}\nlost", "_layouts/mail.html": LAYOUT},
            "stuck/email.html:1:73: what stands outside",
        ),
        (
            {"stuck/email.html": "{% block a %}{% endblock %}"},
            "stuck/email.html:1:4: a block belongs to a layout",
        ),
        ({"_layouts/mail.html": "{{ contacts }}"}, "_layouts/mail.html:1:4: unknown placeholder 'contacts'"),
        (
            {"_layouts/mail.html.de": LAYOUT},
            "_layouts/mail.html.de:1:1: the layout needs a file without a locale too",
        ),
        ({"_layouts/mail.txt": "x"}, "_layouts/mail.txt:1:1: not a layout"),
        (
            {"_layouts/mail.html": '<a href="https://evil.example">x</a>'},
            "_layouts/mail.html:1:1: 'evil.example' is not",
        ),
        ({"stuck/preheader.txt": "{{ contcts }}"}, "stuck/preheader.txt:1:4: unknown placeholder 'contcts'"),
        ({"stuck/preheader.txt": "a\nb"}, "stuck/preheader.txt:2:1: a preheader is one line"),
        ({"stuck/sms.txt": "{{ subject }}"}, "stuck/sms.txt:1:4: unknown placeholder 'subject'"),
        (
            {"stuck/segments/vip/sms.txt": "{{ contcts }}"},
            "stuck/segments/vip/sms.txt:1:4: unknown placeholder 'contcts'",
        ),
        ({"stuck/variants/calm/body.txt": "x"}, "stuck/variants/calm/body.txt:1:1: not a template"),
        (
            {"stuck/segment/vip/sms.txt": "x"},
            "stuck/segment/vip/sms.txt:1:1: templates stand in the message's folder, in",
        ),
        (
            {"stuck/segments/sms.txt": "x"},
            "stuck/segments/sms.txt:1:1: templates stand in the message's folder, in",
        ),
        (
            {"stuck/sms.txt.de": "x", "stuck/segments/vip/sms.txt": "x"},
            "stuck/segments/vip/sms.txt.de:1:1: the message has sms.txt in this language, so segments/vip/ "
            "needs it too",
        ),
        (
            {"stuck/segments/vip/sms.txt.de": "x"},
            "stuck/segments/vip/sms.txt.de:1:1: the message has no sms.txt.de",
        ),
        (
            {"stuck/segments/vip/email.txt": "x"},
            "stuck/segments/vip/email.txt:1:1: nobody would get this text",
        ),
        (
            {"stuck/preheader.txt": "x", "stuck/subject.txt.de": "x", "stuck/email.html.de": "x"},
            "stuck/preheader.txt.de:1:1: email needs this file",
        ),
        (
            {"stuck/segments/vip/sms.txt": "{{ profile.nickname }}"},
            "stuck/segments/vip/sms.txt:1:1: with the values of the test 'three contacts' it does not render: "
            "stuck/segments/vip/sms.txt: UndefinedError",
        ),
        (
            {"stuck/variants/calm/email.html": "{% if contacts > 9 %}x{% endif %}"},
            "stuck/variants/calm/email.html:1:1: with the values of the test 'three contacts' it does not render",
        ),
    ],
)
def test_layouts_folders_and_links_are_checked(tmp_path: Path, files: dict[str, str], expected: str) -> None:
    found = words(check_files(tmp_path, files).problems, tmp_path)
    assert any(problem.startswith(f"messages/{expected}") for problem in found), found


def test_what_is_right_passes(tmp_path: Path) -> None:
    report = check_files(
        tmp_path,
        {
            "_layouts/mail.html": LAYOUT + '<a href="{{ preferences_url }}">x</a>',
            "_layouts/mail.html.de": LAYOUT,
            "stuck/email.html": FRAMED,
            "stuck/preheader.txt": "{{ profile.segment }}",
            "stuck/segments/vip/sms.txt": "https://shop.example.com/{{ contacts }}",
            "stuck/variants/calm/email.html": (
                '<p title="{{ contacts }}"><a href="mailto:care@shop.example">x</a></p>'
            ),
            "stuck/variants/calm/email.txt": "{% comment %} https://evil.example {% endcomment %}x",
        },
    )
    assert words((*report.problems, *report.warnings), tmp_path) == []
    assert [(one.file.rpartition("stuck/")[2], one.length.segments) for one in report.text_messages] == [
        ("segments/vip/sms.txt", 1),
        ("sms.txt", 1),
    ]


def test_a_text_message_of_two_segments_and_a_misspelt_field_are_warned_of(tmp_path: Path) -> None:
    text = "ç" * 71 + "{% if profile.segmnt %}x{% endif %}"
    report = check_files(tmp_path, {"stuck/sms.txt": text})
    assert words(report.warnings, tmp_path) == [
        "messages/stuck/sms.txt:1:1: longer than one text message with the values of the test 'three contacts': "
        "71 characters of UCS-2, 2 segments, because of ç",
        "messages/stuck/sms.txt:1:78: no schema describes profile.segmnt; did you mean 'segment'?",
    ]
    assert report.passed


def test_a_segment_that_the_schema_does_not_list_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SCHEMAS["CustomerUpdated"]["properties"], "segment", {"enum": ["retail", "staff"]})
    report = check_files(tmp_path, {"stuck/segments/retial/sms.txt": "x"})
    assert words(report.warnings, tmp_path) == [
        "messages/stuck/segments/retial:1:1: no customer is in the segment 'retial'; did you mean 'retail'?"
    ]


@pytest.mark.parametrize("channel", ["task", "outbound"])
def test_every_send_needs_its_templates_and_a_task_or_an_outbound_event_none(
    tmp_path: Path, channel: str
) -> None:
    head, tests = RULE.split("  expires_after: 24h\n")
    first, send = head.split("send:\n")
    more = "  - {message: call, purpose: service, topic: care, CHANNEL, if: 'contacts > 9'}\n".replace(
        "CHANNEL", f"channels: [{channel}]"
    )
    more += "  - {message: cal, purpose: service, topic: care, CHANNEL, if: 'contacts > 9'}\n".replace(
        "CHANNEL", f"channels: [{channel}, sms]"
    )
    text = f"{first}send:\n  - " + send.strip().replace("\n  ", "\n    ") + f"\n{more}{tests}"
    assert words(run(tmp_path, text).problems, tmp_path) == [
        "rulebook/rules/stuck.yaml:20:15: there is no message 'cal' in messages"
    ]
    (tmp_path / "messages" / "cal").mkdir()
    (tmp_path / "messages" / "cal" / "sms.txt").write_text("{{ contcts }}")
    assert words(run(tmp_path, text).problems, tmp_path) == [
        "messages/cal/sms.txt:1:4: unknown placeholder 'contcts'; did you mean 'contacts'?"
    ]


def test_whole_numbers_of_a_given_event_are_whole_as_on_the_bus(tmp_path: Path) -> None:
    schemas = write_schemas(tmp_path / "schemas")
    (schemas / "SupportContactOpened.json").write_text('{"properties": {"size": {"type": "integer"}}}')

    def problems(data: str) -> list[str]:
        rule = RULE.replace("{channel: phone}", data)
        report = check(
            write_rulebook(tmp_path / "rulebook", stuck=rule), write_messages(tmp_path / "messages"), schemas
        )
        return words(report.problems, tmp_path)

    assert problems("{size: 3, more: [1, {size: -1}]}") == []
    assert all("data.size must be integer" in problem for problem in problems("{size: 3.5}"))


def test_a_retraction_needs_no_data(tmp_path: Path) -> None:
    def problems(retraction: str) -> list[str]:
        given = f"given:\n      - {{at: 2026-03-02T09:00:00Z, event: SupportContactOpened, {retraction}}}\n"
        return words(run(tmp_path, RULE.replace("given:\n", given, 1)).problems, tmp_path)

    assert problems("retracts: given-2") == []
    assert "given event 1 breaks the schema" in problems("retracts: given-2, data: {channel: 7}")[0]
    assert "given event 1 breaks the schema" in problems("id: x")[0]


def test_a_given_event_of_another_customer_is_looked_at_too(tmp_path: Path) -> None:
    others = (
        "others: [{given: [{at: 2026-03-02T09:00:00Z, event: SupportContactOpened, data: {channel: 7}}]}]"
    )
    report = run(tmp_path, RULE.replace("customer: {segment: retail}", others, 1))
    assert words(report.problems, tmp_path) == [
        "rulebook/rules/stuck.yaml:21:5: given event 1 of other-1 breaks the schema of SupportContactOpened: "
        "data.channel must be string"
    ]


def test_a_message_that_does_not_exist_is_named(tmp_path: Path) -> None:
    report = run(tmp_path, RULE.replace("message: stuck", "message: stuk"))
    assert words(report.problems, tmp_path) == [
        "rulebook/rules/stuck.yaml:14:12: there is no message 'stuk' in messages; did you mean 'stuck'?"
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("contacts >= 3", "contacts < 3", "10:7: only passing time can make this true"),
        ("contacts >= 3", "0 == contacts && has(profile.vip)", "10:7: only passing time can make this true"),
        ("contacts >= 3", "contacts >= 3 || contacts == 0", "10:7: only passing time can make this true"),
        ("contacts >= 3", "!(contacts >= 3)", "10:7: only passing time can make this true"),
        (
            "event.data.channel",
            "event.data.product",
            "6:3: '!=' meets event.data.product, which the schema of Supp",
        ),
        (
            "event.data.channel != ",
            "!event.data.product && event.data.channel == ",
            "6:3: '!' meets event.data.product",
        ),
        (
            "event.data.channel",
            "event.data.chanel",
            "6:3: no schema describes event.data.chanel; did you mean 'channel'",
        ),
        (
            "profile.segment",
            "profile.segmnt",
            "11:11: no schema describes profile.segmnt; did you mean 'segment'?",
        ),
        (
            "count: SupportContactOpened",
            "count: SupportContactOpend",
            "6:3: no schema describes the event 'SupportCont",
        ),
    ],
)
def test_what_is_probably_not_meant_is_warned_of(tmp_path: Path, old: str, new: str, expected: str) -> None:
    report = run(tmp_path, RULE.replace(old, new))
    found = words(report.warnings, tmp_path)
    assert any(warning.startswith(f"rulebook/rules/stuck.yaml:{expected}") for warning in found), found
    assert not report.problems


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("contacts >= 3", "contacts != 0"),
        ("contacts >= 3", "contacts >= 3 && contacts < 9"),
        ("within: 7d\nwhen: 'contacts >= 3'", "within: 7d\n    reset: Solved\nwhen: 'contacts < 1'"),
        ("event.data.channel", "has(event.data.product) && event.data.product"),
        ("profile.segment", "profile.loyalty"),
    ],
)
def test_what_may_well_be_meant_is_not(tmp_path: Path, old: str, new: str) -> None:
    assert run(tmp_path, RULE.replace(old, new)).warnings == ()


def test_a_rulebook_that_cannot_be_read_is_a_report_of_its_errors(tmp_path: Path) -> None:
    report = run(tmp_path, RULE.replace("mode: live", "mode: alive"))
    assert (report.passed, report.rules, report.tests) == (False, (), ())
    assert words(report.problems, tmp_path)[0].startswith(
        "rulebook/rules/stuck.yaml:4:7: unknown mode 'alive'"
    )


@pytest.mark.parametrize(
    ("text", "expected"), [("{", "A.json:1:2: not JSON"), ('{"type": 7}', "A.json:1:1: not a JSON Schema")]
)
def test_a_broken_schema_is_a_problem(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "A.json").write_text(text)
    assert words(run(tmp_path).problems, tmp_path)[0].startswith(f"schemas/{expected}")


def test_published_documents_are_what_was_read_and_always_the_same(tmp_path: Path) -> None:
    rulebook = write_rulebook(tmp_path / "rulebook", lists="codes: [E10]\n")
    messages, schemas = write_messages(tmp_path / "messages"), write_schemas(tmp_path / "schemas")
    published = publish(rulebook, messages, schemas, tmp_path / "a" / "b")
    publish(rulebook, messages, schemas, tmp_path / "c")
    names = ["mappings.json", "rulebook.json", "schemas.json", "templates.json"]
    assert sorted(path.name for path in (tmp_path / "c").iterdir()) == names
    for name in names:
        assert (tmp_path / "a" / "b" / name).read_bytes() == (tmp_path / "c" / name).read_bytes()
    assert Rulebook.model_validate_json((tmp_path / "c" / "rulebook.json").read_text()) == published
    assert json.loads((tmp_path / "c" / "schemas.json").read_text()) == SCHEMAS
    assert json.loads((tmp_path / "c" / "templates.json").read_text())["stuck"]["subject.txt"] == "Hello"


def test_a_change_gives_another_generation(tmp_path: Path) -> None:
    def generation(rule: str) -> str:
        rulebook = write_rulebook(tmp_path / "rulebook", stuck=rule)
        messages, schemas = write_messages(tmp_path / "messages"), write_schemas(tmp_path / "schemas")
        return publish(rulebook, messages, schemas, tmp_path / "out").generation

    assert generation(RULE) == generation(RULE)
    assert generation(RULE) != generation(RULE.replace("priority: 80", "priority: 81"))


def test_nothing_is_published_where_anything_is_wrong(tmp_path: Path) -> None:
    rulebook = write_rulebook(tmp_path / "rulebook")
    messages, schemas = (
        write_messages(tmp_path / "messages", sms_txt=None),
        write_schemas(tmp_path / "schemas"),
    )
    with pytest.raises(RulebookErrors, match="sms needs this file"):
        publish(rulebook, messages, schemas, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_draft_may_lack_its_templates(tmp_path: Path) -> None:
    draft = RULE.replace("mode: live", "mode: draft").replace("message: stuck", "message: later")
    rulebook = write_rulebook(tmp_path / "rulebook", stuck=draft)
    messages, schemas = write_messages(tmp_path / "messages"), write_schemas(tmp_path / "schemas")
    assert publish(rulebook, messages, schemas, tmp_path / "out").rules == ()


def test_the_variant_is_a_placeholder_where_there_are_variants(tmp_path: Path) -> None:
    told: dict[str, str | None] = {"email_txt": "{% if variant == 'calm' %}x{% endif %}"}
    variants = f"experiment: {{variants: {{calm: 50%, direct: 50%}}}}\n{RULE}"
    assert run(tmp_path / "with", variants, told).problems == ()
    (problem,) = run(tmp_path / "without", RULE, told).problems
    assert problem.message.startswith("unknown placeholder 'variant'")


def test_warnings_of_the_policy_stand_among_the_others(tmp_path: Path) -> None:
    write_rulebook(tmp_path / "rulebook", policy="volume_constraints: [{topic: car, at_most: 5, per: day}]\n")
    (warning,) = run(tmp_path, RULE).warnings
    assert warning.message == "no rule sends anything of the topic 'car'; did you mean 'care'?"
