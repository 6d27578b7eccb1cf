"""Running a rule's own tests through the core that decides in Lambda."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

from foreword.authoring.follow_ups import leaves_at
from foreword.authoring.policy_tests import contacting_of, outcomes, with_nobody_held_out
from foreword.authoring.rules import AuthoredRule
from foreword.authoring.written_tests import CUSTOMER_ID, Expected, RuleTest, Sent, Skipped
from foreword.domain import json_text
from foreword.domain.contacting import Contacting
from foreword.domain.core import Core
from foreword.domain.decisions import Decision
from foreword.domain.instants import Instant, format_instant
from foreword.domain.matching import Matching
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
    """Each test alone, against this rule alone: no gate of the policy applies unless the test says so."""
    rulebook = Rulebook(generation="test", rules=(authored.rule,), policy=policy, lists=lists)
    core = Core(rulebook).as_live()
    return tuple(_run(authored, test, core) for test in authored.tests)


@dataclass(frozen=True, slots=True)
class _Happened:
    """`outcomes` each with the time at which it came; empty where no `if` held, or all wait or were cancelled."""

    decision: Decision
    outcomes: tuple[tuple[Instant, Expected], ...]


def _run(authored: AuthoredRule, test: RuleTest, core: Core) -> RuleTestResult:
    rule = authored.rule
    happened = _under_the_policy(test, core, rule) if test.policy else _without_gates(test, core, rule)
    # What was skipped is compared only where the test speaks of skipping.
    skips = any(isinstance(expected, Skipped) for expected in test.expect)
    in_time = sorted((outcome for one in happened for outcome in one.outcomes), key=itemgetter(0))
    compared = tuple(outcome for _, outcome in in_time if skips or isinstance(outcome, Sent))
    difference = () if _as_expected(compared, test.expect) else _difference(rule, test, happened)
    return RuleTestResult(rule.rule, test.name, authored.file, test.place.line, difference)


def _without_gates(test: RuleTest, core: Core, rule: Rule) -> list[_Happened]:
    own = Matching(once(test.customer.given), core.lists, test.customer.profile)
    return [
        _Happened(decision, tuple(_outcomes(rule, decision, own, test.end)))
        for decision in decisions(test, core, rule.rule)
    ]


def _under_the_policy(test: RuleTest, core: Core, rule: Rule) -> list[_Happened]:
    core = with_nobody_held_out(core)
    contacting = contacting_of(test, core)
    happened = []
    for decision in decisions(test, core, rule.rule, contacting):
        if decision.reason is not None:
            found: Iterator[tuple[Instant, Expected]] = iter([(decision.at, Skipped(decision.reason))])
        else:
            found = outcomes(contacting, decision, test.end)
        happened.append(_Happened(decision, tuple(found)))
    return happened


def _as_expected(happened: tuple[Expected, ...], expected: tuple[Expected, ...]) -> bool:
    """The time of a message counts where the test names it."""
    if len(happened) != len(expected):
        return False
    return all(
        came == wanted
        or (isinstance(came, Sent) and isinstance(wanted, Sent) and wanted == replace(came, at=None))
        for came, wanted in zip(happened, expected, strict=True)
    )


def decisions(test: RuleTest, core: Core, rule: str, contacting: Contacting | None = None) -> list[Decision]:
    """Those of the test's own customer, in time order. What a cohort leads to is known when all were replayed."""
    replayed = [
        replay(
            core,
            member.customer_id,
            member.profile,
            once(member.given),
            test.start,
            test.end,
            contacting=contacting if member is test.customer else None,
        )
        for member in (test.customer, *test.others)
    ]
    if core.rules[rule].peers is None:
        return replayed[0].decisions
    values = [value for one in replayed for value in one.peer_values]
    compared = peers_decisions(core, rule, values, test.end)
    own = [decision for decision in compared if decision.customer_id == CUSTOMER_ID]
    if contacting is not None:
        for decision in own:
            contacting.later(decision.expires_from - 1)
            contacting.decided_apart(decision, decision.expires_from)
        contacting.later(test.end)
    return own


def _outcomes(
    rule: Rule, decision: Decision, own: Matching, end: Instant
) -> Iterator[tuple[Instant, Expected]]:
    """One for each send whose `if` holds, by the first of its channels; a follow-up when its time has come."""
    if decision.reason is not None:
        yield decision.at, Skipped(decision.reason)
        return
    for send in (rule.sends[at] for at in decision.sends):
        at = leaves_at(rule, send, decision, own, end)
        if at is not None:
            yield at, Sent(send.message, send.channels[0], at)


def _difference(rule: Rule, test: RuleTest, happened: list[_Happened]) -> tuple[str, ...]:
    lines = [f"expected  {expected}" for expected in test.expect] or ["expected  no message"]
    for one in happened:
        decision = one.decision
        values = ", ".join(f"{name} = {_shown(value)}" for name, value in decision.signals.items())
        told = f" with {values}" if values else ""
        lines += [f"happened  {_told(outcome, at)}{told}" for at, outcome in one.outcomes]
        if not one.outcomes:
            at = format_instant(decision.at)
            lines.append(f"happened  no message, for {_why_none(decision)}, at {at}{told}")
    if not happened:
        lines.append(f"happened  nothing: 'when' did not become true{_clock(rule, test)}")
    return tuple(lines)


def _told(outcome: Expected, at: Instant) -> str:
    return str(outcome) if isinstance(outcome, Sent) else f"{outcome} at {format_instant(at)}"


def _why_none(decision: Decision) -> str:
    if decision.sends:
        return "its follow-ups are not due yet or were cancelled"
    return "no 'if' held"


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
