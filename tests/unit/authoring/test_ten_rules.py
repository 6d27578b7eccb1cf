"""Ten rules as authors write them, of every sort: their own tests pass, and nothing about them is doubtful."""

from __future__ import annotations

from pathlib import Path

import pytest

from foreword.authoring.check import check
from foreword.authoring.rule_tests import run_rule_tests
from foreword.authoring.rulebook import load_rulebook
from foreword.authoring.rules import AuthoredRule
from foreword.local.project import find

TEN = Path(__file__).parent / "ten"
LOADED = load_rulebook(TEN)


@pytest.mark.parametrize("authored", LOADED.rules, ids=lambda authored: authored.rule.rule)
def test_a_rule_does_what_its_tests_say(authored: AuthoredRule) -> None:
    results = run_rule_tests(authored, LOADED.policy, LOADED.lists)
    assert {result.test: result.difference for result in results if not result.passed} == {}
    assert {test.fires for test in authored.tests} == {True, False}


def test_nothing_is_wrong_but_that_they_have_no_messages_and_nothing_doubtful(tmp_path: Path) -> None:
    report = check(TEN, tmp_path, find().schemas)
    assert [str(problem) for problem in report.problems if "there is no message" not in problem.message] == []
    assert report.warnings == ()


def test_there_are_ten() -> None:
    assert len(LOADED.rules) == 10
