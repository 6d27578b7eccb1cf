"""The gates of the contact policy as they are told of one send: asked by the functions that decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from foreword.domain.facts import Fact
from foreword.domain.instants import DAY, HOUR, parse_instant
from foreword.domain.ledger import Ledger, Place
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.pauses import Pauses
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Channel, Purpose, Rulebook
from foreword.explaining.customer import Customer
from foreword.explaining.delivery import delivery_needs, send_gates
from foreword.explaining.endings import because
from foreword.explaining.explanation import SendGates, Step
from tests.fakes.samples import CUSTOMER, a_change, a_message, a_profile, some_consents
from tests.unit.explaining.told import book

T = parse_instant("2026-03-02T12:00:00Z")
CAP = "frequency_caps: [{purpose: any, channel: any, at_most: 1, within: 7d}]\n"
OFTEN = "signals: {n: {count: A, within: 1d}}\nwhen: 'n >= 1'\n"


def rules(folder: Path, policy: str = "", send: str = "", **keys: str) -> Rulebook:
    sent = f"send: {{message: m, purpose: service, topic: care, channels: [email]{send}}}\n"
    return book(folder, policy, r=OFTEN + "".join(f"{key}: {value}\n" for key, value in keys.items()) + sent)


def customer(**changes: Any) -> Customer:
    known = Customer(CUSTOMER, (), a_profile(), (), some_consents())
    return replace(known, **changes)


def place(message_id: str, dated: int | None = None, score: int = 60) -> Place:
    return Place(
        message_id, f"of {message_id}", message_id, Purpose.SERVICE, Channel.EMAIL, Decimal(score), T - HOUR,
        T + HOUR, dated,
    )  # fmt: skip


def ledger(*places: Place) -> Ledger:
    return Ledger(CUSTOMER, {one.message_id: one for one in places}, 1)


def gates(rulebook: Rulebook, of: Customer) -> SendGates:
    (rule,) = rulebook.rules
    return send_gates(rule, rule.sends[0], of, rulebook.policy, T)


def needed(told: SendGates) -> str:
    (one,) = delivery_needs(told)
    assert isinstance(one.change, Step)
    return one.change.text


def test_a_full_cap_names_who_takes_its_places_and_when_there_is_room_again(tmp_path: Path) -> None:
    told = gates(rules(tmp_path, CAP), customer(ledger=ledger(place("sent", T - DAY))))
    assert told.verdict == Reason.CAPPED
    (cap,) = told.caps
    assert (cap.at_most, cap.within, cap.own, cap.free_at) == (1, 7 * DAY, False, T + 6 * DAY)
    assert [(one.message, one.at, one.free_at) for one in cap.taken] == [("sent", T - DAY, T + 6 * DAY)]
    assert "a free place under the cap of 1 in 7d for marketing and service" in needed(told)
    assert "2026-03-08T12:00:00Z (taken by sent)" in needed(told)


def test_an_instant_before_the_cap_is_free_it_is_full(tmp_path: Path) -> None:
    rulebook = rules(tmp_path, CAP)
    assert gates(rulebook, customer(ledger=ledger(place("sent", T - 7 * DAY + 1)))).verdict == Reason.CAPPED
    assert gates(rulebook, customer(ledger=ledger(place("sent", T - 7 * DAY)))).verdict == Reason.SENT


def test_a_better_message_that_waits_wins_and_a_lesser_one_gives_way(tmp_path: Path) -> None:
    rulebook = rules(tmp_path, CAP)
    lost = gates(rulebook, customer(ledger=ledger(place("better"))))
    assert (lost.verdict, lost.winner) == (Reason.LOST_ARBITRATION, "better")
    won = gates(rulebook, customer(ledger=ledger(place("lesser", score=40))))
    assert won.verdict == Reason.SENT
    assert "it would take the place of lesser, whose score is 40" in won.notes


def test_the_customer_s_own_limit_is_told_as_such(tmp_path: Path) -> None:
    limit = some_consents().merge(a_change(at_most={"count": 1, "within": "30d"}))
    told = gates(rules(tmp_path), customer(consents=limit, ledger=ledger(place("sent", T - DAY))))
    assert told.verdict == Reason.CAPPED
    assert [cap.own for cap in told.caps] == [True]
    assert "the customer's own limit of 1 in 30d" in needed(told)


def test_the_customer_s_pause_and_the_emergency_stop(tmp_path: Path) -> None:
    rulebook = rules(tmp_path)
    pausing = some_consents().merge(a_change(paused_until="2026-04-01T00:00:00Z"))
    told = gates(rulebook, customer(consents=pausing))
    assert (told.verdict, told.until) == (Reason.PAUSED_BY_CUSTOMER, parse_instant("2026-04-01T00:00:00Z"))
    stopped = gates(rulebook, customer(pauses=Pauses(topics=frozenset({"care"}))))
    assert stopped.verdict == Reason.PAUSED
    assert needed(stopped) == "the emergency stop lifted: `foreword resume`"


def test_who_is_held_out_can_do_nothing_about_it(tmp_path: Path) -> None:
    rulebook = rules(tmp_path, "holdout: 50%\n")
    held_out = {number: gates(rulebook, customer(customer_id=f"c-{number}")).verdict for number in range(40)}
    assert set(held_out.values()) == {Reason.HELD_OUT, Reason.SENT}


def test_a_follow_up_waits_and_has_its_whole_time_then(tmp_path: Path) -> None:
    told = gates(rules(tmp_path, send=", after: 7d, expires_after: 1h"), customer())
    assert (told.verdict, told.until) == (Reason.WAITING_TO_FOLLOW_UP, T + 7 * DAY)
    assert "it is due 7d after the firing, and passes these gates then" in told.notes
    assert needed(told) == "nothing: it would wait until 2026-03-09T12:00:00Z"


def test_the_volume_of_the_day_is_asked_only_when_it_leaves(tmp_path: Path) -> None:
    told = gates(rules(tmp_path, "volume_constraints: [{topic: care, at_most: 5, per: day}]\n"), customer())
    assert told.verdict == Reason.SENT
    assert "at most 5 messages of care a day to all customers, counted when it leaves" in told.notes


def test_what_was_claimed_later_was_a_place_that_waited(tmp_path: Path) -> None:
    rulebook = rules(tmp_path, CAP)
    there = a_message(message_id="sent", decided_at=T - HOUR)
    later = customer(messages=[there], ledger=ledger(place("sent", T + 1), place("newer", T - DAY)))
    (cap,) = gates(rulebook, later.as_of(T)).caps
    assert [(one.message, one.at) for one in cap.taken] == [("sent", None)]


def ended(reason: Reason, **changes: Any) -> Message:
    at: Mapping[str, Any] = {"decided_for": T - DAY, "decided_at": T - DAY, "closed_at": T}
    return replace(a_message(), status=MessageStatus.NOT_SENT, reason=reason, **{**at, **changes})


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (ended(Reason.HELD_OUT), "the customer is in a control group: the policy's 2 %"),
        (ended(Reason.PAUSED), "the emergency stop (`foreword pause`) held it"),
        (ended(Reason.VOLUME_REACHED), "as many messages of care as the policy's volume constraint allows"),
        (ended(Reason.EXPIRED, deliver_by=T), "it could be delivered until 2026-03-02T12:00:00Z"),
        (ended(Reason.BOUNCED, tried=(Channel.EMAIL,)), "it bounced, or certainly did not arrive, by email"),
        (ended(Reason.LOST_ARBITRATION, winner="w"), "against w: its score is 70, and this one's 50"),
        (ended(Reason.CANCELLED_BY_EXCEPTION), "by B b-1 at 2026-03-02T11:00:00Z, 23h after it fired"),
    ],
    ids=lambda one: str(one.reason) if isinstance(one, Message) else "",
)
def test_each_end_says_what_decided_it(tmp_path: Path, message: Message, told: str) -> None:
    rulebook = rules(tmp_path, "holdout: 2%\n", exceptions="[B]")
    winner = replace(a_message(message_id="w"), rule="other", message="w", score=Decimal(70))
    came = [
        Fact("test", id, "B", CUSTOMER, at, at, {})
        for id, at in (("b-0", T - 2 * DAY), ("b-1", T - HOUR), ("b-2", T + HOUR))
    ]
    (rule,) = rulebook.rules
    (line,) = because(message, rule, customer(messages=[winner]), rulebook.policy, came)
    assert line.startswith(told)
