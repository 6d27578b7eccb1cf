"""`foreword preview`."""

from __future__ import annotations

import json
import sys
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from foreword.cli.main import main
from tests.unit.authoring.rulebooks import RULE, write_messages, write_rulebook


@pytest.fixture
def rulebook(tmp_path: Path) -> Path:
    """The message `stuck`, in two languages by SMS, with a segment and a variant."""
    messages = write_messages(
        tmp_path / "rulebook" / "messages",
        email_txt=None,
        preheader_txt="Again: {{ contacts }}",
        sms_txt_de="{{ contacts }} Mal",
        email_html='<p>{{ profile.name | default: "you" }}, {{ contacts }}. '
        '{% if preferences_url %}<a href="{{ preferences_url }}">choose</a>{% endif %}</p>',
    )
    for name, text in {"segments/vip/subject.txt": "Dear", "variants/calm/subject.txt": "Calmly"}.items():
        (messages / "stuck" / name).parent.mkdir(parents=True)
        (messages / "stuck" / name).write_text(text)
    return write_rulebook(tmp_path / "rulebook")


@pytest.fixture
def preview(
    rulebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    def run(*arguments: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        out = ("--out", str(tmp_path / "out"), "--rulebook", str(rulebook))
        monkeypatch.setattr(sys, "argv", ["foreword", "preview", *arguments, *out])
        monkeypatch.setenv("COLUMNS", "100")
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_with_no_argument_it_shows_the_values_of_the_rule_s_own_test(preview: Any, tmp_path: Path) -> None:
    code, out, err = preview("stuck")
    assert (code, err) == (0, "")
    for told in (
        "stuck with the values of the test 'three contacts'",
        "Again: 3",
        "you, 3. choose (https://preferences.example/choices)",
        "email.txt      from email.html (made from the HTML)",
        "preheader.txt  from preheader.txt",
        "17 septets of GSM-7, 1 segment",
    ):
        assert told in out
    files = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert files.keys() == {"stuck.eml", "stuck.html", "stuck.txt", "stuck.sms.txt"}
    assert files["stuck.sms.txt"] == b"You came 3 times.\n"
    mail = message_from_bytes(files["stuck.eml"], policy=default)
    assert (mail["To"], mail["Subject"]) == ("customer@example.com", "Hello")
    assert mail["List-Unsubscribe"] == "<https://preferences.example/unsubscribe>"


def test_it_shows_another_customer_language_segment_variant_and_other_values(
    preview: Any, tmp_path: Path
) -> None:
    customer = tmp_path / "customer.json"
    customer.write_text('{"name": "Ada", "email": "ada@example.org"}')
    given = ("--customer", str(customer), "--signals", '{"contacts": 7}', "--locale", "de-AT")
    code, out, _ = preview("stuck", *given, "--segment", "vip", "--json")
    mail, sms, *wrote = (json.loads(line) for line in out.splitlines())
    assert code == 0
    assert (mail["subject"], mail["text"][:7]) == ("Dear", "Ada, 7.")
    assert mail["from"]["subject.txt"] == "segments/vip/subject.txt"
    assert (sms["text"], sms["from"], sms["segments"]) == ("7 Mal", {"sms.txt": "sms.txt.de"}, 1)
    assert [Path(one["wrote"]).name for one in wrote] == [
        "stuck.eml",
        "stuck.html",
        "stuck.txt",
        "stuck.sms.txt",
    ]
    assert b"To: ada@example.org" in (tmp_path / "out" / "stuck.eml").read_bytes()
    assert "Calmly" in preview("stuck", "--variant", "calm", "--segment", "vip")[1]


def test_a_critical_message_has_no_way_out(preview: Any, rulebook: Path, tmp_path: Path) -> None:
    write_rulebook(rulebook, stuck=RULE.replace("purpose: service", "purpose: critical"))
    assert "choose" not in preview("stuck")[1]
    assert b"List-Unsubscribe" not in (tmp_path / "out" / "stuck.eml").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("stuk",), "did you mean 'stuck'?"),
        (("_layouts",), "no message '_layouts'"),
        (("stuck", "--customer", "nowhere.json"), "nowhere.json: cannot be read: No such file"),
        (("stuck", "--customer", "{"), "--customer: not JSON"),
        (("stuck", "--customer", "."), ".: cannot be read: Is a directory"),
        (("stuck", "--signals", "{]"), "--signals: not JSON"),
    ],
)
def test_what_cannot_be_shown_is_one_line_and_exit_2(
    preview: Any, arguments: tuple[str, ...], said: str
) -> None:
    code, out, err = preview(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_a_customer_that_is_no_object_is_refused(preview: Any, tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "latin.json").write_bytes(b'{"name": "\xfc"}')
    assert "must be a JSON object" in preview("stuck", "--customer", str(tmp_path / "list.json"))[2]
    assert "it is not UTF-8 text" in preview("stuck", "--customer", str(tmp_path / "latin.json"))[2]


def test_a_message_that_no_rule_sends_and_a_task_have_nothing_to_show(preview: Any, rulebook: Path) -> None:
    (rulebook / "messages" / "lonely").mkdir()
    assert "no rule sends the message 'lonely'" in preview("lonely")[2]
    write_rulebook(
        rulebook, stuck=RULE.replace("[email, sms]", "[task]").replace("channel: email", "channel: task")
    )
    assert "'stuck' is a task" in preview("stuck")[2]


def test_a_broken_template_is_named_with_its_place_and_exit_1(preview: Any, rulebook: Path) -> None:
    write_messages(rulebook / "messages", email_txt=None, sms_txt="a\n{{ contcts }}")
    code, out, err = preview("stuck")
    assert (code, out) == (1, "")
    assert err.endswith("stuck/sms.txt:2:4: unknown placeholder 'contcts'; did you mean 'contacts'?\n")


def test_a_template_that_does_not_render_is_named_and_exit_1(preview: Any) -> None:
    code, _, err = preview("stuck", "--customer", '{"name": "https://evil.example"}')
    assert code == 1
    assert "messages/stuck/email.html: holds a link that the policy's links do not allow" in err
    assert "with the values of the test 'three contacts'" in err


def test_without_a_test_that_sends_it_the_values_are_to_be_given(preview: Any, rulebook: Path) -> None:
    write_rulebook(rulebook, stuck=RULE.split("tests:\n")[0])
    code, _, err = preview("stuck")
    assert code == 1
    assert "no test of its rule sends it, so give values: --signals" in err
    assert preview("stuck", "--signals", '{"contacts": 2}')[0] == 0


def test_a_rulebook_with_an_error_is_exit_1_with_its_place(preview: Any, rulebook: Path) -> None:
    write_rulebook(rulebook, stuck=RULE.replace("mode: live", "mode: alive"))
    code, _, err = preview("stuck")
    assert code == 1
    assert "stuck.yaml:4:7: unknown mode 'alive'" in err
