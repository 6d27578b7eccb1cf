"""When the messages of a rule's own test leave: at once, or as follow-ups that nothing has cancelled until then."""

from __future__ import annotations

from foreword.domain.decisions import Decision
from foreword.domain.facts import Fact
from foreword.domain.instants import Instant
from foreword.domain.matching import Matching
from foreword.domain.rulebook import Rule, Send


def leaves_at(rule: Rule, send: Send, decision: Decision, happened: Matching, end: Instant) -> Instant | None:
    """None where its time is not over by `end`, or where an event since the firing has cancelled it."""
    if not send.after:
        return decision.at
    due = decision.expires_from + send.after
    since = (fact for fact in happened.facts if decision.at < fact.occurred_at <= due)
    if due > end or any(_cancels(fact, rule, send, decision.case, happened) for fact in since):
        return None
    return due


def _cancels(fact: Fact, rule: Rule, send: Send, case: str | None, happened: Matching) -> bool:
    if rule.for_each is not None and happened.case(rule.for_each, fact) != case:
        return False
    events = (events for events in (rule.exceptions, send.unless) if events is not None)
    return any(happened.means(event, fact) for event in events)
