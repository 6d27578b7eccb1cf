"""Places under the caps and counts of the day on the tables: raced for by threads, given back, and answers lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError

from foreword.adapters.claims import OutboxTables
from foreword.adapters.contacts import ContactsTables
from foreword.adapters.customers_table import CustomersTable, profile_write
from foreword.adapters.ledger_items import ledger_key
from foreword.adapters.messages_table import MessagesTable
from foreword.adapters.pause_switch import KNOWN_FOR, PauseSwitchItem
from foreword.adapters.volume_counters import VolumeCounters
from foreword.app.admit_messages import AdmitMessages
from foreword.app.deliver_message import DeliverMessage
from foreword.app.ports import Changes, Claim, StoredState
from foreword.domain.errors import StoreConflict
from foreword.domain.holds import NO_HOLDS
from foreword.domain.instants import DAY, HOUR
from foreword.domain.ledger import Ledger, Place
from foreword.domain.messages import Message, MessageStatus
from foreword.domain.pauses import NO_PAUSES, Pauses
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Channel, FrequencyCap, Policy, VolumeConstraint
from foreword.domain.volume import Counter, counters_of
from foreword.local.calls import Call, Proceed, watched
from tests.fakes.customers import FakeClock
from tests.fakes.delivery import FakeLinks, FakeProvider, FakeRenderer, FakeRequests, delivery_gates
from tests.fakes.gated import ON_EMAIL, a_named
from tests.fakes.samples import CUSTOMER, NOON, a_profile

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

THREADS = 8
CAP = FrequencyCap(purpose=None, channel=None, at_most=3, within=DAY)
POLICY = Policy(frequency_caps=(CAP,), volume_constraints=(VolumeConstraint(topic="care", at_most=2),))


@dataclass
class Tables:
    client: DynamoDBClient

    def __post_init__(self) -> None:
        self.outbox = OutboxTables(self.client, "messages", "customers", "consents")
        self.messages = MessagesTable(self.client, "messages")
        self.customers = CustomersTable(self.client, "customers", "messages", 400 * DAY)
        self.contacts = ContactsTables(self.client, "messages", "consents")
        first = replace(a_profile(), version=0)
        self.client.transact_write_items(TransactItems=[profile_write("customers", first)])

    @property
    def ledger(self) -> Ledger:
        return self.contacts.load(CUSTOMER)[1]

    def admitted(self, policy: Policy, *messages: Message) -> tuple[StoredState, Changes]:
        stored = self.customers.load(CUSTOMER)
        admit = AdmitMessages(self.contacts, self.messages, policy)
        return stored, admit(messages, stored.profile, NO_HOLDS, NOON)

    def save(self, stored: StoredState, changes: Changes) -> bool:
        return self.customers.save(stored, CUSTOMER, "{}", "g", None, changes)

    def decide(self, policy: Policy, *messages: Message) -> None:
        for _ in range(100):
            try:
                if self.save(*self.admitted(policy, *messages)):
                    return
            except StoreConflict:
                continue
        raise AssertionError("it was never saved")

    def taken(self, counter: Counter) -> int:
        key: Any = {"customer_id": {"S": f" volume {counter.key}"}, "message_id": {"S": " count"}}
        item = self.client.get_item(TableName="messages", Key=key).get("Item")
        return 0 if item is None else int(item["taken"]["N"])


@pytest.fixture
def tables(dynamodb: DynamoDBClient) -> Tables:
    return Tables(dynamodb)


@contextmanager
def one_call_at_a_time() -> Iterator[None]:
    """DynamoDB takes each request whole; moto alone would let two threads meet inside of one."""
    lock = threading.Lock()

    def watch(call: Call, proceed: Proceed) -> Any:
        with lock:
            return proceed()

    with watched(watch):
        yield


@contextmanager
def answer_lost(operation: str) -> Iterator[list[str]]:
    """The next such call is carried out and its answer is lost: the SDK makes it again. Gives the calls made."""
    made: list[str] = []

    def watch(call: Call, proceed: Proceed) -> Any:
        answer = proceed()
        if call.operation == operation:
            made.append(operation)
            if len(made) == 1:
                raise ReadTimeoutError(endpoint_url="https://dynamodb.invalid")
        return answer

    with watched(watch):
        yield made


def test_eight_threads_at_once_overrun_neither_cap_nor_volume(tables: Tables) -> None:
    provider, attempts, failed = FakeProvider(), count(), list[BaseException]()

    def live(number: int) -> None:
        try:
            message = a_named(number, channels=ON_EMAIL)
            tables.decide(POLICY, message)
            for _ in range(100):
                deliver = DeliverMessage(
                    outbox=tables.outbox,
                    renderer=FakeRenderer(),
                    mailer=provider,
                    texter=provider,
                    requests=FakeRequests(),
                    gates=delivery_gates(POLICY),
                    counters=VolumeCounters(tables.client, "messages"),
                    links=FakeLinks(),
                    clock=FakeClock(NOON),
                    new_attempt_id=lambda: f"attempt-{next(attempts)}",
                )
                try:
                    deliver(CUSTOMER, message.message_id)
                except StoreConflict:
                    continue
                return
        except BaseException as error:  # noqa: BLE001  told by the thread of the test
            failed.append(error)

    with one_call_at_a_time():
        threads = [threading.Thread(target=live, args=(number,)) for number in range(1, THREADS + 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert not failed
    messages = tables.messages.of_customer(CUSTOMER)
    sent = {it.message_id for it in messages if it.status is MessageStatus.SENT}
    reasons = [it.reason for it in messages]
    assert len(messages) == THREADS
    assert len(sent) == provider.calls == 2, "as the volume of the day allows"
    assert len(reasons) - reasons.count(Reason.CAPPED) - reasons.count(Reason.LOST_ARBITRATION) >= CAP.at_most
    assert reasons.count(Reason.VOLUME_REACHED) >= 1
    assert tables.ledger.places.keys() == sent
    assert all(place.dated == NOON for place in tables.ledger.places.values())
    (counter,) = counters_of(POLICY.volume_constraints[0], messages[0], NOON)
    assert tables.taken(counter) == 2


@pytest.mark.parametrize("written", ["a place given back", "another decision", "another claim"])
def test_a_decision_is_not_saved_over_a_ledger_that_was_written_since(tables: Tables, written: str) -> None:
    first, second, third = (a_named(number, channels=ON_EMAIL) for number in (1, 2, 3))
    tables.decide(POLICY, first)
    stored, changes = tables.admitted(POLICY, second)
    happens(tables, written, first, third)
    # Even if the state itself were as it was.
    stored = replace(stored, version=tables.customers.load(CUSTOMER).version)
    assert not tables.save(stored, changes)
    assert tables.messages.load(CUSTOMER, second.message_id) is None


@pytest.mark.parametrize("written", ["a place given back", "another decision", "another claim"])
def test_a_claim_loses_to_a_ledger_that_was_written_since(tables: Tables, written: str) -> None:
    first, second, third = (a_named(number, channels=ON_EMAIL) for number in (1, 2, 3))
    tables.decide(POLICY, first, second)
    dossier = tables.outbox.dossier(CUSTOMER, second.message_id)
    assert dossier.message is not None
    happens(tables, written, first, third)
    claimed = dossier.message.claimed("attempt-2", Channel.EMAIL, NOON)
    changes = Changes(ledger=dossier.ledger.dated(second.message_id, NOON))
    assert tables.outbox.claim(dossier, claimed, changes) is Claim.LOST
    assert tables.messages.load(CUSTOMER, second.message_id) == dossier.message


def happens(tables: Tables, what: str, first: Message, third: Message) -> None:
    present = tables.messages.load(CUSTOMER, first.message_id)
    assert present is not None
    if what == "a place given back":
        assert tables.messages.replace(present, present.not_sent(Reason.CANCELLED_BY_EXCEPTION, NOON))
    elif what == "another decision":
        tables.decide(POLICY, third)
    else:
        claim(tables, present)


def claim(tables: Tables, message: Message, *counters: Counter) -> Message:
    dossier = tables.outbox.dossier(CUSTOMER, message.message_id)
    volume = ",".join(counter.key for counter in counters) or None
    claimed = replace(message.claimed("attempt-1", Channel.EMAIL, NOON), volume=volume)
    changes = Changes(ledger=dossier.ledger.dated(message.message_id, NOON))
    assert tables.outbox.claim(dossier, claimed, changes, counters) is Claim.CLAIMED
    return claimed


def test_a_place_is_given_back_whatever_else_was_written_into_the_ledger(tables: Tables) -> None:
    first, second = (a_named(number, channels=ON_EMAIL) for number in (1, 2))
    tables.decide(POLICY, first)
    present = tables.messages.load(CUSTOMER, first.message_id)
    assert present is not None
    tables.decide(POLICY, second)
    before = tables.ledger.version
    assert tables.messages.replace(present, present.not_sent(Reason.RETRACTED, NOON))
    assert tables.ledger.places.keys() == {second.message_id}
    assert tables.ledger.version == before + 1


def test_a_place_is_given_back_also_where_the_ledger_has_expired(tables: Tables) -> None:
    tables.decide(POLICY, a_named(1, channels=ON_EMAIL))
    present = tables.messages.load(CUSTOMER, a_named(1).message_id)
    assert present is not None
    tables.client.delete_item(TableName="messages", Key=ledger_key(CUSTOMER))
    assert tables.messages.replace(present, present.not_sent(Reason.RETRACTED, NOON))
    assert (tables.ledger.places, tables.ledger.version) == ({}, 1)


def test_what_is_read_of_the_ledger_is_what_was_written(tables: Tables) -> None:
    tables.decide(POLICY, a_named(1, channels=ON_EMAIL, deliver_by=NOON + HOUR))
    message = tables.messages.load(CUSTOMER, a_named(1).message_id)
    assert message is not None
    assert message.has_place
    reserved = Place(
        message.message_id,
        message.rule,
        message.message,
        message.purpose,
        Channel.EMAIL,
        message.score,
        message.decided_for,
        message.deliver_by,
    )
    assert dict(tables.ledger.places) == {message.message_id: reserved}
    claim(tables, message)
    assert dict(tables.ledger.places) == {message.message_id: replace(reserved, dated=NOON)}


def test_a_claim_whose_answer_is_lost_is_one_claim_one_place_and_one_count(tables: Tables) -> None:
    tables.decide(POLICY, a_named(1, channels=ON_EMAIL))
    message = tables.messages.load(CUSTOMER, a_named(1).message_id)
    assert message is not None
    before = tables.ledger.version
    (counter,) = counters_of(POLICY.volume_constraints[0], message, NOON)
    with answer_lost("TransactWriteItems") as made:
        claimed = claim(tables, message, counter)
    assert len(made) == 2
    assert tables.messages.load(CUSTOMER, message.message_id) == claimed
    assert (tables.ledger.version, tables.taken(counter)) == (before + 1, 1)


def test_a_place_and_a_count_are_given_back_once_where_the_answer_is_lost(tables: Tables) -> None:
    tables.decide(POLICY, *(a_named(number, channels=ON_EMAIL) for number in (1, 2)))
    counters = []
    for number in (1, 2):
        message = tables.messages.load(CUSTOMER, a_named(number).message_id)
        assert message is not None
        (counter,) = counters_of(POLICY.volume_constraints[0], message, NOON)
        counters.append(counter)
        claimed = claim(tables, message, counter)
    assert tables.taken(counters[0]) == 2
    with answer_lost("TransactWriteItems") as made:
        assert tables.messages.replace(claimed, claimed.not_sent(Reason.REJECTED_BY_PROVIDER, NOON))
    assert len(made) == 2
    assert tables.ledger.places.keys() == {a_named(1).message_id}
    assert tables.taken(counters[0]) == 1


def test_a_decision_whose_answer_is_lost_is_read_anew_and_made_once(tables: Tables) -> None:
    message = a_named(1, channels=ON_EMAIL)
    stored, changes = tables.admitted(POLICY, message)
    with answer_lost("TransactWriteItems"):
        assert not tables.save(stored, changes), (
            "as if another had written: it is read anew, and all is there"
        )
    assert tables.customers.load(CUSTOMER).version == stored.version + 1
    assert tables.messages.load(CUSTOMER, message.message_id) == changes.messages[0]
    assert tables.ledger.places.keys() == {message.message_id}


def test_what_is_displaced_gives_its_count_back(tables: Tables) -> None:
    tables.decide(POLICY, a_named(1, channels=ON_EMAIL))
    message = tables.messages.load(CUSTOMER, a_named(1).message_id)
    assert message is not None
    (counter,) = counters_of(POLICY.volume_constraints[0], message, NOON)
    claimed = claim(tables, message, counter)
    waits = claimed.backed_off(NOON)
    assert tables.messages.replace(claimed, waits)
    gone = waits.not_sent(Reason.LOST_ARBITRATION, NOON)
    assert gone.volume is None
    assert tables.save(tables.customers.load(CUSTOMER), Changes([a_named(2)], [(waits, gone)]))
    assert tables.taken(counter) == 0


def test_a_count_moves_with_its_message_to_another_day_or_not_at_all(tables: Tables) -> None:
    constraint = VolumeConstraint(topic="care", at_most=1)
    tables.decide(POLICY, a_named(1, channels=ON_EMAIL))
    message = tables.messages.load(CUSTOMER, a_named(1).message_id)
    assert message is not None
    (today,), (tomorrow,) = (counters_of(constraint, message, at) for at in (NOON, NOON + DAY))
    claimed = claim(tables, message, today)
    waits = claimed.backed_off(NOON)
    ready = waits.ready_again(NOON)
    assert tables.messages.replace(claimed, waits)
    assert tables.messages.replace(waits, ready)
    dossier = tables.outbox.dossier(CUSTOMER, message.message_id)
    again = replace(ready.claimed("attempt-2", Channel.EMAIL, NOON + DAY), volume=tomorrow.key)
    none_left = replace(tomorrow, at_most=0)
    assert tables.outbox.claim(dossier, again, counters=[none_left]) is Claim.FULL
    assert (tables.taken(today), tables.taken(tomorrow)) == (1, 0)
    assert tables.outbox.claim(dossier, again, counters=[tomorrow]) is Claim.CLAIMED
    assert (tables.taken(today), tables.taken(tomorrow)) == (0, 1)


def test_a_counter_that_is_forgotten_is_not_kept_for_ever_when_a_count_is_given_back(tables: Tables) -> None:
    tables.decide(POLICY, a_named(1, channels=ON_EMAIL))
    message = tables.messages.load(CUSTOMER, a_named(1).message_id)
    assert message is not None
    (counter,) = counters_of(POLICY.volume_constraints[0], message, NOON)
    claimed = claim(tables, message, counter)
    key: Any = {"customer_id": {"S": f" volume {counter.key}"}, "message_id": {"S": " count"}}
    tables.client.delete_item(TableName="messages", Key=key)
    assert tables.messages.replace(claimed, claimed.not_sent(Reason.EXPIRED, NOON))
    assert "expires_at" in tables.client.get_item(TableName="messages", Key=key)["Item"]


def test_the_emergency_stop_is_known_for_a_few_seconds_alone(dynamodb: DynamoDBClient) -> None:
    clock = FakeClock(NOON)
    switch, other = (PauseSwitchItem(dynamodb, "consents", clock) for _ in range(2))
    assert switch.pauses() == NO_PAUSES
    paused = Pauses(False, frozenset({"r"}), frozenset({"sms"}), frozenset({"care"}))
    changes: list[tuple[Callable[[], object], Pauses]] = [
        (lambda: other.pause(paused), paused),
        (lambda: other.resume(paused), NO_PAUSES),
        (lambda: other.pause(Pauses(everything=True)), Pauses(everything=True)),
    ]
    for change, written in changes:
        before = switch.pauses()
        change()
        clock.instant += KNOWN_FOR - 1
        assert switch.pauses() == before
        clock.instant += 1
        assert switch.pauses() == switch.read() == written
