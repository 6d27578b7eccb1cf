"""What becomes of a firing's messages: through the same gates as at the claim, at the time that it would be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foreword.backtest.profiles import Given
from foreword.domain.consent import Consents
from foreword.domain.decisions import Decision, messages_of
from foreword.domain.facts import CUSTOMER_UPDATED, PREFERENCE_CHANGED, Fact
from foreword.domain.gates import Close, Send, judge
from foreword.domain.instants import Instant
from foreword.domain.messages import Message
from foreword.domain.profiles import ADDRESSES, Attribute, Profile
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Channel, Policy, Rule
from foreword.domain.state import BEGINNING

TOLD_BY = frozenset({CUSTOMER_UPDATED, PREFERENCE_CHANGED})
"""The events that a gate reads."""

_REACHABLE = {"email": "customer@example.com", "phone": "+10000000000"}
"""A history has no addresses: in a backtest every customer can be reached."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of one message in the end; `channel` is the one that it left by."""

    message: str
    reason: Reason
    channel: Channel | None


@dataclass(frozen=True, slots=True)
class Customer:
    """`given` is what the customers' file says, `told` the customer's own events that a gate reads, by time."""

    customer_id: str
    given: Given | None
    told: Sequence[Fact] = ()

    def profile(self, now: Instant) -> Profile:
        """As given, always; where nothing is, as the events up to `now` tell."""
        attributes = {} if self.given is None else self.given.attributes
        profile = Profile(
            self.customer_id, {name: Attribute(value, BEGINNING) for name, value in attributes.items()}
        )
        if self.given is None:
            for fact in self._until(now, CUSTOMER_UPDATED):
                profile = profile.merge(fact)
        reachable = {name: Attribute(_REACHABLE[name], BEGINNING) for name in ADDRESSES}
        return Profile(self.customer_id, {**profile.attributes, **reachable})

    def consents(self, now: Instant) -> Consents:
        consents = Consents(self.customer_id) if self.given is None else self.given.consents
        for fact in self._until(now, PREFERENCE_CHANGED):
            consents = consents.merge(fact)
        return consents

    def _until(self, now: Instant, kind: str) -> list[Fact]:
        return [fact for fact in self.told if fact.type == kind and fact.occurred_at <= now]


def endings(decision: Decision, rule: Rule, customer: Customer, policy: Policy | None) -> list[Ending]:
    """Of each message, in the order of its sends; without a policy each is sent by its first channel."""
    if decision.reason is not None:
        return []
    if policy is None:
        sends = (rule.sends[at] for at in decision.sends)
        return [Ending(send.message, Reason.SENT, send.channels[0]) for send in sends]
    now = max(decision.at, decision.expires_from)
    return [
        _ending(message, customer, policy, now) for message in messages_of(decision, rule, now, "backtest")
    ]


def _ending(message: Message, customer: Customer, policy: Policy, now: Instant) -> Ending:
    while True:
        verdict = judge(message, customer.profile(now), customer.consents(now), policy, now)
        match verdict:
            case Send(channel=channel):
                return Ending(message.message, Reason.SENT, channel)
            case Close(reason=reason):
                return Ending(message.message, reason, None)
            case _:
                now = verdict.until
