"""Running a rule's own tests through the core that decides in Lambda."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foreword.authoring.rules import AuthoredRule
from foreword.authoring.written_tests import CUSTOMER_ID, Expected, RuleTest, Sent, Skipped
from foreword.domain import json_text
from foreword.domain.core import Core
from foreword.domain.decisions import Decision
from foreword.domain.instants import format_instant
from foreword.domain.peers import peers_decisions
from foreword.domain.replay import once, replay
from foreword.domain.rulebook import Policy, Rule, Rulebook


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
    core = Core(rulebook).as_live()
    return tuple(_run(authored, test, core) for test in authored.tests)


def _run(authored: AuthoredRule, test: RuleTest, core: Core) -> RuleTestResult:
    happened = [
        (decision, _outcomes(authored, decision)) for decision in decisions(test, core, authored.rule.rule)
    ]
    # What was skipped is compared only where the test speaks of skipping.
    skips = any(isinstance(expected, Skipped) for expected in test.expect)
    compared = tuple(
        outcome for _, outcomes in happened for outcome in outcomes if skips or isinstance(outcome, Sent)
    )
    difference = () if compared == test.expect else _difference(authored.rule, test, happened)
    return RuleTestResult(authored.rule.rule, test.name, authored.file, test.place.line, difference)


def decisions(test: RuleTest, core: Core, rule: str) -> list[Decision]:
    """Those of the test's own customer, in time order. What a cohort leads to is known when all were replayed."""
    replayed = [
        replay(core, member.customer_id, member.profile, once(member.given), test.start, test.end)
        for member in (test.customer, *test.others)
    ]
    if core.rules[rule].peers is None:
        return replayed[0].decisions
    values = [value for one in replayed for value in one.peer_values]
    compared = peers_decisions(core, rule, values, test.end)
    return [decision for decision in compared if decision.customer_id == CUSTOMER_ID]


def _outcomes(authored: AuthoredRule, decision: Decision) -> tuple[Expected, ...]:
    """One for each send whose `if` holds, by the first of its channels."""
    if decision.reason is not None:
        return (Skipped(decision.reason),)
    sends = [authored.rule.sends[at] for at in decision.sends]
    return tuple(Sent(send.message, send.channels[0]) for send in sends)


def _difference(
    rule: Rule, test: RuleTest, happened: list[tuple[Decision, tuple[Expected, ...]]]
) -> tuple[str, ...]:
    lines = [f"expected  {expected}" for expected in test.expect] or ["expected  no message"]
    for decision, outcomes in happened:
        values = ", ".join(f"{name} = {_shown(value)}" for name, value in decision.signals.items())
        when = f"at {format_instant(decision.at)}{f' with {values}' if values else ''}"
        lines += [f"happened  {outcome} {when}" for outcome in outcomes or ("no message, for no 'if' held,",)]
    if not happened:
        lines.append(f"happened  nothing: 'when' did not become true{_clock(rule, test)}")
    return tuple(lines)


def _clock(rule: Rule, test: RuleTest) -> str:
    """Where more time would have to pass, when the test's clock ended."""
    kinds = {signal.kind for signal in rule.signals.values()}
    if rule.evaluate is None and not kinds & {"absence", "date", "peers"}:
        return ""
    return (
        f" up to {format_instant(test.end)}, where the clock of the test ends ('until' lets more time pass)"
    )


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json_text.dumps(value)
