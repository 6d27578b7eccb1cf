"""`foreword check`: everything that can be known of a rulebook before it is published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastjsonschema

from foreword.authoring.cautions import cautions
from foreword.authoring.fields import RulebookErrors
from foreword.authoring.filled_in import SAMPLE_HOST, MakeRenderer, TextMessage, fill_in
from foreword.authoring.mappings import check_mappings
from foreword.authoring.policy_cautions import policy_cautions
from foreword.authoring.rule_tests import RuleTestResult, run_rule_tests
from foreword.authoring.rulebook import load_rulebook
from foreword.authoring.rules import AuthoredRule
from foreword.authoring.schemas import read_schemas
from foreword.authoring.template_cautions import template_cautions
from foreword.authoring.templates import check_layouts, check_templates, read_templates
from foreword.authoring.written_tests import RuleTest
from foreword.domain.errors import InvalidRulebook


@dataclass(frozen=True, slots=True)
class Report:
    """`warnings` are like problems, but do not stop a rulebook. Both are in order of file and line."""

    rules: tuple[str, ...]
    problems: tuple[InvalidRulebook, ...]
    warnings: tuple[InvalidRulebook, ...]
    tests: tuple[RuleTestResult, ...]
    text_messages: tuple[TextMessage, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.problems and all(test.passed for test in self.tests)


def check(
    rulebook: Path,
    messages: Path,
    schemas: Path,
    *,
    mappings: Path | None = None,
    renderer: MakeRenderer | None = None,
) -> Report:
    """Never raises for what an author wrote; OSError where a directory cannot be read.

    With a `renderer` templates are filled in with the values of their rule's own tests, once nothing else is wrong.
    """
    problems: list[InvalidRulebook] = []
    try:
        event_schemas = read_schemas(schemas)
        templates = read_templates(messages)
        loaded = load_rulebook(rulebook)
    except InvalidRulebook as error:
        return Report((), (error,), (), ())
    except RulebookErrors as several:
        return Report((), several.errors, (), ())
    problems += [] if mappings is None else check_mappings(mappings, event_schemas)
    problems += check_layouts(templates, messages, loaded.policy.link_hosts)
    warnings = policy_cautions(loaded, event_schemas)
    tests: list[RuleTestResult] = []
    text_messages: list[TextMessage] = []
    for authored in loaded.rules:
        problems += _missing_tests(authored)
        problems += _invalid_events(authored, event_schemas)
        problems += check_templates(authored, templates, messages, loaded.policy.link_hosts)
        warnings += cautions(authored, event_schemas)
        warnings += template_cautions(authored, templates, messages, event_schemas)
        tests += run_rule_tests(authored, loaded.policy, loaded.lists)
    if renderer is not None and not problems:
        filled = fill_in(
            loaded, templates, messages, renderer(templates, (*loaded.policy.link_hosts, SAMPLE_HOST))
        )
        problems += filled.problems
        warnings += filled.warnings
        text_messages += filled.text_messages
    names = tuple(authored.rule.rule for authored in loaded.rules)
    return Report(names, _ordered(problems), _ordered(warnings), tuple(tests), tuple(text_messages))


def _missing_tests(authored: AuthoredRule) -> list[InvalidRulebook]:
    """One test that fires, and one that does not."""
    place = "tests" if "tests" in authored.places else "rule"
    wanted = [("fires", True), ("does not fire", False)]
    return [
        authored.refused(place, f"the rule needs a test that {words}")
        for words, fires in wanted
        if not any(test.fires is fires for test in authored.tests)
    ]


def _invalid_events(authored: AuthoredRule, schemas: Mapping[str, Any]) -> list[InvalidRulebook]:
    """A given event that breaks its schema would be quarantined, so the test shows what cannot happen."""
    used = {fact.type for test in authored.tests for fact in test.given} & schemas.keys()
    validators = {kind: fastjsonschema.compile(schemas[kind]) for kind in sorted(used)}
    return [
        InvalidRulebook(problem, file=authored.file, line=test.place.line, column=test.place.column)
        for test in authored.tests
        for problem in _broken(test, validators)
    ]


def _broken(test: RuleTest, validators: Mapping[str, Any]) -> list[str]:
    problems = []
    for member in (test.customer, *test.others):
        whose = "" if member is test.customer else f" of {member.customer_id}"
        for number, fact in enumerate(member.given, start=1):
            if fact.retracts is not None and not fact.data:
                continue  # a retraction needs none
            try:
                validators.get(fact.type, _anything)(dict(fact.data))
            except fastjsonschema.JsonSchemaValueException as error:
                problems.append(
                    f"given event {number}{whose} breaks the schema of {fact.type}: {error.message}"
                )
    return problems


def _anything(data: Any) -> None:
    """An event type with no schema is accepted as it is."""


def _ordered(errors: list[InvalidRulebook]) -> tuple[InvalidRulebook, ...]:
    unique = {str(error): error for error in errors}
    return tuple(
        sorted(unique.values(), key=lambda error: (error.file, error.line, error.column, error.message))
    )
