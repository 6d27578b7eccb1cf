"""What becomes of a firing's messages: through the same gates as on the road, at the times that it would be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from foreword.backtest.profiles import Given
from foreword.domain.consent import Consents
from foreword.domain.contacting import Contacting
from foreword.domain.core import Core
from foreword.domain.decisions import Decision, message_ids
from foreword.domain.facts import CUSTOMER_UPDATED, Fact
from foreword.domain.messages import Message
from foreword.domain.profiles import ADDRESSES, Attribute, Profile
from foreword.domain.reached import Reached, reached
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Channel, Policy, Rule
from foreword.domain.state import BEGINNING

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

    def reached(self) -> Reached:
        """The profile is as given, always; where nothing is, as the events tell it."""
        attributes = {} if self.given is None else self.given.attributes
        known = {**attributes, **_REACHABLE}
        profile = Profile(
            self.customer_id, {name: Attribute(value, BEGINNING) for name, value in known.items()}
        )
        consents = Consents(self.customer_id) if self.given is None else self.given.consents
        told = [_without_addresses(fact) for fact in self.told]
        return reached(profile, consents, told, as_given=self.given is not None)


def contacting_of(
    customer: Customer, core: Core, policy: Policy, refused: Collection[str] = ()
) -> Contacting:
    return Contacting(core, policy, customer.customer_id, customer.reached(), refused)


def _without_addresses(fact: Fact) -> Fact:
    if fact.type != CUSTOMER_UPDATED or not any(name in fact.data for name in ADDRESSES):
        return fact
    return fact._replace(data={name: it for name, it in fact.data.items() if name not in ADDRESSES})


def sent_endings(decision: Decision, rule: Rule) -> list[Ending]:
    """Without a policy each message is sent by its first channel."""
    if decision.reason is not None:
        return []
    sends = (rule.sends[at] for at in decision.sends)
    return [Ending(send.message, Reason.SENT, send.channels[0]) for send in sends]


def endings(decision: Decision, contacting: Contacting) -> list[Ending]:
    """What became of each message at last, in the order of its sends: what waits still waits."""
    if decision.reason is not None:
        return []
    return [_ending(contacting.ended[message_id]) for message_id in message_ids(decision)]


def _ending(message: Message) -> Ending:
    assert message.reason is not None  # noqa: S101  whatever waits or has ended says why
    return Ending(message.message, message.reason, message.channel if message.reason is Reason.SENT else None)
