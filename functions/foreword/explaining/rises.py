"""A rise as it is told: the gates it met, and what became of its messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foreword.domain.core import Core
from foreword.domain.facts import PEERS_COMPARED, Fact
from foreword.domain.instants import Instant, format_instant
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Mode, Rule, Rulebook
from foreword.domain.verdicts import Verdicts
from foreword.domain.walk import Rise, Walk
from foreword.explaining.conditions import Names, compare, send_conditions
from foreword.explaining.customer import Customer
from foreword.explaining.delivery import send_gates
from foreword.explaining.endings import because
from foreword.explaining.explanation import Held, MessageExplained, RiseExplained, SendGates
from foreword.explaining.journal import Journal
from foreword.explaining.records import Record, Records

FIRED = "fired"
NO_IF_HELD = "NO_IF_HELD"
"""Shown in place of a reason where a rise fired and no send's `if` held: there is no message to have one."""

_OF_THE_GATES = (
    Reason.PAUSED_BY_CUSTOMER,
    Reason.NO_CONSENT,
    Reason.SUPPRESSED,
    Reason.NO_ADDRESS,
    Reason.CAPPED,
)


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells of what happened up to `at`. `rulebook` has the rules as written; the core takes drafts along."""

    rulebook: Rulebook
    core: Core
    walk: Walk
    journal: Journal
    customer: Customer
    records: Records
    at: Instant

    def rise(self, rise: Rise) -> RiseExplained:
        records = self.records.of(rise)
        decided_at = min((record.decided_at for record in records), default=None)
        asked_at = self._asked_at(rise) if decided_at is None else decided_at
        verdicts = Verdicts(self.records.state(asked_at, but=records))
        rule = self._written(rise)
        held = held_until(verdicts, rise)
        decision = verdicts.decision(rise, self.customer.customer_id, asked_at)
        if records:
            outcome, note = self._recorded(records), None
        else:
            fires = decision.reason in (None, Reason.SHADOW)
            outcome = NO_IF_HELD if fires and not rise.sends else FIRED if fires else str(decision.reason)
            note = self._why_unrecorded(rise, rule, outcome)
        names = self._names(rise)
        return RiseExplained(
            at=rise.at,
            decided_at=decided_at,
            caused_by=self._caused_by(rise),
            signals=decision.signals,
            when=compare(rise.rule.rule.when.tree, names),
            eligible=compare(rise.rule.rule.eligible.tree, names),
            held=held,
            mode=rule.mode,
            ifs=send_conditions(rise.rule.rule, names),
            outcome=outcome,
            recorded=bool(records),
            note=note,
            messages=tuple(self.message(message) for record in records for message in record.messages),
        )

    def message(self, message: Message) -> MessageExplained:
        at = message.closed_at or message.claimed_at
        rule = next((rule for rule in self.rulebook.rules if rule.rule == message.rule), None)
        gates = self._gates(message, rule)
        return MessageExplained(
            message_id=message.message_id,
            message=message.message,
            status=message.status,
            reason=message.reason,
            channel=message.channel,
            at=at,
            until=message.due_at if message.status is MessageStatus.DEFERRED else None,
            deliver_by=message.deliver_by,
            later=at is not None and at > self.at,
            another_rulebook=message.generation != self.rulebook.generation,
            gates=gates,
            because=because(message, rule, self.customer, self.rulebook.policy, self.customer.facts),
        )

    def _gates(self, message: Message, rule: Rule | None) -> SendGates | None:
        """As they stood when one of them closed for good."""
        if rule is None or message.reason not in _OF_THE_GATES or message.closed_at is None:
            return None
        send = next((send for send in rule.sends if send.message == message.message), None)
        if send is None:
            return None
        then = min(message.closed_at, self.at)
        return send_gates(rule, send, self.customer.as_of(then), self.rulebook.policy, then)

    def _recorded(self, records: list[Record]) -> str:
        """A decision that did not fire has one message, with its reason, closed as it was decided."""
        for record in records:
            for message in record.messages:
                if message.reason in (Reason.NOT_ELIGIBLE, Reason.NOT_RE_ELIGIBLE, Reason.TOO_LATE):
                    return str(message.reason)
        return FIRED

    def _why_unrecorded(self, rise: Rise, rule: Rule, outcome: str) -> str:
        late = rise.cause.known_at - rise.cause.expires_from
        if rule.mode is Mode.DRAFT:
            return "a draft decides nothing"
        if rise.cause.fact is not None and rise.cause.fact.imported:
            return "its event was imported, and decides nothing"
        if late > self.rulebook.policy.allowed_lateness:
            return "its event came later than is allowed, and decides nothing"
        if outcome == NO_IF_HELD:
            return "none of its messages' conditions held, so that there is nothing to record"
        if rise.at + self.rulebook.messages_kept_for < self.at:
            return "what was recorded of it has expired"
        return (
            "nothing is recorded of it: the rule was published or changed later, or is not deployed like this"
        )

    def _asked_at(self, rise: Rise) -> Instant:
        """When it was or would have been decided: a deadline a while after its time."""
        settle = self.rulebook.policy.settle if is_deadline(rise) else 0
        fact = rise.cause.fact
        if fact is not None and fact.imported:  # it could have been decided at no time
            return fact.received_at
        return rise.cause.known_at + settle

    def _written(self, rise: Rise) -> Rule:
        return next(rule for rule in self.rulebook.rules if rule.rule == rise.rule.name)

    def _names(self, rise: Rise) -> Names:
        profile: Mapping[str, Any] = self.walk.profile(rise.at)
        fact = self.journal.by_key.get(rise.cause.made_by)
        if fact is not None and fact.type == PEERS_COMPARED:
            profile = fact.data["profile"]
        undefined = dict.fromkeys(set(rise.rule.names) - rise.signals.keys(), "it had no value then")
        return Names(rise.signals, undefined, profile, self.core.lists, rise.cause.fact)

    def _caused_by(self, rise: Rise) -> str:
        return cause_words(rise, self.journal.by_key.get(rise.cause.made_by))


def is_deadline(rise: Rise) -> bool:
    """An absence, a date or a schedule: decided when the policy's `settle` is over."""
    if rise.rule.peers is not None:
        return False
    return rise.cause.fact is None or rise.cause.at != rise.cause.fact.occurred_at


def held_until(verdicts: Verdicts, rise: Rise) -> Held | None:
    entry = verdicts.held_by(rise)
    apart = rise.rule.rule.re_eligible_after
    return None if entry is None or apart is None else Held(entry.at, entry.at + apart)


def cause_words(rise: Rise, fact: Fact | None) -> str:
    """What made the rise; `fact` is the one that the cause names, where the journal has it."""
    if fact is None:
        kind = rise.cause.made_by.partition("/")[0]
        return {"date": "its date", "schedule": "its schedule"}.get(kind, rise.cause.key)
    if fact.type == PEERS_COMPARED:
        return f"the close of a period at {format_instant(fact.occurred_at)}"
    return f"the deadline after {event_name(fact)}" if is_deadline(rise) else event_name(fact)


def event_name(fact: Fact) -> str:
    return f"{fact.type} {fact.id} of {fact.source} at {format_instant(fact.occurred_at)}"
