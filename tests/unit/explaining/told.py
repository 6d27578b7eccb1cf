"""Customers to be explained: rulebooks as authors write them, facts, and the messages the core decides of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from foreword.authoring.rulebook import load_rulebook
from foreword.domain.consent import Consents
from foreword.domain.core import Core
from foreword.domain.decisions import messages_of
from foreword.domain.errors import NeedsJournal
from foreword.domain.facts import CUSTOMER_UPDATED, FOREWORD, MESSAGE_SKIPPED, Fact
from foreword.domain.fold import fold, rebuild
from foreword.domain.instants import Instant, parse_instant
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.profiles import Profile
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Channel, Rulebook
from foreword.domain.state import State
from foreword.explaining.customer import Customer
from foreword.explaining.explain import explain
from foreword.explaining.explanation import (
    AllOf,
    AnyOf,
    CaseExplained,
    Change,
    Explanation,
    RuleExplained,
    Step,
)

HEAD = """\
rule: {name}
why: It is tested.
owner: tests
mode: {mode}
"""
SEND = "send: {message: m, purpose: service, topic: care, channels: [email], expires_after: 24h}\n"

Outcome = Callable[[Message], Message]


def book(directory: Path, policy: str = "", lists: str = "", **rules: str) -> Rulebook:
    """Each rule without its head and its send, which stand here; `mode_x` gives another mode for the rule `x`."""
    folder = directory / "rules"
    folder.mkdir(parents=True, exist_ok=True)
    modes = {name.removeprefix("mode_"): mode for name, mode in rules.items() if name.startswith("mode_")}
    for name, text in rules.items():
        if not name.startswith("mode_"):
            head = HEAD.format(name=name, mode=modes.get(name, "live"))
            send = "" if "send:" in text else SEND
            (folder / f"{name}.yaml").write_text(head + text + send, "utf-8")
    (directory / "policy.yaml").write_text(f"default_timezone: UTC\n{policy}", "utf-8")
    if lists:
        (directory / "lists.yaml").write_text(lists, "utf-8")
    loaded = load_rulebook(directory)
    return loaded.published().model_copy(update={"rules": tuple(one.rule for one in loaded.rules)})


def time(text: str) -> Instant:
    """`2026-03-02T09:00` in UTC."""
    return parse_instant(text if text.endswith("Z") else f"{text}:00Z")


def event(
    at: str, kind: str = "A", *, received: str | None = None, retracts: str | None = None, **data: Any
) -> Fact:
    """Its id is its type and time, unless `id` says otherwise."""
    name = data.pop("id", f"{kind}/{at}")
    received_at = time(at if received is None else received)
    return Fact("test", name, kind, "c-1", time(at), received_at, data, retracts)


def profile_of(facts: Sequence[Fact], **attributes: Any) -> Profile:
    """As the customers table has it after these facts; `attributes` were written long before."""
    start = event("2020-01-01T00:00", CUSTOMER_UPDATED, **attributes)
    profile = Profile("c-1", version=1).merge(start)
    for fact in facts:
        if fact.type == CUSTOMER_UPDATED:
            profile = profile.merge(fact)
    return profile


def sent(message: Message) -> Message:
    at = message.decided_at + 1_000_000
    return (
        message.claimed("attempt", Channel.EMAIL, at).sent("provider", at) if _is_ready(message) else message
    )


def not_sent(reason: Reason) -> Outcome:
    return lambda message: (
        message.not_sent(reason, message.decided_at + 1_000_000) if _is_ready(message) else message
    )


def _is_ready(message: Message) -> bool:
    return message.status is MessageStatus.READY


class Lived:
    """What a deployed stage would hold: each fact folded as it was received, each message come to its end.

    What becomes of messages comes back as facts, as it does over the bus.
    """

    def __init__(self, rulebook: Rulebook, profile: Profile, outcome: Outcome = sent) -> None:
        self._core = Core(rulebook.model_copy(update={"rules": tuple(_published(rulebook))}))
        self._rulebook = rulebook
        self._profile = profile
        self._outcome = outcome
        self._state: State | None = None
        self._due: Instant | None = None
        self.facts: list[Fact] = []
        self.messages: list[Message] = []

    def take(self, facts: Sequence[Fact]) -> Lived:
        for fact in sorted(facts, key=lambda one: one.received_at):
            self.until(fact.received_at - 1)
            self._fold([fact], fact.received_at)
        return self

    def until(self, at: Instant) -> Lived:
        """The tick looks at every deadline and schedule as it comes due."""
        while self._due is not None and self._due <= at:
            self._fold([], self._due)
        return self

    def customer(self, consents: Consents | None = None) -> Customer:
        return Customer("c-1", self.facts, self._profile, self.messages, consents or Consents("c-1"))

    def _fold(self, batch: Sequence[Fact], now: Instant) -> None:
        self.facts += batch
        folded = None
        if self._state is not None:
            with suppress(NeedsJournal):
                folded = fold(self._core, self._state, self._profile, batch, now)
        if folded is None:
            folded = rebuild(self._core, self._state, self._profile, self.facts, batch, now)
        self._state, self._due = folded.state, folded.due_at
        for decision in folded.decisions:
            rule = self._core.rules[decision.rule].rule
            for message in messages_of(decision, rule, now, self._rulebook.generation, self._rulebook.policy):
                ended = self._outcome(message)
                self.messages.append(ended)
                if ended.status is MessageStatus.NOT_SENT and _is_ready(message):
                    self._fold([_skipped(ended)], ended.closed_at or now)


def _published(rulebook: Rulebook) -> Iterator[Any]:
    return (rule for rule in rulebook.rules if rule.mode != "draft")


def _skipped(message: Message) -> Fact:
    at = message.closed_at or 0
    data = {"message_id": message.message_id, "rule": message.rule, "reason": str(message.reason)}
    return Fact(FOREWORD, f"{message.message_id}/skipped", MESSAGE_SKIPPED, "c-1", at, at, data)


def told(rulebook: Rulebook, customer: Customer, at: str, rule: str | None = None) -> Explanation:
    return explain(rulebook, customer, time(at), None if rule is None else [rule])


def rule_told(rulebook: Rulebook, customer: Customer, at: str) -> RuleExplained:
    (rule,) = told(rulebook, customer, at).rules
    return rule


def case_told(rulebook: Rulebook, facts: Sequence[Fact], at: str, **attributes: Any) -> CaseExplained:
    """Of the only rule, for a customer who lived through these facts and got every message."""
    lived = Lived(rulebook, profile_of(facts, **attributes)).take(facts)
    (case,) = rule_told(rulebook, lived.customer(), at).cases
    return case


def texts(change: Change) -> Iterator[str]:
    """Every step's text, in order."""
    match change:
        case Step(text=text):
            yield text
        case AllOf(all_of=parts) | AnyOf(any_of=parts):
            for part in parts:
                yield from texts(part)


def needs(case: CaseExplained, gate: str = "when") -> list[str]:
    return [text for needed in case.needed if needed.gate == gate for text in texts(needed.change)]


def step(case: CaseExplained, gate: str = "when") -> Step:
    """The only step of a gate."""
    (found,) = [needed.change for needed in case.needed if needed.gate == gate]
    assert isinstance(found, Step)
    return found


def values(case: CaseExplained) -> Mapping[str, Any]:
    return {signal.name: signal.value for signal in case.signals}
