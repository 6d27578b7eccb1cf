"""Each mend: what moto does without it, and what it does with it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, Literal

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table
from moto.events.models import events_backends

from foreword.local.account import ACCOUNT, REGION
from foreword.local.mends.bus import bus_as_on_aws, entry_bytes, put_as_aws
from foreword.local.mends.expiry import expire_items
from foreword.local.mends.mail import mail_is_kept_whole
from foreword.local.mends.one_at_a_time import one_at_a_time
from foreword.local.mends.patching import patched
from foreword.local.mends.request_tokens import request_tokens_are_honoured
from foreword.local.mends.stream_records import streams_tell_what_happened
from foreword.local.mends.suppressed_addresses import suppressed_addresses_are_listed
from foreword.local.mends.text_messages import opted_out_numbers_are_refused
from foreword.local.mends.transactions import transactions_touch_their_items_only
from foreword.local.mends.unmocked import UnmockedRequest, nothing_unmocked

Mend = Callable[[], AbstractContextManager[None]]
unmended: Mend = nullcontext
TABLE = "things"


@pytest.fixture(autouse=True)
def _moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


@pytest.fixture
def dynamodb() -> Any:
    client = boto3.client("dynamodb")
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "kind", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "kind")],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return client


def key(name: str) -> dict[str, Any]:
    return {"id": {"S": name}, "kind": {"S": "x"}}


def put(name: str, **more: Any) -> dict[str, Any]:
    return {"Put": {"TableName": TABLE, "Item": key(name) | more.pop("item", {}), **more}}


def count(name: str) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": TABLE,
            "Key": key(name),
            "UpdateExpression": "ADD times :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }


def told() -> list[tuple[str, dict[str, Any] | None]]:
    """Event name and new image of each record in the stream."""
    stream = dynamodb_backends[ACCOUNT][REGION].tables[TABLE].stream_shard
    assert stream is not None
    return [(one.record["eventName"], one.record["dynamodb"].get("NewImage")) for one in stream.items]


# ---- one at a time


def winners_of_one_claim() -> int:
    """Two threads put an item on condition that it is not there; each reads before the other writes, if let."""
    won: list[str] = []
    both_have_read = threading.Barrier(2)
    read = Table.get_item

    def read_and_wait(*of: Any) -> Any:
        found = read(*of)
        with suppress(threading.BrokenBarrierError):  # the other one is not let in
            both_have_read.wait(timeout=0.5)
        return found

    def claim() -> None:
        client = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 1}))
        with suppress(client.exceptions.ConditionalCheckFailedException):
            client.put_item(TableName=TABLE, Item=key("one"), ConditionExpression="attribute_not_exists(id)")
            won.append("one")

    threads = [threading.Thread(target=claim) for _ in range(2)]
    with patched(Table, "get_item", read_and_wait):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return len(won)


def test_without_a_lock_several_threads_win_one_claim(dynamodb: Any) -> None:
    assert winners_of_one_claim() == 2


def test_with_the_lock_each_claim_has_one_winner(dynamodb: Any) -> None:
    with one_at_a_time():
        assert winners_of_one_claim() == 1


# ---- unmocked requests


def test_moto_answers_404_for_a_service_it_does_not_know() -> None:
    with pytest.raises(ClientError, match="404"):
        boto3.client("translate").list_languages()


def test_an_unknown_service_is_named_when_mended() -> None:
    with nothing_unmocked(), pytest.raises(UnmockedRequest, match=r"translate\.eu-central-1"):
        boto3.client("translate").list_languages()


# ---- transactions


@pytest.mark.parametrize(("mend", "same"), [(unmended, False), (transactions_touch_their_items_only, True)])
def test_a_failed_transaction_leaves_the_table_itself_in_place(dynamodb: Any, mend: Mend, same: bool) -> None:
    table = dynamodb_backends[ACCOUNT][REGION].tables[TABLE]
    dynamodb.put_item(TableName=TABLE, Item=key("taken"))
    entries = [put("new"), count("taken"), put("taken2", ConditionExpression="attribute_exists(id)")]
    with mend(), pytest.raises(dynamodb.exceptions.TransactionCanceledException):
        dynamodb.transact_write_items(TransactItems=entries)

    assert (dynamodb_backends[ACCOUNT][REGION].tables[TABLE] is table) is same
    assert dynamodb.scan(TableName=TABLE)["Items"] == [key("taken")]
    assert [name for name, _ in told()] == ["INSERT"]


def items_copied_by_a_transaction(client: Any) -> int:
    copied: list[Item] = []

    def counting(item: Item, memo: dict[int, Any]) -> Item:
        copied.append(item)
        return original(item, memo)

    original = Item.__deepcopy__
    with patched(Item, "__deepcopy__", counting):
        client.transact_write_items(TransactItems=[put("new")])
    return len(copied)


def test_a_transaction_does_not_copy_the_whole_table(dynamodb: Any) -> None:
    for number in range(30):
        dynamodb.put_item(TableName=TABLE, Item=key(str(number)))
    assert items_copied_by_a_transaction(dynamodb) >= 30
    with transactions_touch_their_items_only():
        assert items_copied_by_a_transaction(dynamodb) <= 1


def test_a_cancelled_transaction_gives_the_old_item_with_or_without_mends(dynamodb: Any) -> None:
    dynamodb.put_item(TableName=TABLE, Item=key("taken") | {"by": {"S": "me"}})
    condition = {
        "ConditionExpression": "attribute_not_exists(id)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    for mend in (unmended, transactions_touch_their_items_only):
        with mend(), pytest.raises(dynamodb.exceptions.TransactionCanceledException) as failure:
            dynamodb.transact_write_items(TransactItems=[put("new"), put("taken", **condition)])
        reasons = failure.value.response["CancellationReasons"]
        assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed"]
        assert reasons[1]["Item"] == key("taken") | {"by": {"S": "me"}}


# ---- request tokens


@pytest.mark.parametrize(("mend", "times"), [(unmended, "2"), (request_tokens_are_honoured, "1")])
def test_a_repeated_token_writes_once(dynamodb: Any, mend: Mend, times: str) -> None:
    with mend():
        for _ in range(2):
            dynamodb.transact_write_items(TransactItems=[count("a")], ClientRequestToken="token")
        assert dynamodb.get_item(TableName=TABLE, Key=key("a"))["Item"]["times"] == {"N": times}


def test_a_token_used_for_something_else_is_refused_when_mended(dynamodb: Any) -> None:
    dynamodb.transact_write_items(TransactItems=[count("a")], ClientRequestToken="token")
    dynamodb.transact_write_items(TransactItems=[count("b")], ClientRequestToken="token")
    with request_tokens_are_honoured():
        dynamodb.transact_write_items(TransactItems=[count("a")], ClientRequestToken="token")
        with pytest.raises(dynamodb.exceptions.IdempotentParameterMismatchException):
            dynamodb.transact_write_items(TransactItems=[count("b")], ClientRequestToken="token")


# ---- stream records


@pytest.mark.parametrize(
    ("mend", "records"),
    [
        (unmended, [("INSERT", key("a")), ("INSERT", key("a") | {"times": {"N": "1"}})]),
        (streams_tell_what_happened, [("INSERT", key("a") | {"times": {"N": "1"}})]),
    ],
)
def test_an_update_that_creates_is_told_once(dynamodb: Any, mend: Mend, records: Any) -> None:
    with mend():
        dynamodb.update_item(**count("a")["Update"])
    assert told() == records


@pytest.mark.parametrize(
    ("mend", "names"), [(unmended, ["INSERT", "MODIFY"]), (streams_tell_what_happened, ["INSERT"])]
)
def test_a_write_that_changes_nothing_is_not_told(dynamodb: Any, mend: Mend, names: list[str]) -> None:
    with mend():
        for _ in range(2):
            dynamodb.put_item(TableName=TABLE, Item=key("a"))
    assert [name for name, _ in told()] == names


@pytest.mark.parametrize(("mend", "left"), [(unmended, 1), (streams_tell_what_happened, 0)])
def test_an_update_that_fails_creates_nothing(dynamodb: Any, mend: Mend, left: int) -> None:
    too_long = {":text": {"S": "x" * (400 * 1024 + 1)}}
    with mend(), pytest.raises(ClientError, match="exceeded the maximum allowed size"):
        dynamodb.update_item(
            TableName=TABLE,
            Key=key("a"),
            UpdateExpression="SET words = :text",
            ExpressionAttributeValues=too_long,
        )
    assert len(dynamodb.scan(TableName=TABLE)["Items"]) == left
    assert len(told()) == left


def test_an_ordinary_update_is_told_with_both_images(dynamodb: Any) -> None:
    with streams_tell_what_happened():
        for _ in range(2):
            dynamodb.update_item(**count("a")["Update"])
    assert told() == [
        ("INSERT", key("a") | {"times": {"N": "1"}}),
        ("MODIFY", key("a") | {"times": {"N": "2"}}),
    ]


# ---- expiry


def test_moto_keeps_an_item_past_its_ttl_until_it_is_let_go(dynamodb: Any) -> None:
    ttl = {"Enabled": True, "AttributeName": "expires_at"}
    dynamodb.update_time_to_live(TableName=TABLE, TimeToLiveSpecification=ttl)
    for name, seconds in (("old", -3600), ("new", 3600)):
        expires = {"expires_at": {"N": str(int(time.time()) + seconds)}}
        dynamodb.put_item(TableName=TABLE, Item=key(name) | expires)
    assert len(dynamodb.scan(TableName=TABLE)["Items"]) == 2

    assert expire_items() == 1
    assert [item["id"] for item in dynamodb.scan(TableName=TABLE)["Items"]] == [{"S": "new"}]
    assert [name for name, _ in told()] == ["INSERT", "INSERT", "REMOVE"]


# ---- the bus


class Bus:
    """The default bus with one rule to a function."""

    def __init__(self, state: Literal["ENABLED", "DISABLED"] = "ENABLED") -> None:
        self.events = boto3.client("events")
        self.delivered: list[Any] = []
        self.accepted: list[str] = []
        function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:hear"
        self.events.put_rule(Name="all", EventPattern='{"source": [{"prefix": ""}]}', State=state)
        self.events.put_targets(Rule="all", Targets=[{"Id": "hear", "Arn": function}])

    def mended(self) -> AbstractContextManager[None]:
        return bus_as_on_aws(
            lambda _target, event: self.delivered.append(event),
            lambda _entry, event_id: self.accepted.append(event_id),
        )

    def put(self, source: str = "shop", detail: str = "{}") -> dict[str, Any]:
        entry: Any = {"Source": source, "DetailType": "OrderPlaced", "Detail": detail}
        answer: Any = self.events.put_events(Entries=[entry])["Entries"][0]
        return dict(answer)


def test_moto_has_no_functions_behind_a_bus() -> None:
    bus = Bus()
    with pytest.raises(NotImplementedError):
        bus.put()
    with bus.mended():
        event_id = bus.put(detail='{"id": "1"}')["EventId"]

    (event,) = bus.delivered
    assert bus.accepted == [event_id] == [event["id"]]
    assert event["detail"] == {"id": "1"}
    assert set(event) == {
        "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail",
    }  # fmt: skip
    assert time.strptime(event["time"], "%Y-%m-%dT%H:%M:%SZ")


def test_moto_sends_to_the_targets_of_a_disabled_rule() -> None:
    bus = Bus(state="DISABLED")
    with pytest.raises(NotImplementedError):
        bus.put()
    with bus.mended():
        bus.put()
    assert bus.delivered == []


@pytest.mark.parametrize(
    ("source", "detail", "code"),
    [
        ("aws.ses", "{}", "NotAuthorizedForSourceException"),
        ("shop", '{"amount": NaN}', "MalformedDetail"),
    ],
)
def test_what_aws_refuses_moto_accepts(source: str, detail: str, code: str) -> None:
    bus = Bus()
    bus.events.remove_targets(Rule="all", Ids=["hear"])
    assert "EventId" in bus.put(source, detail)
    with bus.mended():
        assert bus.put(source, detail)["ErrorCode"] == code
    assert bus.accepted == []


def test_aws_itself_may_put_its_own_events() -> None:
    bus = Bus()
    with bus.mended():
        entry = {"Source": "aws.ses", "DetailType": "Email Sent", "Detail": json.dumps({})}
        put_as_aws(events_backends[ACCOUNT][REGION], entry)
    assert [event["source"] for event in bus.delivered] == ["aws.ses"]


def test_a_request_over_256_kb_is_refused() -> None:
    bus = Bus()
    bus.events.remove_targets(Rule="all", Ids=["hear"])
    room = 256 * 1024 - len("shopOrderPlaced") - len('{"a":""}')
    fits, over = (json.dumps({"a": "x" * size}, separators=(",", ":")) for size in (room, room + 1))
    assert "EventId" in bus.put(detail=over)
    with bus.mended():
        assert "EventId" in bus.put(detail=fits)
        with pytest.raises(ClientError, match="over the limit"):
            bus.put(detail=over)


def test_an_entry_is_counted_in_bytes() -> None:
    assert (
        entry_bytes({"Source": "ä", "DetailType": "b", "Detail": "{}", "Resources": ["cd"], "Time": 0}) == 21
    )


# ---- mail


def send_mail(**more: Any) -> Any:
    return boto3.client("sesv2").send_email(
        FromEmailAddress="hello@example.com",
        Destination={"ToAddresses": ["ada@example.com"]},
        Content={
            "Simple": {
                "Subject": {"Data": "Hello"},
                "Body": {"Text": {"Data": "words"}, "Html": {"Data": "<p>words</p>"}},
            }
        },
        **more,
    )


def test_an_unknown_configuration_set_is_refused_when_mended() -> None:
    ses = boto3.client("sesv2")
    ses.create_email_identity(EmailIdentity="hello@example.com")
    assert send_mail(ConfigurationSetName="nowhere")["MessageId"]
    with mail_is_kept_whole(lambda *_: None), pytest.raises(ses.exceptions.NotFoundException):
        send_mail(ConfigurationSetName="nowhere")


def test_moto_keeps_neither_tags_nor_the_text_part() -> None:
    from moto.ses.models import ses_backends

    boto3.client("sesv2").create_email_identity(EmailIdentity="hello@example.com")
    send_mail(EmailTags=[{"Name": "about", "Value": "x"}])
    kept = vars(ses_backends[ACCOUNT][REGION].sent_messages[0])
    assert "words</p>" in str(kept)
    assert "about" not in str(kept)

    whole: list[Any] = []
    with mail_is_kept_whole(lambda parameters, message_id: whole.append((parameters, message_id))):
        answer = send_mail(EmailTags=[{"Name": "about", "Value": "x"}])
    ((parameters, message_id),) = whole
    assert message_id == answer["MessageId"]
    assert parameters["EmailTags"] == [{"Name": "about", "Value": "x"}]
    assert parameters["Content"]["Simple"]["Body"]["Text"]["Data"] == "words"


def test_mail_that_ses_refuses_is_not_kept() -> None:
    whole: list[Any] = []
    with mail_is_kept_whole(lambda *accepted: whole.append(accepted)), pytest.raises(ClientError):
        send_mail()
    assert whole == []


# ---- text messages


def test_moto_publishes_to_opted_out_numbers() -> None:
    sns = boto3.client("sns")
    listed = sns.list_phone_numbers_opted_out()["phoneNumbers"][0]
    assert sns.publish(PhoneNumber=listed, Message="x")["MessageId"]
    assert sns.check_if_phone_number_is_opted_out(phoneNumber="+4366012345699")["isOptedOut"]

    accepted: list[str] = []
    with opted_out_numbers_are_refused(lambda number, *_: accepted.append(number)):
        with pytest.raises(sns.exceptions.InvalidParameterException, match="opted out"):
            sns.publish(PhoneNumber=listed, Message="x")
        sns.publish(PhoneNumber="+4366012345699", Message="x")
        assert not sns.check_if_phone_number_is_opted_out(phoneNumber="+4366012345699")["isOptedOut"]
    assert accepted == ["+4366012345699"]


def test_moto_has_no_suppression_list_and_the_mend_answers_from_ours() -> None:
    ses = boto3.client("sesv2")
    with pytest.raises(NotImplementedError, match="list_suppressed_destinations"):
        ses.list_suppressed_destinations()
    with suppressed_addresses_are_listed(["ada@example.com"]):
        answer = ses.list_suppressed_destinations(PageSize=1000)
    listed = answer["SuppressedDestinationSummaries"]
    assert [one["EmailAddress"] for one in listed] == ["ada@example.com"]
    assert "NextToken" not in answer
