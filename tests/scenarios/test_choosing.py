"""What a customer chooses holds from the very next message on, from the first mail to the last click."""

from __future__ import annotations

from datetime import timedelta

import pytest

from foreword.domain.preference_links import LinkPurpose
from foreword.local.cloud import LocalCloud
from foreword.local.faults import When
from foreword.local.records import Record, TableChange
from foreword.local.sources.http import HttpResponse
from tests.fakes.links import link_in

ONE_CLICK = "List-Unsubscribe=One-Click"
PROFILE = {
    "email": "ada@example.com",
    "phone": "+4915112345678",
    "segment": "retail",
    "timezone": "Europe/Berlin",
}


def known(cloud: LocalCloud) -> None:
    cloud.emit("CustomerUpdated", "c-42", PROFILE, source="crm", id="profile")


def three_contacts(cloud: LocalCloud) -> None:
    for _ in range(3):
        cloud.emit("SupportContactOpened", "c-42", {"channel": "phone"}, source="support")


def a_month_later(cloud: LocalCloud) -> None:
    cloud.advance(by=timedelta(days=31))
    three_contacts(cloud)


def unsubscribe(cloud: LocalCloud) -> HttpResponse:
    return cloud.request("POST", link_in(cloud, LinkPurpose.UNSUBSCRIBE, "c-42", "care"), body=ONE_CLICK)


def page(cloud: LocalCloud, body: str) -> HttpResponse:
    return cloud.request("POST", link_in(cloud, LinkPurpose.PREFERENCES, "c-42"), body=body)


def last_reason(cloud: LocalCloud) -> str:
    return str(max(cloud.messages, key=lambda message: message["decided_at"])["reason"])


def test_after_one_click_the_next_message_lacks_consent(foreword_cloud: LocalCloud) -> None:
    known(foreword_cloud)
    three_contacts(foreword_cloud)
    assert len(foreword_cloud.sent) == 1
    assert unsubscribe(foreword_cloud).status == 200
    a_month_later(foreword_cloud)
    assert len(foreword_cloud.sent) == 1
    assert last_reason(foreword_cloud) == "NO_CONSENT"
    facts = [fact for fact in foreword_cloud.table("activity") if fact["type"] == "PreferenceChanged"]
    assert len(facts) == 1, "what came back over the bus is known already"


def test_during_a_pause_nothing_is_sent_and_the_first_message_after_it_is(foreword_cloud: LocalCloud) -> None:
    known(foreword_cloud)
    page(foreword_cloud, "action=pause&version=0")
    three_contacts(foreword_cloud)
    assert last_reason(foreword_cloud) == "PAUSED_BY_CUSTOMER"
    a_month_later(foreword_cloud)
    assert last_reason(foreword_cloud) == "SENT"


def test_the_preferred_channel_comes_first(foreword_cloud: LocalCloud) -> None:
    known(foreword_cloud)
    page(foreword_cloud, "action=save&version=0&limit=&preferred=sms")
    three_contacts(foreword_cloud)
    assert [message.channel for message in foreword_cloud.sent] == ["sms"]


def returns(cloud: LocalCloud) -> None:
    for number in range(4):
        order = {"order_id": f"order-{number}-{cloud.now:%m%d}", "amount": 100}
        cloud.emit("OrderPlaced", "c-42", order, source="shop")
        cloud.emit("OrderReturned", "c-42", order, source="shop")


@pytest.mark.parametrize("stopped", [False, True], ids=["at first", "having stopped everything"])
def test_marketing_is_sent_once_the_opt_in_was_confirmed_by_the_mail_that_asks(
    foreword_cloud: LocalCloud, stopped: bool
) -> None:
    cloud = foreword_cloud
    known(cloud)
    cloud.emit("CustomerUpdated", "c-42", {"lifetime_value": 5000}, source="crm")
    if stopped:
        page(cloud, "action=stop&version=0")
    page(cloud, f"action=save&version={int(stopped)}&shown=advice/email/off&on=advice/email")
    (mail,) = cloud.sent_to("ada@example.com")
    assert mail.subject == "Please confirm your choice"
    (consents,) = [item for item in cloud.table("consents") if item["item"] == "current"]
    assert '["advice","email",true' in consents["pending"]
    returns(cloud)
    assert cloud.sent == [mail]

    url = next(line for line in mail.text.splitlines() if line.startswith("https://"))
    assert "Advice and offers" in cloud.request("GET", url).body
    assert "Thank you" in cloud.request("POST", url, body="action=confirm&shown=advice/email/off").body
    cloud.advance(by=timedelta(days=100))
    returns(cloud)
    assert [sent.subject for sent in cloud.sent_to("ada@example.com")][1:] != []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", range(1, 7))
def test_wherever_the_function_is_killed_the_opt_out_is_whole_or_not_said_to_be(
    foreword_cloud: LocalCloud, call: int, when: When
) -> None:
    """Calls: the secret, the read, the bus, the consents, the commit, the look afterwards."""
    cloud = foreword_cloud
    known(cloud)
    cloud.faults.kill("preferences", call=call, when=when)
    assert unsubscribe(cloud).status == 500
    committed = bool(cloud.table("consents"))
    told = any(event.type == "PreferenceChanged" for event in cloud.bus_events)
    assert committed is told is (call > 3 or (call == 3 and when == "after"))
    assert unsubscribe(cloud).status == 200
    three_contacts(cloud)
    assert not cloud.sent
    assert last_reason(cloud) == "NO_CONSENT"
    history = [item for item in cloud.table("consents") if item["item"].startswith("history#")]
    assert len(history) == 1
    assert not cloud.quarantined
    assert not cloud.dead_letters


def test_an_opt_out_that_comes_while_a_message_is_on_its_way_wins(foreword_cloud: LocalCloud) -> None:
    """It is committed after the message was judged and before it is claimed."""
    cloud = foreword_cloud
    known(cloud)
    statuses: list[int] = []

    def opt_out(record: Record) -> None:
        """The first time that anything is told of the message, it is READY and not claimed yet."""
        if not statuses and isinstance(record, TableChange) and record.table == "messages":
            statuses.append(0)
            statuses.append(unsubscribe(cloud).status)

    cloud.on(opt_out)
    three_contacts(cloud)
    assert statuses == [0, 200]
    assert not cloud.sent
    assert last_reason(cloud) == "NO_CONSENT"
