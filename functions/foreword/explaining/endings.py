"""Why a message waits or came to its end: what was compared, in a line or two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from foreword.domain.facts import OWN_TYPES, Fact
from foreword.domain.instants import Instant, format_duration, format_instant
from foreword.domain.messages import Message
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import EventFilter, Policy, Rule
from foreword.explaining.customer import Customer


def because(
    message: Message, rule: Rule | None, customer: Customer, policy: Policy, facts: Sequence[Fact]
) -> tuple[str, ...]:
    return tuple(_because(message, rule, customer, policy, facts))


def _because(
    message: Message, rule: Rule | None, customer: Customer, policy: Policy, facts: Sequence[Fact]
) -> Iterator[str]:
    for channel in message.tried:
        yield f"it bounced, or certainly did not arrive, by {channel}"
    match message.reason:
        case Reason.LOST_ARBITRATION:
            yield _lost(message, customer)
        case Reason.HELD_OUT:
            yield _held_out(rule, policy)
        case Reason.CANCELLED_BY_EXCEPTION if rule is not None:
            yield from _called_off(message, rule, facts)
        case Reason.WAITING_TO_FOLLOW_UP:
            yield f"a follow-up: it passes its gates at {format_instant(message.due_at or message.deliver_by)}"
        case Reason.VOLUME_REACHED:
            yield f"as many messages of {message.topic} as the policy's volume constraint allows had left that day"
        case Reason.PAUSED:
            yield "the emergency stop (`foreword pause`) held it"
        case Reason.EXPIRED:
            yield f"it could be delivered until {format_instant(message.deliver_by)}"
        case _:
            pass


def _lost(message: Message, customer: Customer) -> str:
    won = [one for one in customer.messages if one.message == message.winner and one.rule != message.rule]
    winner = min(won, key=lambda one: abs(one.decided_at - _end(message)), default=None)
    if winner is None:
        return f"against {message.winner}: {message.purpose} with a score of {message.score}"
    if winner.purpose is not message.purpose:
        return f"against {winner.message}: {winner.purpose} comes before {message.purpose}"
    if winner.score == message.score:
        return f"against {winner.message}: both have a score of {message.score}, and the older one wins"
    return f"against {winner.message}: its score is {winner.score}, and this one's {message.score}"


def _end(message: Message) -> Instant:
    return message.closed_at or message.decided_at


def _held_out(rule: Rule | None, policy: Policy) -> str:
    own = None if rule is None or rule.experiment is None else rule.experiment.holdout
    shares = [f"the policy's {_percent(policy.holdout)}"] if policy.holdout else []
    shares += [f"the experiment's {_percent(own)}"] if own else []
    return f"the customer is in a control group: {' or '.join(shares) or 'of another rulebook'}"


def _percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f} %"


def _called_off(message: Message, rule: Rule, facts: Sequence[Fact]) -> Iterator[str]:
    """By the first such event after the firing: of the rule's exceptions, or of what the follow-up names."""
    send = next((send for send in rule.sends if send.message == message.message), None)
    named = [one for one in (rule.exceptions, None if send is None else send.unless) if one is not None]
    end = _end(message)
    came = [
        fact
        for fact in facts
        if message.decided_for < fact.occurred_at <= end and any(_may_be(fact, one) for one in named)
    ]
    for fact in sorted(came, key=lambda fact: fact.order)[:1]:
        after = format_duration(fact.occurred_at - message.decided_for)
        yield f"by {fact.type} {fact.id} at {format_instant(fact.occurred_at)}, {after} after it fired"


def _may_be(fact: Fact, event: EventFilter) -> bool:
    """By its type: what `where` asks of it was true, or the message would not have been called off."""
    return fact.type not in OWN_TYPES if event.types is None else fact.type in event.types
