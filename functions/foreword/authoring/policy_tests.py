"""A rule's test with `policy: true`: its messages go through the policy's gates, as time goes by.

The customer is reachable and agrees to everything, unless the profile says otherwise (`email: null`) or a given
event does (PreferenceChanged, CustomerUpdated). Nobody is held out: who is depends on an id, and a test has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from foreword.authoring.written_tests import Expected, RuleTest, Sent, Skipped
from foreword.domain.consent import Choice, Consents
from foreword.domain.contacting import Contacting
from foreword.domain.core import Core
from foreword.domain.decisions import Decision
from foreword.domain.instants import Instant
from foreword.domain.messages import MessageStatus
from foreword.domain.preference_changes import ANY
from foreword.domain.profiles import Attribute, Profile
from foreword.domain.reached import Reached, reached
from foreword.domain.reasons import Reason
from foreword.domain.replay import once
from foreword.domain.state import BEGINNING

REACHABLE = {"email": "customer@example.com", "phone": "+10000000000"}


def with_nobody_held_out(core: Core) -> Core:
    """The rulebook in which every customer of a test is treated."""
    book = core.rulebook
    rules = tuple(
        rule
        if rule.experiment is None
        else rule.model_copy(
            update={"experiment": rule.experiment.model_copy(update={"holdout": Decimal(0)})}
        )
        for rule in book.rules
    )
    policy = book.policy.model_copy(update={"holdout": Decimal(0)})
    return Core(book.model_copy(update={"rules": rules, "policy": policy})).as_live()


def contacting_of(test: RuleTest, core: Core) -> Contacting:
    return Contacting(core, core.rulebook.policy, test.customer.customer_id, _reached(test))


def outcomes(contacting: Contacting, decision: Decision, end: Instant) -> Iterator[tuple[Instant, Expected]]:
    """What became of each message, at the time at which it did; what still waits does so at the `end`."""
    for send in decision.sends:
        message = contacting.message(decision, send)
        if message.status is MessageStatus.SENT and message.channel is not None:
            at = message.closed_at or end
            yield at, Sent(message.message, message.channel, at)
        elif message.reason not in (None, Reason.WAITING_TO_FOLLOW_UP):
            yield message.closed_at or end, Skipped(message.reason)


def _reached(test: RuleTest) -> Reached:
    customer = test.customer
    known = {**REACHABLE, **customer.profile}
    profile = Profile(
        customer.customer_id, {name: Attribute(value, BEGINNING) for name, value in known.items()}
    )
    agreed = Consents(customer.customer_id, {(ANY, ANY): Choice(opted_in=True, written=BEGINNING)})
    return reached(profile, agreed, once(customer.given))
