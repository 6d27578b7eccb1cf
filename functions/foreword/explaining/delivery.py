"""The gates between a firing and its message, asked by the core that asks them at the claim."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from foreword.domain.addresses import ATTRIBUTES, deliverable
from foreword.domain.arbitration import admit
from foreword.domain.assignment import in_holdout, in_rule_holdout
from foreword.domain.consent import allows
from foreword.domain.gates import SPREAD, Close, Contact, Pace, judge
from foreword.domain.holds import NO_HOLDS, Holds
from foreword.domain.instants import Instant, format_duration, format_instant
from foreword.domain.ledger import Ledger
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.quiet_hours import zone_of
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Channel, Policy, Purpose, Rule, Send
from foreword.domain.volume import constraints_on
from foreword.explaining.caps import caps_of
from foreword.explaining.customer import Customer
from foreword.explaining.explanation import (
    AllOf,
    AnyOf,
    CapExplained,
    Change,
    ChannelGates,
    HoldExplained,
    Needed,
    SendGates,
    Step,
)
from foreword.explaining.holds import holds_on


def send_gates(
    rule: Rule,
    send: Send,
    customer: Customer,
    policy: Policy,
    t: Instant,
    holds: Holds = NO_HOLDS,
    told: tuple[HoldExplained, ...] = (),
) -> SendGates:
    """The gates of a message that would be decided at `t`; `customer` is as it was known then."""
    message = _message(rule, send, customer, t)
    contact = Contact(customer.profile, customer.consents, _competing(customer.places, holds, t), holds)
    channels = tuple(_channel(channel, message, customer, policy, t) for channel in send.channels)
    admitted = admit([message], contact, policy, t, Pace(spread=0))
    (after,) = admitted.messages
    found, until = _verdict(after, rule, send, customer, policy, t)
    return SendGates(
        at=t,
        message=send.message,
        purpose=send.purpose,
        topic=send.topic,
        verdict=found,
        until=until,
        quiet_hours=_quiet_hours(send, customer, policy),
        channels=channels,
        score=message.score,
        winner=after.winner,
        holds=holds_on(told, send.purpose, rule.rule),
        caps=caps_of(message, contact, policy, t),
        notes=tuple(_notes(message, rule, send, policy, list(admitted.displaced), customer)),
    )


def _verdict(
    after: Message, rule: Rule, send: Send, customer: Customer, policy: Policy, t: Instant
) -> tuple[str, Instant | None]:
    """The first gate that closes, in the order of the gates, and until when where that is known."""
    experiment = rule.experiment
    if send.purpose is not Purpose.CRITICAL and (
        in_holdout(customer.customer_id, policy.holdout)
        or (experiment is not None and in_rule_holdout(customer.customer_id, rule.rule, experiment.holdout))
    ):
        return str(Reason.HELD_OUT), None
    if after.status is MessageStatus.NOT_SENT:
        reason = after.reason or Reason.EXPIRED
        return str(reason), customer.consents.paused_until if reason is Reason.PAUSED_BY_CUSTOMER else None
    if send.after:
        return str(Reason.WAITING_TO_FOLLOW_UP), t + send.after
    if after.status is MessageStatus.DEFERRED:
        return str(after.reason), after.due_at
    if after.channel is not None and customer.pauses.stops(after, after.channel):
        return str(Reason.PAUSED), None
    return str(Reason.SENT), None


def _notes(
    message: Message, rule: Rule, send: Send, policy: Policy, displaced: list[str], customer: Customer
) -> Iterator[str]:
    if any((send.propensity, send.context, send.value)):
        yield f"it competes with a score of {message.score}, times what its weights come to when it fires"
    else:
        yield f"it competes with a score of {message.score}"
    for message_id in displaced:
        lesser = customer.places.places[message_id]
        yield f"it would take the place of {lesser.message}, whose score is {lesser.score}"
    if rule.experiment is not None:
        yield "the rule has an experiment: a hash of customer and rule says who is held out"
    if send.after:
        yield f"it is due {format_duration(send.after)} after the firing, and passes these gates then"
    for constraint in constraints_on(policy.volume_constraints, message):
        topic = constraint.topic or "any topic"
        yield f"at most {constraint.at_most} messages of {topic} a day to all customers, counted when it leaves"


def delivery_needs(gates: SendGates) -> list[Needed]:
    """What would have to change for the message to go out: on any one of its channels."""
    if gates.verdict == Reason.SENT:
        return []
    if gates.verdict == Reason.DEFERRED_QUIET_HOURS and gates.until is not None:
        spread = format_duration(SPREAD)
        text = (
            f"nothing: it would wait until {format_instant(gates.until)}, and leave within {spread} after it"
        )
        return [Needed(gates.verdict, Step(text, time=gates.until))]
    if gates.verdict == Reason.WAITING_TO_FOLLOW_UP and gates.until is not None:
        text = f"nothing: it would wait until {format_instant(gates.until)}"
        return [Needed(gates.verdict, Step(text, time=gates.until))]
    if gates.verdict in (Reason.ON_HOLD, Reason.UNWILLING):
        ended = [Step(f"{one.why}: it ends {one.ends}", time=one.until) for one in gates.holds]
        return [Needed(gates.verdict, _all_of(ended))]
    if gates.verdict in (Reason.CAPPED, Reason.LOST_ARBITRATION):
        return [Needed(gates.verdict, _all_of([_room(cap) for cap in gates.caps if cap.free_at is not None]))]
    if gates.verdict == Reason.HELD_OUT:
        return [Needed(gates.verdict, Step("nothing can: the customer is in a control group, by a hash"))]
    if gates.verdict == Reason.PAUSED:
        return [Needed(gates.verdict, Step("the emergency stop lifted: `foreword resume`"))]
    if gates.verdict == Reason.ERASED:
        return [Needed(gates.verdict, Step("nothing can: the customer was erased"))]
    if gates.verdict == Reason.PAUSED_BY_CUSTOMER and gates.until is not None:
        text = f"the customer's pause over, at {format_instant(gates.until)}, or taken back"
        return [Needed(gates.verdict, Step(text))]
    steps: list[Change] = [_opening(channel, gates.topic) for channel in gates.channels]
    return [Needed(gates.verdict, steps[0] if len(steps) == 1 else AnyOf(tuple(steps)))]


def cap_words(cap: CapExplained) -> str:
    of = "the customer's own limit" if cap.own else "the cap"
    what = " and ".join(
        [
            "marketing and service" if cap.purpose == "any" else cap.purpose,
            "every channel" if cap.channel == "any" else cap.channel,
        ]
    )
    return f"{of} of {cap.at_most} in {format_duration(cap.within)} for {what}"


def _room(cap: CapExplained) -> Step:
    taken = ", ".join(one.message for one in cap.taken)
    text = f"a free place under {cap_words(cap)}: at {format_instant(cap.free_at or 0)} (taken by {taken})"
    return Step(text, time=cap.free_at)


def _all_of(steps: list[Step]) -> Change:
    if not steps:
        return Step("nothing that is stored tells")
    return steps[0] if len(steps) == 1 else AllOf(tuple(steps))


def _competing(ledger: Ledger, holds: Holds, t: Instant) -> Ledger:
    """Without what was held at `t` and took its place only later."""
    kept = {
        name: place
        for name, place in ledger.places.items()
        if place.dated is not None or holds.held_of(place.purpose, place.rule, t) is None
    }
    return replace(ledger, places=kept)


def _contact(customer: Customer) -> Contact:
    """What a channel by itself is asked: consent, suppression and address."""
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
        deliver_by=t + send.after + send.expires_after,
        generation="",
        score=Decimal(send.priority),
        follow_up=send.after > 0,
    )
