"""The gates between a firing and its message, asked by the core that asks them at the claim."""

from __future__ import annotations

from dataclasses import replace

from foreword.domain.addresses import ATTRIBUTES, deliverable
from foreword.domain.consent import allows
from foreword.domain.gates import Close, Contact, Defer, judge
from foreword.domain.instants import Instant, format_instant
from foreword.domain.ledger import Ledger
from foreword.domain.messages import Message
from foreword.domain.quiet_hours import zone_of
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Channel, Policy, Purpose, Rule, Send
from foreword.explaining.customer import Customer
from foreword.explaining.explanation import AnyOf, Change, ChannelGates, Needed, SendGates, Step


def send_gates(rule: Rule, send: Send, customer: Customer, policy: Policy, t: Instant) -> SendGates:
    """The gates of a message that would be claimed at `t`; `customer` is as it was known then."""
    message = _message(rule, send, customer, t)
    channels = tuple(_channel(channel, message, customer, policy, t) for channel in send.channels)
    verdict = judge(message, _contact(customer), policy, t)
    match verdict:
        case Close(reason=reason):
            paused = reason is Reason.PAUSED_BY_CUSTOMER
            found, until = str(reason), customer.consents.paused_until if paused else None
        case Defer(until=until, reason=reason):
            found = str(reason)
        case _:
            found, until = str(Reason.SENT), None
    return SendGates(
        at=t,
        message=send.message,
        purpose=send.purpose,
        topic=send.topic,
        verdict=found,
        until=until,
        quiet_hours=_quiet_hours(send, customer, policy),
        channels=channels,
    )


def delivery_needs(gates: SendGates) -> list[Needed]:
    """What would have to change for the message to go out: on any one of its channels."""
    if gates.verdict == Reason.SENT:
        return []
    if gates.verdict == Reason.DEFERRED_QUIET_HOURS and gates.until is not None:
        text = f"nothing: it would wait until {format_instant(gates.until)}"
        return [Needed(gates.verdict, Step(text, time=gates.until))]
    if gates.verdict == Reason.ERASED:
        return [Needed(gates.verdict, Step("nothing can: the customer was erased"))]
    if gates.verdict == Reason.PAUSED_BY_CUSTOMER and gates.until is not None:
        text = f"the customer's pause over, at {format_instant(gates.until)}, or taken back"
        return [Needed(gates.verdict, Step(text))]
    steps: list[Change] = [_opening(channel, gates.topic) for channel in gates.channels]
    return [Needed(gates.verdict, steps[0] if len(steps) == 1 else AnyOf(tuple(steps)))]


def _contact(customer: Customer) -> Contact:
    return Contact(customer.profile, customer.consents, Ledger(customer.customer_id))


def _channel(
    channel: Channel, message: Message, customer: Customer, policy: Policy, t: Instant
) -> ChannelGates:
    only = replace(message, channels=(channel,))
    verdict = judge(only, _contact(customer), policy, t)
    choice = customer.consents.choice(message.topic, channel)
    attribute = ATTRIBUTES.get(channel)
    address: bool | None = True
    if attribute is not None:
        address = deliverable(channel, customer.profile.value(attribute)) is not None
        if not address and attribute in customer.unknown_addresses:
            address = None
    return ChannelGates(
        channel=channel,
        consents=allows(customer.consents, policy, message.purpose, message.topic, channel),
        choice=None if choice is None else "in" if choice.opted_in else "out",
        chosen_at=None if choice is None else choice.written[0],
        consent=_consent_words(message, channel, customer, policy),
        address=address,
        closed_by=str(verdict.reason) if isinstance(verdict, Close) else None,
    )


def _consent_words(message: Message, channel: Channel, customer: Customer, policy: Policy) -> str:
    choice = customer.consents.choice(message.topic, channel)
    waiting = customer.consents.unconfirmed(message.topic, channel)
    if waiting is not None:
        return f"opted in at {format_instant(waiting.written[0])}, which is not confirmed"
    if choice is not None:
        return f"opted {'in' if choice.opted_in else 'out'} at {format_instant(choice.written[0])}"
    if allows(customer.consents, policy, message.purpose, message.topic, channel):
        return f"no choice is recorded, and {message.purpose} needs none"
    return f"no choice is recorded, and {message.purpose} needs an opt-in"


def _opening(channel: ChannelGates, topic: str) -> Step:
    """What opens one channel; each has one gate that closes first."""
    name = channel.channel
    match channel.closed_by:
        case Reason.NO_CONSENT:
            return Step(
                f"{name}: a PreferenceChanged to `in` for the topic {topic} and the channel {name} or any"
            )
        case Reason.SUPPRESSED:
            return Step(f"{name}: the suppression of the address or the channel lifted")
        case Reason.NO_ADDRESS if channel.address is None:
            return Step(f"{name}: nobody can say, for the address was written again since")
        case Reason.NO_ADDRESS:
            attribute = ATTRIBUTES[Channel(name)]
            return Step(f"{name}: a CustomerUpdated whose `{attribute}` can be delivered to")
        case _:
            return Step(f"{name}: nothing, it is open")


def _quiet_hours(send: Send, customer: Customer, policy: Policy) -> str:
    if policy.quiet_hours is None:
        return "none"
    zone = zone_of(customer.profile.value("timezone"), policy.default_timezone).key
    quiet = policy.quiet_hours
    hours = "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in (quiet.start, quiet.end))
    passes = ", which critical messages pass" if send.purpose is Purpose.CRITICAL else ""
    return f"{hours} in {zone}{passes}"


def _message(rule: Rule, send: Send, customer: Customer, t: Instant) -> Message:
    """As the rule would make it at `t`."""
    return Message(
        customer_id=customer.customer_id,
        message_id="0" * 32,
        rule=rule.rule,
        case=None,
        episode="",
        message=send.message,
        purpose=send.purpose,
        topic=send.topic,
        priority=send.priority,
        channels=send.channels,
        decided_for=t,
        decided_at=t,
        deliver_by=t + send.expires_after,
        generation="",
    )
