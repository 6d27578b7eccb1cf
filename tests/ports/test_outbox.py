"""One suite for every outbox: the fake that the use cases are tested with, and the tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import pytest

from foreword.adapters.claims import OutboxTables
from foreword.adapters.consents_table import consents_write, load_consents
from foreword.adapters.customers_table import profile_write
from foreword.adapters.message_items import message_item, new_message_write
from foreword.adapters.messages_table import MessagesTable
from foreword.app.ports import Claim, ContactHistory, DueMessages, Outbox
from foreword.domain.consent import Consents
from foreword.domain.contact_history import MOST_STEPS, Step, StepKind
from foreword.domain.due import all_due_shards
from foreword.domain.instants import DAY, HOUR, MINUTE, Instant
from foreword.domain.messages import READY_FOR, Message, MessageStatus
from foreword.domain.profiles import Profile
from foreword.domain.reasons import Reason
from foreword.domain.rulebook import Channel
from tests.fakes.delivery import FakeOutbox
from tests.fakes.samples import CUSTOMER, NOON, a_message, a_profile, some_consents

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class World(Protocol):
    """An outbox and the means to put something into what it stands on."""

    @property
    def outbox(self) -> Outbox: ...
    @property
    def due(self) -> DueMessages: ...
    @property
    def history(self) -> ContactHistory: ...
    def steps(self, message: Message) -> Sequence[Step]: ...
    def put_message(self, message: Message) -> None: ...
    def put_profile(self, profile: Profile) -> None: ...
    def put_consents(self, consents: Consents) -> None: ...


@dataclass
class InMemory:
    fake: FakeOutbox

    @property
    def outbox(self) -> Outbox:
        return self.fake

    @property
    def due(self) -> DueMessages:
        return self.fake

    @property
    def history(self) -> ContactHistory:
        return self.fake

    def steps(self, message: Message) -> Sequence[Step]:
        return sorted(self.fake.steps[message.customer_id, message.message_id])

    def put_message(self, message: Message) -> None:
        self.fake.add(message)

    def put_profile(self, profile: Profile) -> None:
        self.fake.profiles[profile.customer_id] = profile

    def put_consents(self, consents: Consents) -> None:
        self.fake.consents[consents.customer_id] = consents


@dataclass
class OnTables:
    client: DynamoDBClient

    @property
    def outbox(self) -> Outbox:
        return OutboxTables(self.client, "messages", "customers", "consents")

    @property
    def due(self) -> DueMessages:
        return MessagesTable(self.client, "messages")

    @property
    def history(self) -> ContactHistory:
        return MessagesTable(self.client, "messages")

    def steps(self, message: Message) -> Sequence[Step]:
        return MessagesTable(self.client, "messages").steps(message.customer_id)[message.message_id]

    def put_message(self, message: Message) -> None:
        self.client.transact_write_items(TransactItems=[new_message_write("messages", message, 400 * DAY)])

    def put_profile(self, profile: Profile) -> None:
        """As it would be read: at its own version."""
        read = replace(profile, version=profile.version - 1)
        self.client.transact_write_items(TransactItems=[profile_write("customers", read)])

    def put_consents(self, consents: Consents) -> None:
        read = replace(consents, version=consents.version - 1)
        self.client.transact_write_items(TransactItems=[consents_write("consents", read)])


@pytest.fixture(params=["in memory", "on tables"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "in memory":
        yield InMemory(FakeOutbox())
    else:
        yield OnTables(request.getfixturevalue("dynamodb"))


def claim_of(message: Message, attempt_id: str = "attempt-1") -> Message:
    return message.claimed(attempt_id, Channel.EMAIL, NOON)


def test_a_message_is_read_as_it_was_put(world: World) -> None:
    message = a_message(case="order-7", signals={"contacts": 3, "moment": True})
    world.put_message(message)
    assert world.outbox.load(CUSTOMER, message.message_id) == message
    assert world.outbox.load(CUSTOMER, "0" * 32) is None


def test_a_dossier_holds_all_three_as_they_are(world: World) -> None:
    profile, consents = a_profile(), some_consents(("care", "sms", False), suppressed=("email",))
    world.put_message(a_message())
    world.put_profile(profile)
    world.put_consents(consents)
    dossier = world.outbox.dossier(CUSTOMER, a_message().message_id)
    assert (dossier.message, dossier.profile, dossier.consents) == (a_message(), profile, consents)


def test_what_is_not_there_is_empty_in_a_dossier(world: World) -> None:
    dossier = world.outbox.dossier(CUSTOMER, "0" * 32)
    assert (dossier.message, dossier.profile, dossier.consents) == (
        None,
        Profile(CUSTOMER),
        Consents(CUSTOMER),
    )


def test_a_claim_holds_and_makes_it_due_in_an_hour(world: World) -> None:
    world.put_message(a_message())
    world.put_profile(a_profile())
    claimed = claim_of(a_message())
    assert world.outbox.claim(world.outbox.dossier(CUSTOMER, claimed.message_id), claimed) is Claim.CLAIMED
    assert world.outbox.load(CUSTOMER, claimed.message_id) == claimed
    assert due(world, NOON + HOUR - 1) == []
    assert due(world, NOON + HOUR) == [(CUSTOMER, claimed.message_id)]


def test_a_second_claim_loses(world: World) -> None:
    world.put_message(a_message())
    dossier = world.outbox.dossier(CUSTOMER, a_message().message_id)
    first = claim_of(a_message())
    assert world.outbox.claim(dossier, first) is Claim.CLAIMED
    assert world.outbox.claim(dossier, claim_of(a_message(), "attempt-2")) is Claim.LOST
    assert world.outbox.load(CUSTOMER, first.message_id) == first


def test_the_same_attempt_written_twice_is_one_claim(world: World) -> None:
    world.put_message(a_message())
    dossier = world.outbox.dossier(CUSTOMER, a_message().message_id)
    assert world.outbox.claim(dossier, claim_of(a_message())) is Claim.CLAIMED
    assert world.outbox.claim(dossier, claim_of(a_message())) is Claim.CLAIMED


@pytest.mark.parametrize("before", ["nothing", "something"])
@pytest.mark.parametrize("changed", ["profile", "consents", "erasure"])
def test_a_claim_loses_to_whatever_was_committed_first(world: World, before: str, changed: str) -> None:
    world.put_message(a_message())
    version = 0
    if before == "something":
        world.put_profile(a_profile(version=1))
        world.put_consents(some_consents(("care", "email", True), version=1))
        version = 1
    dossier = world.outbox.dossier(CUSTOMER, a_message().message_id)
    if changed == "consents":
        world.put_consents(some_consents(("care", "any", False), version=version + 1))
    else:
        profile = a_profile(version=version + 1, email="new@customer.example")
        world.put_profile(replace(profile, erased=changed == "erasure"))
    assert world.outbox.claim(dossier, claim_of(a_message())) is Claim.LOST
    assert world.outbox.load(CUSTOMER, a_message().message_id) == a_message()


def test_an_erasure_mark_stops_a_claim_even_at_the_same_version(world: World) -> None:
    world.put_message(a_message())
    world.put_profile(replace(a_profile(), erased=True))
    dossier = world.outbox.dossier(CUSTOMER, a_message().message_id)
    unerased = replace(dossier, profile=replace(dossier.profile, erased=False))
    assert world.outbox.claim(unerased, claim_of(a_message())) is Claim.LOST


def test_a_write_over_what_stands_holds_and_over_anything_else_does_not(world: World) -> None:
    world.put_message(a_message())
    deferred = a_message().deferred(NOON + MINUTE, Reason.DEFERRED_QUIET_HOURS)
    assert world.outbox.replace(a_message(), deferred)
    assert not world.outbox.replace(a_message(), a_message().not_sent(Reason.EXPIRED, NOON))
    assert world.outbox.load(CUSTOMER, deferred.message_id) == deferred


def test_the_same_write_reported_as_failed_has_succeeded(world: World) -> None:
    world.put_message(a_message())
    closed = a_message().not_sent(Reason.EXPIRED, NOON)
    assert world.outbox.replace(a_message(), closed)
    assert world.outbox.replace(a_message(), closed)


def test_only_what_waits_is_due(world: World) -> None:
    message = a_message()
    world.put_message(message)
    assert due(world, NOON) == []
    assert due(world, NOON + DAY) == [(CUSTOMER, message.message_id)]
    deferred = message.deferred(NOON + MINUTE, Reason.DEFERRED_QUIET_HOURS)
    assert world.outbox.replace(message, deferred)
    assert due(world, NOON + MINUTE - 1) == []
    assert due(world, NOON + MINUTE) == [(CUSTOMER, message.message_id)]
    ready = deferred.ready_again(NOON)
    assert world.outbox.replace(deferred, ready)
    assert due(world, NOON + READY_FOR - 1) == []
    claimed = claim_of(ready)
    assert world.outbox.claim(world.outbox.dossier(CUSTOMER, message.message_id), claimed) is Claim.CLAIMED
    sent = claimed.sent("ses-1", NOON)
    assert world.outbox.replace(claimed, sent)
    assert due(world, NOON + DAY) == []
    assert world.outbox.load(CUSTOMER, message.message_id) == sent
    assert sent.status is MessageStatus.SENT


def test_due_messages_are_found_in_every_shard(world: World) -> None:
    messages = [a_message(f"c-{number}") for number in range(40)]
    for message in messages:
        world.put_message(message)
        deferred = message.deferred(NOON + MINUTE, Reason.DEFERRED_QUIET_HOURS)
        assert world.outbox.replace(message, deferred)
    assert sorted(due(world, NOON + MINUTE)) == sorted((it.customer_id, it.message_id) for it in messages)


def due(world: World, now: Instant) -> list[tuple[str, str]]:
    return [found for shard in all_due_shards() for found in world.due.due(shard, now)]


def test_the_consents_written_are_the_consents_read(dynamodb: DynamoDBClient) -> None:
    consents = some_consents(("care", "any", False), ("offers", "sms", True), suppressed=("sms", "+49151"))
    OnTables(dynamodb).put_consents(consents)
    assert load_consents(dynamodb, "consents", CUSTOMER) == consents
    assert load_consents(dynamodb, "consents", "c-43") == Consents("c-43")


def test_a_contact_history_is_all_of_one_customer_and_of_nobody_else(dynamodb: DynamoDBClient) -> None:
    long = {"text": "x" * 300_000}
    messages = [replace(a_message(), message_id=f"{number:032}", signals=long) for number in range(5)]
    world = OnTables(dynamodb)
    for message in [*messages, a_message("c-43")]:
        world.put_message(message)
    found = MessagesTable(dynamodb, "messages").of_customer(CUSTOMER)
    assert sorted(found, key=lambda it: it.message_id) == messages


def test_each_write_of_a_message_leaves_its_step_with_it(dynamodb: DynamoDBClient) -> None:
    table, world = MessagesTable(dynamodb, "messages"), OnTables(dynamodb)
    world.put_message(a_message())
    claimed = claim_of(a_message())
    assert world.outbox.claim(world.outbox.dossier(CUSTOMER, claimed.message_id), claimed)
    assert table.replace(claimed, claimed.sent("ses-1", NOON))
    assert not table.replace(claimed, claimed.unknown(NOON))
    told = [(step.kind, step.detail) for step in table.steps(CUSTOMER)[claimed.message_id]]
    assert told == [("DECIDED", ""), ("CLAIMED", "email"), ("SENT", "email")]


def test_a_step_is_noted_once_and_of_messages_that_are_there(world: World) -> None:
    world.put_message(a_message())
    step = Step(NOON + MINUTE, StepKind.OPENED)
    for _ in range(2):
        assert world.history.note(CUSTOMER, a_message().message_id, step)
    assert not world.history.note(CUSTOMER, "0" * 32, step)
    assert world.outbox.load(CUSTOMER, a_message().message_id) == a_message()
    assert world.outbox.load(CUSTOMER, "0" * 32) is None
    assert [one for one in world.steps(a_message()) if one.kind is StepKind.OPENED] == [step]


def test_a_history_has_room_for_so_many_steps_and_keeps_those_it_has(dynamodb: DynamoDBClient) -> None:
    table = MessagesTable(dynamodb, "messages")
    OnTables(dynamodb).put_message(a_message())
    opened = [Step(NOON + number, StepKind.OPENED) for number in range(MOST_STEPS)]
    noted = [table.note(CUSTOMER, a_message().message_id, step) for step in opened]
    assert noted == [True] * (MOST_STEPS - 1) + [False]
    assert table.note(CUSTOMER, a_message().message_id, opened[0])
    assert table.replace(a_message(), a_message().not_sent(Reason.EXPIRED, NOON))
    assert len(table.steps(CUSTOMER)[a_message().message_id]) == MOST_STEPS + 1


def test_a_text_message_is_found_by_the_id_that_sns_gave_it_and_an_email_by_none(
    dynamodb: DynamoDBClient,
) -> None:
    table, world = MessagesTable(dynamodb, "messages"), OnTables(dynamodb)
    for customer, channel in (("c-1", Channel.SMS), ("c-2", Channel.EMAIL)):
        message = a_message(customer)
        world.put_message(message)
        claimed = message.claimed("attempt-1", channel, NOON)
        assert table.replace(message, claimed)
        assert table.replace(claimed, claimed.sent(f"{channel}-1", NOON))
    assert table.with_sms_id("sms-1") == ("c-1", a_message("c-1").message_id)
    assert table.with_sms_id("email-1") is None


def test_a_message_of_an_earlier_release_has_no_history_and_gets_one(dynamodb: DynamoDBClient) -> None:
    table = MessagesTable(dynamodb, "messages")
    dynamodb.put_item(TableName="messages", Item=message_item(a_message()))
    assert table.steps(CUSTOMER) == {a_message().message_id: []}
    assert table.note(CUSTOMER, a_message().message_id, Step(NOON, StepKind.DELIVERED))
    assert len(table.steps(CUSTOMER)[a_message().message_id]) == 1
