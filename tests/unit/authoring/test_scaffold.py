"""A new rule is the old one under another name, as a draft; nothing that is there is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from foreword.authoring.rulebook import load_rulebook
from foreword.authoring.scaffold import CannotScaffold, new_rule
from foreword.domain.errors import InvalidRulebook
from foreword.domain.rulebook import Mode
from tests.unit.authoring.rulebooks import RULE, write_messages, write_rulebook

SECOND = """\
  - {message: 'call', purpose: service, topic: care, channels: [task]}
"""


def several(rule: str) -> str:
    """With a second send."""
    head, rest = rule.split("send:\n")
    first, tests = rest.split("tests:\n")
    listed = "  - " + first.strip().replace("\n", "\n  ") + "\n"
    tests = tests.replace("email}\n", "email}\n      - {message: call, channel: task}\n")
    return f"# why this rule: stuck\n{head}send:  # two\n{listed}{SECOND}tests:\n{tests}"


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    folder = write_messages(tmp_path / "messages")
    (folder / "stuck" / ".DS_Store").write_bytes(b"x")
    (folder / "call").mkdir()
    (folder / "call" / "note.txt").write_bytes(b"a\r\nb \xe4")
    return folder


@pytest.fixture
def rulebook(tmp_path: Path) -> Path:
    return write_rulebook(tmp_path / "rulebook", stuck=several(RULE))


def test_rule_tests_comments_and_templates_are_there_under_the_new_name(
    rulebook: Path, messages: Path
) -> None:
    written = new_rule("lost", "stuck", rulebook, messages)
    assert written[0] == rulebook / "rules" / "lost.yaml"
    text = written[0].read_text("utf-8")
    assert text == (
        several(RULE)
        .replace("rule: stuck\nwhy", "rule: lost\nwhy")
        .replace("mode: live", "mode: draft")
        .replace("message: stuck", "message: lost")
        .replace("message: 'call'", "message: 'lost-call'")
        .replace("message: call", "message: lost-call")
    )
    assert "# why this rule: stuck" in text
    lost, stuck = load_rulebook(rulebook).rules
    assert (lost.rule.rule, lost.rule.mode, stuck.rule.mode) == ("lost", Mode.DRAFT, Mode.LIVE)
    assert lost.tests[0].expect != stuck.tests[0].expect
    assert sorted(path.name for path in (messages / "lost").iterdir()) == [
        "email.html",
        "email.txt",
        "sms.txt",
        "subject.txt",
    ]
    assert (messages / "lost-call" / "note.txt").read_bytes() == b"a\r\nb \xe4"
    assert set(written[1:]) == {
        path for name in ("lost", "lost-call") for path in (messages / name).iterdir()
    }


def test_a_rule_without_a_mode_or_templates_is_a_draft_already(tmp_path: Path) -> None:
    rulebook = write_rulebook(
        tmp_path / "rulebook", stuck=RULE.replace("mode: live\n", "").replace("\n", "\r\n")
    )
    written = new_rule("lost", "stuck", rulebook, tmp_path / "messages")
    assert written == (rulebook / "rules" / "lost.yaml",)
    assert written[0].read_bytes().count(b"\r\n") == RULE.count("\n") - 1
    assert not (tmp_path / "messages").exists()


@pytest.mark.parametrize(
    ("name", "like", "said"),
    [
        ("Lost", "stuck", "'Lost' is not kebab-case .*; did you mean 'lost'?"),
        ("lost again", "stuck", "did you mean 'lost-again'"),
        ("../lost", "stuck", "is not kebab-case"),
        ("7", "stuck", r"is not kebab-case \(small letters, digits, hyphens\)$"),
        ("lost", "stuk", "no rule 'stuk' in .*; did you mean 'stuck'?"),
        ("lost", "zzz", "there are: stuck"),
        ("lost", "../rules/stuck", "no rule '../rules/stuck'"),
        ("stuck", "stuck", "stuck.yaml is there already"),
    ],
)
def test_what_cannot_be_is_refused(rulebook: Path, messages: Path, name: str, like: str, said: str) -> None:
    before = sorted(path for path in rulebook.parent.rglob("*"))
    with pytest.raises(CannotScaffold, match=said):
        new_rule(name, like, rulebook, messages)
    assert sorted(path for path in rulebook.parent.rglob("*")) == before


@pytest.mark.parametrize("there", ["lost", "lost-call"])
def test_messages_that_are_there_are_not_touched(rulebook: Path, messages: Path, there: str) -> None:
    (messages / there).mkdir()
    with pytest.raises(CannotScaffold, match=f"{there} is there already"):
        new_rule("lost", "stuck", rulebook, messages)
    assert not (rulebook / "rules" / "lost.yaml").exists()
    assert list((messages / there).iterdir()) == []


def test_what_cannot_be_replaced_in_place_is_refused(tmp_path: Path) -> None:
    rulebook = write_rulebook(
        tmp_path / "rulebook", stuck=RULE.replace("  message: stuck", "  message: >-\n    stuck")
    )
    with pytest.raises(
        InvalidRulebook, match=r"stuck\.yaml:14:12: 'stuck' cannot be replaced where it stands"
    ):
        new_rule("lost", "stuck", rulebook, tmp_path / "messages")
