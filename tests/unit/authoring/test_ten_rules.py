"""Ten rules as authors write them, of every sort: their own tests pass, and nothing about them is doubtful."""

from __future__ import annotations

from pathlib import Path

import pytest

from foreword.authoring.cautions import cautions
from foreword.authoring.rule_tests import run_rule_tests
from foreword.authoring.rulebook import load_rulebook
from foreword.authoring.rules import AuthoredRule
from foreword.authoring.schemas import read_schemas
from foreword.local.project import find

LOADED = load_rulebook(Path(__file__).parent / "ten")


@pytest.mark.parametrize("authored", LOADED.rules, ids=lambda authored: authored.rule.rule)
def test_a_rule_does_what_its_tests_say(authored: AuthoredRule) -> None:
    results = run_rule_tests(authored, LOADED.policy, LOADED.lists)
    assert {result.test: result.difference for result in results if not result.passed} == {}
    assert {test.fires for test in authored.tests} == {True, False}
    assert cautions(authored, read_schemas(find().schemas)) == []


def test_there_are_ten() -> None:
    assert len(LOADED.rules) == 9
