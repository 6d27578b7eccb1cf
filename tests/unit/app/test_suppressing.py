from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from foreword.app.reconcile_suppressions import ReconcileSuppressions
from foreword.app.record_sms import RecordReply, Replied
from foreword.app.suppress_address import SuppressAddress
from foreword.domain.errors import EventsNotAccepted, PageGone
from foreword.domain.instants import DAY, MINUTE
from foreword.domain.reconciling import Reconciliation
from foreword.domain.replies import Reply
from foreword.domain.rulebook import Channel
from foreword.domain.suppression import address_key, suppression
from tests.fakes.customers import FakeClock
from tests.fakes.delivery import FakeBus, FakeSuppressions
from tests.fakes.samples import NOON

NUMBER, EMAIL = "+4915112345678", "ada@customer.example"


@dataclass
class FakeAddresses:
    found: dict[str, list[str]] = field(default_factory=dict)

    def with_address(self, channel: Channel, key: str) -> Iterator[str]:
        yield from self.found.get(key, [])


class Desk:
    def __init__(self) -> None:
        self.addresses, self.suppressions, self.bus = FakeAddresses(), FakeSuppressions(), FakeBus()
        self.clock = FakeClock(NOON)
        self.suppress = SuppressAddress(self.addresses, self.suppressions, self.bus, self.clock)
        self.addresses.found[address_key(Channel.SMS, NUMBER)] = ["c-1", "c-2"]
        self.addresses.found[address_key(Channel.EMAIL, EMAIL)] = ["c-1"]

    def reply(self, text: str, number: str = NUMBER) -> Replied:
        return RecordReply(self.suppress)(Reply("in-1", number, text, NOON - MINUTE))


def test_a_stop_suppresses_the_number_for_everybody_who_has_it() -> None:
    desk = Desk()
    assert desk.reply("Stopp!") is Replied.SUPPRESSED
    assert desk.suppressions.entries == {
        customer: {suppression(customer, Channel.SMS, NUMBER)} for customer in ("c-1", "c-2")
    }
    assert [(event.customer_id, event.type, event.id, event.data) for event in desk.bus.events] == [
        (customer, "AddressSuppressed", "sms/in-1/stop", {"channel": "sms", "cause": "STOP_REPLY"})
        for customer in ("c-1", "c-2")
    ]


def test_any_other_reply_and_any_other_number_change_nothing() -> None:
    desk = Desk()
    assert desk.reply("Thank you") is Replied.NOT_A_STOP
    assert desk.reply("STOP", "+4915100000000") is Replied.UNKNOWN_NUMBER
    assert (desk.suppressions.entries, desk.bus.events) == ({}, [])


def test_a_stop_that_the_bus_did_not_take_comes_again_and_is_told_then() -> None:
    desk = Desk()
    desk.bus.refuses = frozenset({"sms/in-1/stop"})
    with pytest.raises(EventsNotAccepted):
        desk.reply("STOP")
    assert len(desk.suppressions.entries) == 2
    desk.bus.refuses = frozenset()
    assert desk.reply("STOP") is Replied.SUPPRESSED
    assert len(desk.bus.events) == 2
    assert len(desk.suppressions.facts) == 2


@dataclass
class FakeLists:
    pages: dict[Channel, list[list[str]]]
    gone: bool = False
    asked: int = 0

    def page(self, channel: Channel, token: str | None) -> tuple[Sequence[str], str | None]:
        self.asked += 1
        if self.gone and token is not None:
            self.gone = False
            raise PageGone
        at = int(token or 0)
        following = str(at + 1) if at + 1 < len(self.pages[channel]) else None
        return self.pages[channel][at], following


@dataclass
class FakeProgress:
    kept: Reconciliation | None = None
    loses: bool = False

    def load(self) -> Reconciliation | None:
        return self.kept

    def keep(self, before: Reconciliation, after: Reconciliation) -> bool:
        if self.loses or before.version != (0 if self.kept is None else self.kept.version):
            return False
        self.kept = after
        return True


LISTS = {Channel.EMAIL: [["x@y.example"], [EMAIL]], Channel.SMS: [[NUMBER]]}


def reconcile(desk: Desk, lists: FakeLists, progress: FakeProgress | None = None) -> ReconcileSuppressions:
    return ReconcileSuppressions(lists, progress or FakeProgress(), desk.suppress, desk.clock)


def test_both_lists_are_read_to_their_ends_once_a_day() -> None:
    desk, lists = Desk(), FakeLists(LISTS)
    tick = reconcile(desk, lists)
    assert tick().customers == 3
    assert {customer: len(entries) for customer, entries in desk.suppressions.entries.items()} == {
        "c-1": 2,
        "c-2": 1,
    }
    assert (tick().customers, lists.asked) == (0, 3)
    desk.clock.instant = NOON + DAY
    assert (tick().customers, lists.asked) == (0, 6)
    assert len(desk.bus.events) == 3


def test_another_instance_finds_the_day_done() -> None:
    desk, lists, progress = Desk(), FakeLists(LISTS), FakeProgress()
    reconcile(desk, lists, progress)()
    reconcile(desk, lists, progress)()
    assert lists.asked == 3


def test_a_tick_that_was_killed_is_gone_on_with_at_the_page_it_kept() -> None:
    desk, lists = Desk(), FakeLists(LISTS)
    progress = FakeProgress(Reconciliation(NOON // DAY, 0, "1", 1))
    reconcile(desk, lists, progress)()
    assert lists.asked == 2
    assert len(desk.suppressions.entries["c-1"]) == 2


def test_a_page_that_is_not_known_any_more_has_the_list_begin_anew() -> None:
    desk, lists = Desk(), FakeLists(LISTS, gone=True)
    reconcile(desk, lists)()
    assert len(desk.suppressions.entries["c-1"]) == 2


def test_a_list_that_cannot_be_read_is_tried_again_by_the_next_tick() -> None:
    desk, lists = Desk(), FakeLists({Channel.EMAIL: [[EMAIL]]})
    tick = reconcile(desk, lists)
    assert tick().failed == ["KeyError"]
    lists.pages = LISTS
    assert tick().failed == []
    assert "c-2" in desk.suppressions.entries


def test_of_two_ticks_at_once_one_goes_on() -> None:
    desk, lists = Desk(), FakeLists(LISTS)
    reconcile(desk, lists, FakeProgress(loses=True))()
    assert lists.asked == 1
