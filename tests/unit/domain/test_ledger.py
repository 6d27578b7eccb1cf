"""Who takes a place under which cap, and when."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreword.domain.instants import DAY, HOUR, Instant
from foreword.domain.ledger import Ledger, Place
from foreword.domain.rulebook import Channel, FrequencyCap, Purpose
from tests.fakes.samples import CUSTOMER, NOON

ANY = FrequencyCap(purpose=None, channel=None, at_most=1, within=DAY)


def a_place(
    id: str = "a",
    purpose: Purpose = Purpose.SERVICE,
    channel: Channel = Channel.EMAIL,
    dated: Instant | None = None,
    deliver_by: Instant = NOON + DAY,
) -> Place:
    return Place(id, f"rule-{id}", f"message-{id}", purpose, channel, Decimal(50), NOON, deliver_by, dated)


def ledger_of(*places: Place) -> Ledger:
    return Ledger(CUSTOMER, {place.message_id: place for place in places})


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("of", [None, *Purpose])
def test_any_purpose_is_marketing_and_service(purpose: Purpose, of: Purpose | None) -> None:
    cap = ANY.model_copy(update={"purpose": of})
    expected = purpose is of if of is not None else purpose in (Purpose.MARKETING, Purpose.SERVICE)
    assert a_place(purpose=purpose).is_under(cap) is expected


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("of", [None, *Channel])
def test_any_channel_is_every_channel(channel: Channel, of: Channel | None) -> None:
    cap = ANY.model_copy(update={"channel": of})
    assert a_place(channel=channel).is_under(cap) is (of in (None, channel))


def test_a_message_that_left_exactly_a_window_ago_is_out_of_it() -> None:
    dated = a_place(dated=NOON)
    assert dated.counts(ANY, NOON + DAY - 1)
    assert not dated.counts(ANY, NOON + DAY)


def test_a_reserved_place_is_one_for_as_long_as_its_message_may_leave() -> None:
    reserved = a_place(deliver_by=NOON + HOUR)
    assert reserved.counts(ANY, NOON + HOUR)
    assert not reserved.counts(ANY, NOON + HOUR + 1)


def test_a_message_does_not_stand_in_its_own_way() -> None:
    assert ledger_of(a_place("a")).full([ANY], a_place("a"), NOON) is None
    assert ledger_of(a_place("a")).full([ANY], a_place("b"), NOON) == [a_place("a")]


def test_a_further_claim_dates_the_place_anew() -> None:
    ledger = ledger_of(a_place("a")).dated("a", NOON).dated("a", NOON + HOUR)
    assert ledger.places["a"].dated == NOON + HOUR
    assert ledger.dated("b", NOON) is ledger


def test_what_no_window_will_see_again_is_pruned_and_nothing_else() -> None:
    old, recent = a_place("a", dated=NOON - DAY), a_place("b", dated=NOON - DAY + 1)
    over = a_place("c", deliver_by=NOON - DAY)
    waits, no_more = a_place("d", deliver_by=NOON), ledger_of(a_place("e"))
    assert ledger_of(old, recent, over, waits).pruned(DAY, NOON) == ledger_of(recent, waits)
    assert no_more.pruned(DAY, NOON) is no_more


within = st.sampled_from([HOUR, 5 * HOUR, DAY])
caps = st.builds(
    FrequencyCap,
    purpose=st.none() | st.sampled_from(Purpose),
    channel=st.none() | st.sampled_from([Channel.EMAIL, Channel.SMS]),
    at_most=st.integers(0, 3),
    within=within,
)
moments = st.integers(0, 30).map(lambda hours: NOON + hours * HOUR)
places = st.builds(
    a_place,
    purpose=st.sampled_from(Purpose),
    channel=st.sampled_from([Channel.EMAIL, Channel.SMS]),
    dated=st.none() | moments,
    deliver_by=moments,
)


@given(st.lists(places, max_size=8), st.lists(caps, max_size=3), places, moments)
def test_it_is_full_where_any_cap_has_as_many_as_it_allows(
    others: list[Place], policy: list[FrequencyCap], asked: Place, now: Instant
) -> None:
    ledger = ledger_of(*(replace(place, message_id=str(at)) for at, place in enumerate(others)))

    def concerns(cap: FrequencyCap, place: Place) -> bool:
        if place.purpose is Purpose.CRITICAL and cap.purpose is None:
            return False
        return cap.purpose in (None, place.purpose) and cap.channel in (None, place.channel)

    def taken(cap: FrequencyCap) -> int:
        mine = [place for place in others if concerns(cap, place)]
        dated = [it for it in mine if it.dated is not None and now - cap.within < it.dated]
        return len(dated) + sum(it.dated is None and now <= it.deliver_by for it in mine)

    expected = any(concerns(cap, asked) and taken(cap) >= cap.at_most for cap in policy)
    assert (ledger.full(policy, asked, now) is not None) is expected
    assert not expected or ledger.pruned(DAY, now).full(policy, asked, now) is not None
