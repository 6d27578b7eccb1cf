"""A message as a rule's own test makes it: the values by which templates are looked at before any customer is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from foreword.authoring.rule_tests import decisions
from foreword.authoring.rulebook import LoadedRulebook
from foreword.authoring.rules import AuthoredRule
from foreword.authoring.written_tests import RuleTest
from foreword.domain.core import Core
from foreword.domain.decisions import Decision, messages_of
from foreword.domain.facts import CUSTOMER_UPDATED
from foreword.domain.messages import Message
from foreword.domain.profiles import Attribute, Profile
from foreword.domain.rulebook import Rulebook
from foreword.domain.state import BEGINNING

GENERATION = "sample"


@dataclass(frozen=True, slots=True)
class Sample:
    """`test` is the one that made it, of the message's rule."""

    message: Message
    profile: Profile
    test: str


def samples_of(authored: AuthoredRule, loaded: LoadedRulebook) -> list[Sample]:
    """One for each message that a test of the rule sends: by the first such test."""
    found: dict[str, Sample] = {}
    wanted = {send.message for send in authored.rule.sends}
    for sample in _made(authored, loaded):
        found.setdefault(sample.message.message, sample)
        if found.keys() == wanted:
            break
    return list(found.values())


def _made(authored: AuthoredRule, loaded: LoadedRulebook) -> Iterator[Sample]:
    rule = authored.rule
    core = Core(
        Rulebook(generation=GENERATION, rules=(rule,), policy=loaded.policy, lists=loaded.lists)
    ).as_live()
    for test in authored.tests:
        for decision in decisions(test, core, rule.rule) if test.fires else ():
            if decision.reason is None:
                profile = _profile(test, decision)
                for message in messages_of(decision, rule, decision.at, GENERATION, loaded.policy):
                    yield Sample(message, profile, test.name)


def _profile(test: RuleTest, decision: Decision) -> Profile:
    """As it was when the rule fired."""
    given = test.customer
    attributes = {name: Attribute(value, BEGINNING) for name, value in given.profile.items()}
    profile = Profile(given.customer_id, attributes)
    for fact in given.given:
        if fact.type == CUSTOMER_UPDATED and fact.occurred_at <= decision.at:
            profile = profile.merge(fact)
    return profile
