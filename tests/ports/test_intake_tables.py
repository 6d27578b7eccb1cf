"""The journal, the profile and the states on moto's tables: the same promises as the fakes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from foreword.adapters.activity_table import ActivityTable
from foreword.adapters.address_index import AddressIndex
from foreword.adapters.consents_table import consents_from_item, load_consents, load_history
from foreword.adapters.customer_choices import CustomerChoicesTables
from foreword.adapters.customers_table import CustomersTable, load_profile
from foreword.adapters.journal_writer import JournalWriter
from foreword.adapters.reconciliation_item import ReconciliationItem
from foreword.app.ports import Changes
from foreword.domain.consent import Consents
from foreword.domain.facts import CUSTOMER_UPDATED, PREFERENCE_CHANGED, Fact
from foreword.domain.instants import DAY, HOUR, SECOND
from foreword.domain.reconciling import Reconciliation
from foreword.domain.rulebook import Channel
from foreword.domain.suppression import address_key
from tests.fakes.samples import a_message

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = 20_000 * DAY


def fact(id: str = "1", kind: str = "A", at: int = T, **data: Any) -> Fact:
    return Fact("test", id, kind, "c-1", at, at + SECOND, data)


@pytest.fixture
def activity(dynamodb: DynamoDBClient) -> ActivityTable:
    return ActivityTable(dynamodb, "activity", retention=400 * DAY)


@pytest.fixture
def writer(dynamodb: DynamoDBClient, activity: ActivityTable) -> JournalWriter:
    return JournalWriter(dynamodb, activity, "customers", "consents")


@pytest.fixture
def customers(dynamodb: DynamoDBClient) -> CustomersTable:
    return CustomersTable(dynamodb, "customers", "messages", kept_for=400 * DAY)


def test_a_fact_is_new_once_whatever_else_differs(activity: ActivityTable) -> None:
    assert activity.add(fact(amount=1)) is True
    assert activity.add(fact(amount=2, kind="B")) is False
    assert activity.read("c-1") == [fact(amount=1)]


def test_a_journal_of_many_pages_is_read_whole(activity: ActivityTable) -> None:
    for at in range(40):
        activity.add(fact(str(at), text="x" * 40_000))
    assert len(activity.read("c-1")) == 40


def test_facts_expire_after_the_retention(activity: ActivityTable, dynamodb: DynamoDBClient) -> None:
    activity.add(fact())
    (item,) = dynamodb.scan(TableName="activity")["Items"]
    assert int(item["expires_at"]["N"]) == (T + SECOND + 400 * DAY) // SECOND


def test_an_update_is_in_the_journal_without_addresses_and_in_the_profile_with_them(
    writer: JournalWriter, activity: ActivityTable, dynamodb: DynamoDBClient
) -> None:
    update = fact(kind=CUSTOMER_UPDATED, email="a@example.com", phone="+4915112345678", segment="retail")
    assert writer.add(update) is True
    assert writer.add(update) is False
    (kept,) = activity.read("c-1")
    assert kept.data == {"segment": "retail"}
    profile = load_profile(dynamodb, "customers", "c-1")
    assert profile.value("email") == "a@example.com"
    assert profile.version == 1


def test_an_update_that_loses_to_another_writer_is_merged_again(
    writer: JournalWriter, dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def first(**of: Any) -> Any:
        monkeypatch.undo()
        writer.add(fact("2", CUSTOMER_UPDATED, T + HOUR, segment="gold"))
        return dynamodb.transact_write_items(**of)

    monkeypatch.setattr(dynamodb, "transact_write_items", first)
    assert writer.add(fact("1", CUSTOMER_UPDATED, segment="retail", locale="de")) is True
    profile = load_profile(dynamodb, "customers", "c-1")
    assert profile.values() == {"segment": "gold", "locale": "de"}
    assert profile.version == 2


def test_a_choice_is_journalled_and_in_force_at_once(
    writer: JournalWriter, activity: ActivityTable, dynamodb: DynamoDBClient
) -> None:
    writer.add(fact(kind=PREFERENCE_CHANGED, topic="care", channel="any", choice="out"))
    assert len(activity.read("c-1")) == 1
    assert load_consents(dynamodb, "consents", "c-1").version == 1


EVERYTHING: dict[str, Any] = {
    "choices": [
        {"topic": "care", "channel": "any", "choice": "out"},
        {"topic": "offers", "channel": "email", "choice": "in", "confirmation": "pending"},
    ],
    "paused_until": "2026-03-04T12:00:00Z",
    "preferred": ["sms", "email"],
    "at_most": {"count": 2, "within": "7d"},
    "basis": "consent",
    "via": "page",
}


def test_consents_are_read_as_they_were_written(writer: JournalWriter, dynamodb: DynamoDBClient) -> None:
    change = fact(kind=PREFERENCE_CHANGED, **EVERYTHING)
    writer.add(change)
    stored = load_consents(dynamodb, "consents", "c-1")
    told = Consents("c-1").merge(change)
    assert stored == replace(told, version=1, pending=stored.pending)
    assert stored.pending.keys() == told.pending.keys()
    profile, choices = CustomerChoicesTables(dynamodb, "customers", "consents").read("c-1")
    assert (profile.version, choices) == (0, stored)


def test_consents_of_an_earlier_release_are_read(dynamodb: DynamoDBClient) -> None:
    item = {
        "version": {"N": "3"},
        "choices": {"S": '[["care","any",false,1,2,"shop#1"]]'},
        "suppressed": {"S": '["sms"]'},
    }
    consents = consents_from_item(item, "c-1")
    assert (consents.version, consents.suppressed, consents.settings) == (3, frozenset({"sms"}), {})
    assert consents.choices["care", "any"].written == (1, 2, "shop#1")


def test_every_change_is_kept_once_and_told_in_the_order_in_which_it_happened(
    writer: JournalWriter, dynamodb: DynamoDBClient
) -> None:
    later = fact("2", PREFERENCE_CHANGED, T + HOUR, topic="care", channel="any", choice="in")
    earlier = fact("1" * 256, PREFERENCE_CHANGED, T, **EVERYTHING)
    for change in (later, earlier, later):
        writer.add(change)
    history = load_history(dynamodb, "consents", "c-1")
    assert [one["data"] for one in history] == [earlier.data, later.data]
    assert [(one["source"], one["event_id"]) for one in history] == [
        (change.source, change.id) for change in (earlier, later)
    ]
    assert [(one["occurred_at"], one["received_at"]) for one in history] == [
        (change.occurred_at, change.received_at) for change in (earlier, later)
    ]


def test_a_change_that_loses_to_another_writer_is_merged_again(
    writer: JournalWriter, dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def first(**of: Any) -> Any:
        monkeypatch.undo()
        writer.add(fact("2", PREFERENCE_CHANGED, T + HOUR, topic="care", channel="any", choice="out"))
        return dynamodb.transact_write_items(**of)

    monkeypatch.setattr(dynamodb, "transact_write_items", first)
    writer.add(fact("1", PREFERENCE_CHANGED, T, topic="care", channel="any", choice="in", preferred=["sms"]))
    consents = load_consents(dynamodb, "consents", "c-1")
    assert (consents.choices["care", "any"].opted_in, consents.preferred) == (False, (Channel.SMS,))
    assert len(load_history(dynamodb, "consents", "c-1")) == 2


def test_a_state_is_written_only_over_the_one_that_was_read(customers: CustomersTable) -> None:
    nothing = customers.load("c-1")
    assert (nothing.state, nothing.version) == (None, 0)
    assert customers.save(nothing, "c-1", "{}", "g", None, Changes()) is True
    assert customers.save(nothing, "c-1", "{1}", "g", None, Changes()) is False
    assert customers.load("c-1").state == "{}"


def test_messages_are_written_with_the_state_or_not_at_all(
    customers: CustomersTable, dynamodb: DynamoDBClient
) -> None:
    nothing = customers.load("c-1")
    customers.save(nothing, "c-1", "{}", "g", None, Changes())
    assert customers.save(nothing, "c-1", "{1}", "g", None, Changes([a_message()])) is False
    assert dynamodb.scan(TableName="messages")["Count"] == 0
    assert customers.save(customers.load("c-1"), "c-1", "{2}", "g", None, Changes([a_message()])) is True
    assert dynamodb.scan(TableName="messages")["Count"] == 1


def test_a_message_that_exists_stays_as_it_is_and_holds_up_nothing(
    customers: CustomersTable, dynamodb: DynamoDBClient
) -> None:
    customers.save(customers.load("c-1"), "c-1", "{}", "g", None, Changes([a_message(rule="first")]))
    again = [a_message(rule="second"), a_message(message_id="f" * 32)]
    assert customers.save(customers.load("c-1"), "c-1", "{2}", "g", None, Changes(again)) is True
    rules = [item["rule"]["S"] for item in dynamodb.scan(TableName="messages")["Items"]]
    assert sorted(rules) == ["first", a_message().rule]
    assert customers.load("c-1").state == "{2}"


def test_more_messages_than_a_transaction_holds_are_all_written(
    customers: CustomersTable, dynamodb: DynamoDBClient
) -> None:
    messages = [a_message(message_id=f"{number:032x}") for number in range(230)]
    assert customers.save(customers.load("c-1"), "c-1", "{}", "g", None, Changes(messages)) is True
    assert dynamodb.scan(TableName="messages", Select="COUNT")["Count"] == 230


def test_the_earliest_deadline_is_in_the_index_only_while_there_is_one(
    customers: CustomersTable, dynamodb: DynamoDBClient
) -> None:
    customers.save(customers.load("c-1"), "c-1", "{}", "g", T, Changes())
    assert dynamodb.scan(TableName="customers", IndexName="due")["Count"] == 1
    customers.save(customers.load("c-1"), "c-1", "{}", "g", None, Changes())
    assert dynamodb.scan(TableName="customers", IndexName="due")["Count"] == 0


def test_a_parked_customer_keeps_the_state_and_is_looked_at_later(customers: CustomersTable) -> None:
    customers.save(customers.load("c-1"), "c-1", "{}", "g", None, Changes())
    assert customers.park(customers.load("c-1"), "c-1", T + HOUR) is True
    stored = customers.load("c-1")
    assert (stored.parked, stored.state) == (True, "{}")
    assert customers.save(stored, "c-1", "{2}", "g", None, Changes()) is True
    assert customers.load("c-1").parked is False


def test_a_conflict_on_the_messages_that_go_ahead_is_not_taken_for_success(
    customers: CustomersTable, dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def conflict(**_: Any) -> Any:
        answer: Any = {
            "Error": {"Code": "TransactionCanceledException", "Message": "conflict"},
            "CancellationReasons": [{"Code": "TransactionConflict"}],
        }
        raise ClientError(answer, "TransactWriteItems")

    messages = [a_message(message_id=f"{number:032x}") for number in range(150)]
    nothing = customers.load("c-1")
    with monkeypatch.context() as patched:
        patched.setattr(dynamodb, "transact_write_items", conflict)
        assert customers.save(nothing, "c-1", "{}", "g", None, Changes(messages)) is False
    assert customers.load("c-1").state is None
    assert customers.save(nothing, "c-1", "{}", "g", None, Changes(messages)) is True
    assert dynamodb.scan(TableName="messages", Select="COUNT")["Count"] == 150


def test_a_message_is_written_only_over_the_profile_it_was_decided_on(
    customers: CustomersTable, writer: JournalWriter
) -> None:
    """The state may be known from before; the profile may have changed since."""
    described = customers.load("c-1")
    writer.add(fact(kind=CUSTOMER_UPDATED, segment="staff"))
    assert customers.save(described, "c-1", "{}", "g", None, Changes([a_message()])) is False
    assert customers.load("c-1").version == 0
    assert customers.save(described, "c-1", "{}", "g", None, Changes()) is True
    assert customers.save(customers.load("c-1"), "c-1", "{2}", "g", None, Changes([a_message()])) is True


def test_a_long_state_is_packed_and_read_as_it_was(
    customers: CustomersTable, dynamodb: DynamoDBClient
) -> None:
    long = json.dumps({"m": list(range(1_000))})
    assert customers.save(customers.load("c-1"), "c-1", long, "g", None, Changes()) is True
    (item,) = dynamodb.scan(TableName="customers")["Items"]
    assert len(item["packed_state"]["B"]) < len(long) // 2
    stored = customers.load("c-1")
    assert stored.state == long
    assert customers.park(stored, "c-1", T) is True
    assert customers.load("c-1").state == long


def test_a_suppression_is_journalled_and_in_force_at_once(
    writer: JournalWriter, activity: ActivityTable, dynamodb: DynamoDBClient
) -> None:
    bounced = fact(kind="MessageBounced")
    assert writer.suppress(bounced, "sms:1") is True
    assert activity.read("c-1") == [bounced]
    assert load_consents(dynamodb, "consents", "c-1").suppressed == {"sms:1"}
    assert writer.suppress(bounced, "sms:1") is False
    assert load_consents(dynamodb, "consents", "c-1").version == 1
    assert writer.add(bounced) is False


def test_what_was_journalled_another_way_is_suppressed_all_the_same(
    writer: JournalWriter, activity: ActivityTable, dynamodb: DynamoDBClient
) -> None:
    bounced = fact(kind="MessageBounced")
    assert writer.add(bounced) is True
    assert writer.suppress(bounced, "sms:1") is True
    assert load_consents(dynamodb, "consents", "c-1").suppressed == {"sms:1"}
    assert len(activity.read("c-1")) == 1


def test_a_suppression_and_a_choice_lose_nothing_to_each_other(
    writer: JournalWriter, dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def first(**of: Any) -> Any:
        monkeypatch.undo()
        writer.add(fact("2", PREFERENCE_CHANGED, topic="care", channel="any", choice="out"))
        return dynamodb.transact_write_items(**of)

    monkeypatch.setattr(dynamodb, "transact_write_items", first)
    assert writer.suppress(fact("1", "MessageBounced"), "sms:1") is True
    consents = load_consents(dynamodb, "consents", "c-1")
    assert consents.suppressed == {"sms:1"}
    assert (len(consents.choices), consents.version) == (1, 2)


def test_customers_are_found_by_an_address_that_is_theirs_now(
    writer: JournalWriter, dynamodb: DynamoDBClient
) -> None:
    index = AddressIndex(dynamodb, "customers")

    def with_email(address: str) -> list[str]:
        return list(index.with_address(Channel.EMAIL, address_key(Channel.EMAIL, address)))

    writer.add(fact("1", CUSTOMER_UPDATED, email="Ada@Customer.Example", phone="+4915112345678"))
    assert with_email("ada@customer.example") == ["c-1"]
    assert list(index.with_address(Channel.SMS, address_key(Channel.SMS, "+4915112345678"))) == ["c-1"]
    writer.add(fact("2", CUSTOMER_UPDATED, T + HOUR, email="new@customer.example"))
    assert with_email("ada@customer.example") == []
    assert with_email("new@customer.example") == ["c-1"]


def test_the_progress_of_the_reconciliation_is_kept_over_what_was_read(dynamodb: DynamoDBClient) -> None:
    item = ReconciliationItem(dynamodb, "customers")
    assert item.load() is None
    begun = Reconciliation(20_000)
    assert item.keep(begun, begun.after("token"))
    assert not item.keep(begun, begun.after(None))
    assert item.load() == Reconciliation(20_000, 0, "token", 1)
    assert item.keep(begun.after("token"), begun.after("token").after(None))
    assert item.load() == Reconciliation(20_000, 1, None, 2)
