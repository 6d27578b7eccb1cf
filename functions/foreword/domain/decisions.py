"""A decision: what a rise led to, with the signals it was made on; and the messages it makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from foreword.domain.assignment import in_holdout, in_rule_holdout, variant_of
from foreword.domain.instants import Instant
from foreword.domain.messages import Message, MessageStatus, look_again, message_id
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Policy, Purpose, Rule


class Decision(NamedTuple):
    """`reason` is None where the rule fires and its messages go on to the gates of delivery.

    `at` is the time of the rise; `expires_from` is where `expires_after` begins, the close for a comparison with
    peers. `signals` holds the defined values only; `sends` says which of the rule's sends have an `if` that holds,
    `scores` how each of them competes, `called_off` which an exception event had called off when it was decided.
    """

    customer_id: str
    rule: str
    case: str | None
    at: Instant
    episode: str
    reason: Reason | None
    signals: Mapping[str, Any]
    sends: tuple[int, ...]
    expires_from: Instant
    scores: tuple[Decimal, ...] = ()
    called_off: frozenset[int] = frozenset()


COUNTS_AS_SENT = frozenset({Reason.SHADOW, Reason.HELD_OUT, Reason.BOUNCED})
"""Messages that were not sent, or did not arrive, and hold their clock of re-eligibility all the same."""


def message_ids(decision: Decision) -> list[str]:
    """Of the sends that the decision makes and nothing has called off."""
    return [id_of(decision, send) for send in decision.sends if send not in decision.called_off]


def messages_of(
    decision: Decision, rule: Rule, now: Instant, generation: str, policy: Policy
) -> list[Message]:
    """The messages that record this decision: one for each send where it fires, else one with its reason.

    READY ones go on to the gates; a follow-up waits until it is due.
    """
    if decision.reason in (None, Reason.SHADOW):
        return [_message(decision, rule, send, now, generation, policy) for send in decision.sends]
    return [_message(decision, rule, 0, now, generation, policy)]


def _message(
    decision: Decision, rule: Rule, at: int, now: Instant, generation: str, policy: Policy
) -> Message:
    send = rule.sends[at]
    begins = decision.expires_from + send.after
    message = Message(
        customer_id=decision.customer_id,
        message_id=id_of(decision, at),
        rule=decision.rule,
        case=decision.case,
        episode=decision.episode,
        message=send.message,
        purpose=send.purpose,
        topic=send.topic,
        priority=send.priority,
        channels=send.channels,
        decided_for=decision.at,
        decided_at=now,
        deliver_by=begins + send.expires_after,
        generation=generation,
        signals=decision.signals,
        score=decision.scores[at] if decision.scores else Decimal(send.priority),
        variant=_variant(decision, rule),
        follow_up=send.after > 0,
        due_at=look_again(now),
    )
    reason = decision.reason or _stopped(decision, rule, at, policy)
    if reason is not None:
        return replace(message, status=MessageStatus.NOT_SENT, reason=reason, closed_at=now, due_at=None)
    if send.after > 0:
        waiting = Reason.WAITING_TO_FOLLOW_UP
        return replace(message, status=MessageStatus.DEFERRED, reason=waiting, due_at=begins)
    return message


def _stopped(decision: Decision, rule: Rule, at: int, policy: Policy) -> Reason | None:
    if rule.sends[at].purpose is not Purpose.CRITICAL:
        experiment = rule.experiment
        if in_holdout(decision.customer_id, policy.holdout) or (
            experiment is not None and in_rule_holdout(decision.customer_id, rule.rule, experiment.holdout)
        ):
            return Reason.HELD_OUT
    return Reason.CANCELLED_BY_EXCEPTION if at in decision.called_off else None


def _variant(decision: Decision, rule: Rule) -> str | None:
    if rule.experiment is None or not rule.experiment.variants:
        return None
    return variant_of(decision.customer_id, rule.rule, rule.experiment.variants)


def id_of(decision: Decision, send: int) -> str:
    return message_id(decision.customer_id, decision.rule, decision.case, decision.episode, send)
