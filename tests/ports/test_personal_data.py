"""What is erased and who was, on moto's tables; and the providers' own lists, as their clients answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from foreword.adapters.activity_table import ActivityTable
from foreword.adapters.customers_table import load_profile
from foreword.adapters.erasures import Erasures
from foreword.adapters.journal_writer import JournalWriter
from foreword.adapters.personal_data import PersonalDataTables
from foreword.adapters.provider_lists import AwsLists
from foreword.domain.erasure import LOOKED_AT_EVERY
from foreword.domain.errors import CustomerErased, PageGone, StoreConflict
from foreword.domain.facts import CUSTOMER_UPDATED, PREFERENCE_CHANGED, Fact
from foreword.domain.instants import DAY, HOUR
from foreword.domain.rulebook import Channel
from tests.fakes.customers import FakeClock
from tests.fakes.samples import NOON
from tests.ports.conftest import TABLES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
def erasures(dynamodb: DynamoDBClient, clock: FakeClock) -> Erasures:
    return Erasures(dynamodb, "customers", clock)


@pytest.fixture
def data(dynamodb: DynamoDBClient, erasures: Erasures) -> PersonalDataTables:
    return PersonalDataTables(dynamodb, {name: name for name in TABLES}, erasures)


@pytest.fixture
def writer(dynamodb: DynamoDBClient) -> JournalWriter:
    return JournalWriter(dynamodb, ActivityTable(dynamodb, "activity", 400 * DAY), "customers", "consents")


def fact(id: str, kind: str = "A", customer: str = "c-1", **of: Any) -> Fact:
    return Fact("test", id, kind, customer, NOON, NOON, of)


def test_who_is_erased_is_known_by_a_keyed_hash_and_everybody_else_is_not(
    erasures: Erasures, dynamodb: DynamoDBClient
) -> None:
    assert not erasures.is_erased("c-1")
    for _ in range(2):
        erasures.add("c-1", NOON)
    assert erasures.is_erased("c-1")
    assert not erasures.is_erased("c-2")
    items = dynamodb.scan(TableName="customers")["Items"]
    assert len(items) == 2
    assert "c-1" not in str(items)


def test_another_instance_learns_of_an_erasure_within_the_minute(
    erasures: Erasures, dynamodb: DynamoDBClient
) -> None:
    clock = FakeClock(NOON)
    other = Erasures(dynamodb, "customers", clock)
    assert not other.is_erased("c-1")
    erasures.add("c-1", NOON)
    assert not other.is_erased("c-1")
    clock.instant += LOOKED_AT_EVERY
    assert other.is_erased("c-1")
    erasures.add("c-2", NOON - HOUR // 2)  # by a machine whose clock is behind
    clock.instant += LOOKED_AT_EVERY
    assert other.is_erased("c-2")


def test_the_key_is_made_once(erasures: Erasures, dynamodb: DynamoDBClient, clock: FakeClock) -> None:
    erasures.add("c-1", NOON)
    other = Erasures(dynamodb, "customers", clock)
    other.add("c-2", NOON)
    assert other.is_erased("c-1")


def test_a_mark_empties_the_profile_and_nothing_is_written_into_it_again(
    data: PersonalDataTables, writer: JournalWriter, dynamodb: DynamoDBClient
) -> None:
    writer.add(fact("1", CUSTOMER_UPDATED, email="ada@example.com"))
    assert data.mark("c-1", NOON) == NOON
    assert data.mark("c-1", NOON + DAY) == NOON
    profile = load_profile(dynamodb, "customers", "c-1")
    assert (profile.attributes, profile.erased, profile.version) == ({}, True, 2)
    with pytest.raises(CustomerErased):
        writer.add(fact("2", CUSTOMER_UPDATED, email="ada@example.com"))
    assert "email_key" not in str(dynamodb.scan(TableName="customers")["Items"])


def test_a_customer_without_a_profile_is_marked_as_well(data: PersonalDataTables) -> None:
    assert data.mark("c-1", NOON) == NOON
    assert data.mark("c-1", NOON + 1) == NOON


def test_a_mark_that_loses_every_time_says_so(
    data: PersonalDataTables, writer: JournalWriter, dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = dynamodb.put_item
    count = iter(range(100))

    def first(**of: Any) -> Any:
        writer.add(fact(str(next(count)), CUSTOMER_UPDATED, segment="retail"))
        return put(**of)

    monkeypatch.setattr(dynamodb, "put_item", first)
    with pytest.raises(StoreConflict):
        data.mark("c-1", NOON)


def test_all_of_a_customer_is_deleted_and_nothing_of_anybody_else(
    data: PersonalDataTables, writer: JournalWriter, dynamodb: DynamoDBClient
) -> None:
    for customer in ("c-1", "c-2"):
        for number in range(30):
            writer.add(fact(str(number), customer=customer))
        writer.add(fact("profile", CUSTOMER_UPDATED, customer, email=f"{customer}@example.com"))
        writer.add(fact("choice", PREFERENCE_CHANGED, customer, topic="care", channel="any", choice="out"))
        for part in ("value/r/d/p/0a", "true/r/0a"):
            item = {"part": {"S": part}, "item": {"S": customer}, "line": {"S": "{}"}}
            dynamodb.put_item(TableName="peers", Item=item)
    data.mark("c-1", NOON)
    assert data.delete("c-1") == {"activity": 32, "customers": 0, "messages": 0, "consents": 2, "peers": 2}
    assert {table: len(items) for table, items in data.items("c-1").items() if items} == {"customers": 1}
    data.forget("c-1")
    data.forget("c-1")
    assert not any(data.items("c-1").values())
    assert {table: len(items) for table, items in data.items("c-2").items()} == {
        "activity": 32,
        "customers": 1,
        "messages": 0,
        "consents": 2,
        "peers": 2,
    }


def test_a_profile_that_is_not_marked_is_not_forgotten(
    data: PersonalDataTables, writer: JournalWriter, dynamodb: DynamoDBClient
) -> None:
    writer.add(fact("profile", CUSTOMER_UPDATED, email="ada@example.com"))
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException):
        data.forget("c-1")


@pytest.fixture
def providers(aws: None) -> Iterator[tuple[AwsLists, Stubber, Stubber]]:
    ses, sns = boto3.client("sesv2"), boto3.client("sns")
    with Stubber(ses) as of_ses, Stubber(sns) as of_sns:
        yield AwsLists(ses, sns), of_ses, of_sns


def test_each_providers_list_is_read_page_by_page(providers: tuple[AwsLists, Stubber, Stubber]) -> None:
    lists, ses, sns = providers
    listed = {"EmailAddress": "ada@example.com", "Reason": "BOUNCE", "LastUpdateTime": 1_735_689_600}
    answer = {"SuppressedDestinationSummaries": [listed], "NextToken": "t"}
    ses.add_response("list_suppressed_destinations", answer, {"PageSize": 1000})
    ses.add_response("list_suppressed_destinations", {}, {"PageSize": 1000, "NextToken": "t"})
    assert lists.page(Channel.EMAIL, None) == (["ada@example.com"], "t")
    assert lists.page(Channel.EMAIL, "t") == ([], None)
    numbers = {"phoneNumbers": ["+4915112345678"], "nextToken": "n"}
    sns.add_response("list_phone_numbers_opted_out", numbers, {})
    sns.add_response("list_phone_numbers_opted_out", {"phoneNumbers": []}, {"nextToken": "n"})
    assert lists.page(Channel.SMS, None) == (["+4915112345678"], "n")
    assert lists.page(Channel.SMS, "n") == ([], None)


def test_a_token_that_is_refused_is_a_page_that_is_gone_and_any_other_error_is_itself(
    providers: tuple[AwsLists, Stubber, Stubber],
) -> None:
    lists, ses, sns = providers
    for _ in range(2):
        ses.add_client_error("list_suppressed_destinations", "InvalidNextTokenException")
    sns.add_client_error("list_phone_numbers_opted_out", "AuthorizationError")
    with pytest.raises(PageGone):
        lists.page(Channel.EMAIL, "t")
    with pytest.raises(ClientError):
        lists.page(Channel.EMAIL, None)
    with pytest.raises(ClientError):
        lists.page(Channel.SMS, "n")
