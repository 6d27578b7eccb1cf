"""Running a rule's own tests through the core that decides in Lambda."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foreword.authoring.rules import AuthoredRule
from foreword.authoring.written_tests import CUSTOMER_ID, Expected, RuleTest, Sent, Skipped
from foreword.domain.core import Core
from foreword.domain.decisions import Decision
from foreword.domain.instants import format_instant
from foreword.domain.replay import once, replay
from foreword.domain.rulebook import Policy, Rulebook


@dataclass(frozen=True, slots=True)
class RuleTestResult:
    """`difference` is empty where the test passed, else lines that say what was expected and what happened."""

    rule: str
    test: str
    file: str
    line: int
    difference: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.difference


def run_rule_tests(
    authored: AuthoredRule, policy: Policy, lists: Mapping[str, tuple[str, ...]]
) -> tuple[RuleTestResult, ...]:
    """Each test alone, against this rule alone: no gate of the policy applies."""
    rulebook = Rulebook(generation="test", rules=(authored.rule,), policy=policy, lists=lists)
    return tuple(_run(authored, test, rulebook) for test in authored.tests)


def _run(authored: AuthoredRule, test: RuleTest, rulebook: Rulebook) -> RuleTestResult:
    core = Core(rulebook).as_live()
    decisions = replay(core, CUSTOMER_ID, test.customer, once(test.given), None, test.until).decisions
    happened: list[tuple[Decision, Expected]] = [
        (decision, _outcome(authored, decision)) for decision in decisions
    ]
    # What was skipped is compared only where the test speaks of skipping.
    skips = any(isinstance(expected, Skipped) for expected in test.expect)
    compared = tuple(outcome for _, outcome in happened if skips or isinstance(outcome, Sent))
    difference = () if compared == test.expect else _difference(test, happened)
    return RuleTestResult(authored.rule.rule, test.name, authored.file, test.place.line, difference)


def _outcome(authored: AuthoredRule, decision: Decision) -> Expected:
    if decision.reason is not None:
        return Skipped(decision.reason)
    send = authored.rule.sends[0]
    return Sent(send.message, send.channels[0])


def _difference(test: RuleTest, happened: list[tuple[Decision, Expected]]) -> tuple[str, ...]:
    lines = [f"expected  {expected}" for expected in test.expect] or ["expected  no message"]
    for decision, outcome in happened:
        values = ", ".join(f"{name} = {_shown(value)}" for name, value in decision.signals.items())
        lines.append(
            f"happened  {outcome} at {format_instant(decision.at)}{f' with {values}' if values else ''}"
        )
    if not happened:
        lines.append("happened  nothing: 'when' did not become true")
    return tuple(lines)


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
