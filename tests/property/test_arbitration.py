"""Which messages go on when several compete: what must be true of every outcome, whoever works it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from foreword.domain.arbitration import Admitted, admit
from foreword.domain.gates import Contact
from foreword.domain.instants import DAY, HOUR
from foreword.domain.ledger import Ledger, Place
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Channel, FrequencyCap, Policy, Purpose
from tests.fakes.gated import ON_EMAIL, ON_SMS, a_named
from tests.fakes.samples import CUSTOMER, NOON, a_profile, some_consents

NOW = NOON + 6 * HOUR
EITHER = (Channel.EMAIL, Channel.SMS)
ORDER = [Purpose.CRITICAL, Purpose.SERVICE, Purpose.MARKETING]

caps = st.builds(
    FrequencyCap,
    purpose=st.sampled_from([None, None, Purpose.SERVICE, Purpose.MARKETING]),
    channel=st.sampled_from([None, Channel.EMAIL, Channel.SMS]),
    at_most=st.integers(0, 2),
    within=st.sampled_from([2 * HOUR, DAY]),
)
policies = st.builds(Policy, frequency_caps=st.lists(caps, min_size=1, max_size=3).map(tuple))
choices = st.sampled_from([(), ("email",), ("sms",)])
"""Channels that the customer wants no message on."""


@st.composite
def messages(draw: st.DrawFn, first: int, most: int) -> list[Message]:
    return [
        a_named(
            number,
            NOON,
            rule=f"rule-{draw(st.integers(1, 3))}",
            purpose=draw(st.sampled_from([Purpose.SERVICE, Purpose.MARKETING, Purpose.CRITICAL])),
            channels=draw(st.sampled_from([ON_EMAIL, ON_SMS, EITHER])),
            score=Decimal(draw(st.integers(1, 3))),
            decided_for=NOON + draw(st.integers(0, 2)),
        )
        for number in range(first, first + draw(st.integers(1, most)))
    ]


@st.composite
def ledgers(draw: st.DrawFn) -> Ledger:
    """Some places of before, reserved and dated; made to fit under the policy by `fitting`."""
    found = Ledger(CUSTOMER)
    for message in draw(messages(100, 5)):
        dated = draw(st.none() | st.integers(0, 6).map(lambda hours: NOON + hours * HOUR))
        if message.purpose is not Purpose.CRITICAL:
            found = found.with_place(place(message, draw(st.sampled_from(message.channels)), dated))
    return found


def place(message: Message, channel: Channel, dated: int | None = None) -> Place:
    return Place(
        message.message_id,
        message.rule,
        message.message,
        message.purpose,
        channel,
        message.score,
        message.decided_for,
        message.deliver_by,
        dated,
    )


def fitting(ledger: Ledger, policy: Policy) -> Ledger:
    """As many of its places as fit together."""
    fits = Ledger(CUSTOMER)
    for one in ledger.places.values():
        more = fits.with_place(one)
        if all(len(under(cap, more)) <= cap.at_most for cap in policy.frequency_caps):
            fits = more
    return fits


def under(cap: FrequencyCap, ledger: Ledger) -> list[Place]:
    """The places that the cap counts at NOW."""
    return [it for it in ledger.places.values() if concerns(cap, it) and counts(cap, it)]


def concerns(cap: FrequencyCap, one: Place) -> bool:
    return cap.purpose in (None, one.purpose) and cap.channel in (None, one.channel)


def counts(cap: FrequencyCap, one: Place) -> bool:
    return one.deliver_by >= NOW if one.dated is None else NOW - cap.within < one.dated


def standing(one: Place | Message) -> tuple[int, Decimal, int, str]:
    return (ORDER.index(one.purpose), -one.score, one.decided_for, one.message_id)


def admitted(given: Sequence[Message], ledger: Ledger, policy: Policy, out: tuple[str, ...] = ()) -> Admitted:
    consents = some_consents(("care", "any", True), *((("care", channel, False)) for channel in out))
    # The choice for one channel is the later one.
    made = {
        key: replace(choice, written=(NOON + (key[1] != "any"), NOON, "k"))
        for key, choice in consents.choices.items()
    }
    contact = Contact(a_profile(), replace(consents, choices=made), ledger)
    return admit(given, contact, policy, NOW)


ONE_BY_EMAIL = FrequencyCap(purpose=None, channel=Channel.EMAIL, at_most=1, within=DAY)
ONE_BY_SMS = FrequencyCap(purpose=None, channel=Channel.SMS, at_most=1, within=DAY)
TWO_BY_SMS = ONE_BY_SMS.model_copy(update={"at_most": 2})


ONE_SERVICE_BY_SMS = ONE_BY_SMS.model_copy(update={"purpose": Purpose.SERVICE})


def waiting(
    number: int,
    channel: Channel,
    score: int,
    dated: int | None = None,
    purpose: Purpose = Purpose.SERVICE,
) -> Place:
    named = a_named(number, rule=f"waits-{number}", score=Decimal(score), purpose=purpose)
    return place(named, channel, dated)


def ledger_of(*places: Place) -> Ledger:
    return Ledger(CUSTOMER, {one.message_id: one for one in places})


@given(policies, ledgers(), messages(1, 1), choices)
@example(  # the least of those that wait is on a channel that the message may not take anyway
    Policy(frequency_caps=(ONE_BY_EMAIL, ONE_BY_SMS)),
    ledger_of(waiting(8, Channel.EMAIL, 1), waiting(9, Channel.SMS, 2)),
    [a_named(1, channels=EITHER, score=Decimal(3))],
    ("email",),
)
@example(  # room by text message would not be enough, room by e-mail is
    Policy(frequency_caps=(ONE_BY_EMAIL, TWO_BY_SMS, ONE_SERVICE_BY_SMS)),
    ledger_of(
        waiting(7, Channel.SMS, 9, dated=NOON),
        waiting(8, Channel.SMS, 1, purpose=Purpose.MARKETING),
        waiting(9, Channel.EMAIL, 1),
    ),
    [a_named(1, channels=EITHER, score=Decimal(3))],
    (),
)
def test_one_message_takes_no_more_than_it_needs(
    policy: Policy, before: Ledger, given_: list[Message], out: tuple[str, ...]
) -> None:
    ledger, (message,) = fitting(before, policy), given_
    outcome = admitted([message], ledger, policy, out)
    (after,) = outcome.messages
    gone = [ledger.places[message_id] for message_id in outcome.displaced]
    for one in gone:
        assert one.dated is None
        assert one.rule != message.rule
        assert standing(one) > standing(message)
        assert outcome.displaced[one.message_id] == message.message
        assert one.message_id not in outcome.ledger.places
        put_back = outcome.ledger.with_place(one)
        assert any(len(under(cap, put_back)) > cap.at_most for cap in policy.frequency_caps), "needlessly"
    if after.status is MessageStatus.NOT_SENT or message.purpose is Purpose.CRITICAL:
        assert not outcome.displaced
    kept = {name for name in ledger.places if name not in outcome.displaced}
    mine = {message.message_id} if after.has_place else set()
    assert outcome.ledger.places.keys() == kept | mine


@given(policies, ledgers(), messages(1, 1), choices)
def test_a_message_is_closed_out_only_by_what_it_cannot_displace(
    policy: Policy, before: Ledger, given_: list[Message], out: tuple[str, ...]
) -> None:
    ledger, (message,) = fitting(before, policy), given_
    (after,) = admitted([message], ledger, policy, out).messages
    open_to = [channel for channel in message.channels if channel.value not in out]

    def in_the_way(cap: FrequencyCap) -> list[Place]:
        return [
            it
            for it in under(cap, ledger)
            if it.dated is not None or it.rule == message.rule or standing(it) < standing(message)
        ]

    def has_room(channel: Channel) -> bool:
        mine = [cap for cap in policy.frequency_caps if concerns(cap, place(message, channel))]
        return all(len(in_the_way(cap)) < cap.at_most for cap in mine)

    possible = message.purpose is Purpose.CRITICAL or any(has_room(channel) for channel in open_to)
    if not open_to:
        assert after.reason is Reason.NO_CONSENT
    elif possible:
        assert after.status is MessageStatus.READY
        assert after.has_place is (message.purpose is not Purpose.CRITICAL)
    elif not out or message.channels[0] in open_to:
        assert after.reason in (Reason.CAPPED, Reason.LOST_ARBITRATION)


@given(policies, ledgers(), messages(1, 1))
def test_a_loser_names_the_best_of_those_that_came_before_it(
    policy: Policy, before: Ledger, given_: list[Message]
) -> None:
    ledger, (message,) = fitting(before, policy), given_
    message = replace(message, channels=message.channels[:1])
    (after,) = admitted([message], ledger, policy).messages
    if after.status is not MessageStatus.NOT_SENT:
        return
    mine = place(message, message.channels[0])
    first_full = next(
        cap for cap in policy.frequency_caps if concerns(cap, mine) and len(under(cap, ledger)) >= cap.at_most
    )
    better = [
        it
        for it in under(first_full, ledger)
        if it.dated is None and it.rule != message.rule and standing(it) < standing(message)
    ]
    if better:
        expected = (Reason.LOST_ARBITRATION, min(better, key=standing).message)
        assert (after.reason, after.winner) == expected
    else:
        assert (after.reason, after.winner) == (Reason.CAPPED, None)


@given(policies, ledgers(), messages(1, 5), st.randoms(use_true_random=False))
def test_together_they_fit_and_the_order_in_which_they_are_named_says_nothing(
    policy: Policy, before: Ledger, given_: list[Message], random: object
) -> None:
    ledger = fitting(before, policy)
    outcome = admitted(given_, ledger, policy)
    for cap in policy.frequency_caps:
        assert len(under(cap, outcome.ledger)) <= cap.at_most
    assert [it.message_id for it in outcome.messages] == [it.message_id for it in given_]
    assert [it for it in ledger.places.values() if it.dated is not None] == [
        it for it in outcome.ledger.places.values() if it.dated is not None
    ]
    shuffled = list(given_)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    again = admitted(shuffled, ledger, policy)
    assert {it.message_id: it for it in again.messages} == {it.message_id: it for it in outcome.messages}
    assert (again.ledger, again.displaced) == (outcome.ledger, outcome.displaced)


@given(policies, messages(1, 5))
def test_nobody_loses_to_a_message_that_stands_behind_it_or_to_its_own_rule(
    policy: Policy, given_: list[Message]
) -> None:
    outcome = admitted(given_, Ledger(CUSTOMER), policy)
    by_name = {message.message: message for message in given_}
    for message in outcome.messages:
        if message.winner is not None:
            winner = by_name[message.winner]
            assert standing(winner) < standing(message)
            assert winner.rule != message.rule
            assert winner.purpose is not Purpose.CRITICAL
    assert outcome.displaced == {}


def test_the_order_is_purpose_then_score_then_age() -> None:
    one = Policy(frequency_caps=(FrequencyCap(purpose=None, channel=None, at_most=1, within=DAY),))
    service = a_named(1, purpose=Purpose.SERVICE, score=Decimal(1), decided_for=NOON + 2)
    marketing = a_named(2, purpose=Purpose.MARKETING, score=Decimal(9), decided_for=NOON)
    better = a_named(3, purpose=Purpose.SERVICE, score=Decimal("1.5"), decided_for=NOON + 3)
    older = a_named(4, purpose=Purpose.SERVICE, score=Decimal(1), decided_for=NOON + 1)
    ranking = [better, older, service, marketing]
    for at, loser in enumerate(ranking[1:], start=1):
        for winner in ranking[:at]:
            outcome = admitted([loser, winner], Ledger(CUSTOMER), one)
            after = {it.message_id: it for it in outcome.messages}
            assert after[winner.message_id].status is MessageStatus.READY
            assert after[loser.message_id].reason is Reason.LOST_ARBITRATION
            assert after[loser.message_id].winner == winner.message


def test_a_lesser_one_that_waits_gives_way_only_where_there_is_no_room() -> None:
    lesser = waiting(9, Channel.EMAIL, 1)
    better = a_named(1, channels=ON_EMAIL, score=Decimal(2))
    for at_most, displaced in ((1, {lesser.message_id: better.message}), (2, {})):
        cap = ONE_BY_EMAIL.model_copy(update={"at_most": at_most})
        outcome = admitted([better], ledger_of(lesser), Policy(frequency_caps=(cap,)))
        assert outcome.displaced == displaced


def test_sends_of_one_rule_take_no_place_from_each_other() -> None:
    lesser = replace(waiting(9, Channel.EMAIL, 1), rule="one")
    better = a_named(1, rule="one", channels=ON_EMAIL, score=Decimal(2))
    outcome = admitted([better], ledger_of(lesser), Policy(frequency_caps=(ONE_BY_EMAIL,)))
    assert (outcome.displaced, outcome.messages[0].reason) == ({}, Reason.CAPPED)


def test_what_is_too_late_even_with_room_displaces_nobody() -> None:
    lesser = waiting(9, Channel.EMAIL, 1)
    late = a_named(1, channels=ON_EMAIL, score=Decimal(2), deliver_by=NOW)
    outcome = admitted([late], ledger_of(lesser), Policy(frequency_caps=(ONE_BY_EMAIL,)))
    assert (outcome.displaced, outcome.messages[0].reason) == ({}, Reason.CAPPED)
