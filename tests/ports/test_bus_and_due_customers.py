from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from foreword.adapters import reach_table
from foreword.adapters.customers_table import CustomersTable
from foreword.adapters.due_customers import DueCustomersIndex
from foreword.adapters.event_bus import EventBus
from foreword.app.ports import Changes
from foreword.domain.due import DUE_SHARDS, all_due_shards, due_shard
from foreword.domain.errors import EventsNotAccepted
from foreword.domain.instants import DAY, MINUTE, sortable
from foreword.domain.outgoing import OutgoingEvent
from foreword.domain.reaching import Reach
from tests.fakes.samples import NOON

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Entry = dict[str, Any]

REFUSED = ClientError({"Error": {"Code": "InternalException"}}, "PutEvents")


class FlakyEvents:
    """PutEvents as far as it is used: `refusals` says how often each event's id is refused, `broken` the call.

    `ending` is what a broken call raises, or answers.
    """

    def __init__(
        self, refusals: dict[str, int] | None = None, broken: int = 0, ending: Exception | Entry = REFUSED
    ) -> None:
        self.refusals, self.broken, self.ending = dict(refusals or {}), broken, ending
        self.requests: list[int] = []
        self.accepted: list[Entry] = []

    def put_events(self, Entries: list[Entry]) -> Entry:  # noqa: N803  as boto3 spells it
        self.requests.append(len(Entries))
        if self.broken:
            self.broken -= 1
            if isinstance(self.ending, Exception):
                raise self.ending
            return self.ending
        answers = []
        for entry in Entries:
            name = json.loads(entry["Detail"])["id"]
            if self.refusals.get(name, 0) > 0:
                self.refusals[name] -= 1
                answers.append({"ErrorCode": "ThrottlingException"})
            else:
                self.accepted.append(entry)
                answers.append({"EventId": "1"})
        return {"FailedEntryCount": 0, "Entries": answers}


def events(count: int) -> list[OutgoingEvent]:
    return [
        OutgoingEvent("MessageSent", f"m-{number}/sent", "c-1", NOON, {"n": number})
        for number in range(count)
    ]


def bus(client: FlakyEvents) -> EventBus:
    return EventBus(client, "foreword-dev")  # type: ignore[arg-type]


def test_an_event_has_the_envelope_of_every_event() -> None:
    client = FlakyEvents()
    bus(client).put(events(1))
    [entry] = client.accepted
    assert {name: entry[name] for name in ("EventBusName", "Source", "DetailType")} == {
        "EventBusName": "foreword-dev",
        "Source": "foreword",
        "DetailType": "MessageSent",
    }
    assert json.loads(entry["Detail"]) == {
        "id": "m-0/sent",
        "customer_id": "c-1",
        "occurred_at": "2026-03-04T12:00:00Z",
        "data": {"n": 0},
    }


def test_many_events_go_ten_by_ten() -> None:
    client = FlakyEvents()
    bus(client).put(events(23))
    assert client.requests == [10, 10, 3]
    bus(client).put([])
    assert len(client.requests) == 3


def test_what_was_refused_once_is_put_again_and_nothing_else() -> None:
    client = FlakyEvents({"m-3/sent": 2})
    bus(client).put(events(12))
    assert client.requests == [10, 1, 1, 2]
    assert len(client.accepted) == 12


def test_what_is_refused_for_good_is_named_after_all_others_were_put() -> None:
    client = FlakyEvents({"m-3/sent": 99})
    with pytest.raises(EventsNotAccepted) as refused:
        bus(client).put(events(12))
    assert refused.value.ids == {"m-3/sent"}
    assert len(client.accepted) == 11


@pytest.mark.parametrize(
    "ending",
    [REFUSED, ReadTimeoutError(endpoint_url="events"), ResponseParserError("html"), {}, {"Entries": [{}]}],
)
def test_a_call_that_fails_altogether_is_made_again(ending: Exception | Entry) -> None:
    client = FlakyEvents(broken=1, ending=ending)
    bus(client).put(events(2))
    assert len(client.accepted) == 2
    with pytest.raises(EventsNotAccepted) as refused:
        bus(FlakyEvents(broken=99, ending=ending)).put(events(2))
    assert refused.value.ids == {"m-0/sent", "m-1/sent"}


def test_a_real_bus_takes_it(aws: None) -> None:
    client = boto3.client("events")
    client.create_event_bus(Name="foreword-dev")
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="all")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = json.dumps({"source": ["foreword"]})
    client.put_rule(Name="all", EventBusName="foreword-dev", EventPattern=pattern)
    client.put_targets(Rule="all", EventBusName="foreword-dev", Targets=[{"Id": "all", "Arn": arn}])
    EventBus(client, "foreword-dev").put(events(11))
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
    assert attributes["Attributes"]["ApproximateNumberOfMessages"] == "11"


def test_customers_are_due_from_their_time_on_and_those_without_a_deadline_never(
    dynamodb: DynamoDBClient,
) -> None:
    for number in range(30):
        customer_id = f"c-{number}"
        waits = {"due_shard": due_shard(customer_id), "due_at": sortable(NOON + number * MINUTE)}
        item = {"customer_id": customer_id, "item": "state"} | (waits if number % 3 else {})
        dynamodb.put_item(TableName="customers", Item={name: {"S": value} for name, value in item.items()})
    index = DueCustomersIndex(dynamodb, "customers")
    found = [due for shard in all_due_shards() for due in index.due(shard, NOON + 10 * MINUTE)]
    expected = [(f"c-{number}", NOON + number * MINUTE) for number in range(11) if number % 3]
    assert sorted(found) == sorted(expected)


def test_customers_are_spread_over_all_shards_and_always_the_same() -> None:
    shards = [due_shard(f"c-{number}") for number in range(800)]
    assert set(shards) == set(all_due_shards()) == {str(shard) for shard in range(DUE_SHARDS)}
    assert max(shards.count(shard) for shard in set(shards)) < 200
    assert due_shard("c-42") == due_shard("c-42")


def test_all_customers_are_reached_page_by_page(
    dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach_table, "PAGE", 2)
    states = CustomersTable(dynamodb, "customers", "messages", 400 * DAY)
    for at in range(5):
        customer_id = f"c-{at}"
        states.save(states.load(customer_id), customer_id, "{}", "new" if at == 3 else "old", None, Changes())
    table = reach_table.ReachTable(dynamodb, "customers")
    assert table.progress() is None
    begun = Reach("m1", NOON, version=1)
    assert table.keep(Reach("m1", NOON), begun) is True
    assert table.keep(Reach("m1", NOON), begun) is False
    reach, met = begun, []
    while not reach.done:
        page, through = table.page(reach.through, "new")
        met += page
        after = replace(reach, through=through, done=through is None, version=reach.version + 1)
        assert table.keep(reach, after) is True
        reach = after
    assert sorted(met) == ["c-0", "c-1", "c-2", "c-4"]
    assert table.progress() == reach
