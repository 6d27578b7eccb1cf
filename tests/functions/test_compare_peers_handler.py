"""The handler of compare_peers, over moto's stores: the shape it takes and gives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from compare_peers import handler
from foreword.adapters import clients
from foreword.adapters.peer_closes import PeerClosesTable
from foreword.adapters.peers_table import PeersTable
from foreword.contracts.peer_work import body_of
from foreword.domain.instants import DAY, HOUR
from foreword.domain.peers import comparisons
from foreword.domain.peers_closing import Close, Work
from foreword.domain.peers_lines import value_line
from foreword.domain.rulebook import Rulebook
from tests.ports.conftest import aws, dynamodb
from tests.unit.domain.test_peers import a_rule, value

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

__all__ = ["aws", "dynamodb"]

NOTHING_FAILED: dict[str, Any] = {"batchItemFailures": []}


@pytest.fixture
def close(dynamodb: DynamoDBClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Close]:
    """A close with three values, in its first stage."""
    rulebook = Rulebook(generation="g1", rules=(a_rule(),))
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "rulebook.json").write_text(rulebook.model_dump_json())
    for name, text in {
        "LAMBDA_TASK_ROOT": str(tmp_path),
        "ACTIVITY_TABLE": "activity",
        "PEERS_TABLE": "peers",
        "PEERS_QUEUE_URL": boto3.client("sqs").create_queue(QueueName="peers")["QueueUrl"],
        "POWERTOOLS_SERVICE_NAME": "test",
        "POWERTOOLS_METRICS_NAMESPACE": "Foreword",
    }.items():
        monkeypatch.setenv(name, text)
    forget()
    close = comparisons(rulebook.rules)["behind"].close_of(20_000 * DAY)
    for customer, own in {"a": 10, "b": 20, "c": 21}.items():
        given = value(customer, close.period + HOUR, own)
        PeersTable(dynamodb, "peers").put_value(close, customer, value_line(given), 1)
    closes = PeerClosesTable(dynamodb, "peers")
    closes.register(close, close.end)
    registered = closes.load(close)
    assert registered is not None
    closes.move(registered, registered.following(close.end))
    yield close
    forget()


def forget() -> None:
    """Each test is a new process, as far as the handler knows."""
    lazy = [made for made in vars(handler).values() if hasattr(made, "cache_clear")]
    for made in (clients.dynamodb, clients.sqs, *lazy):
        made.cache_clear()


def record(body: str, id: str) -> dict[str, str]:
    return {"messageId": id, "body": body}


def waiting() -> list[dict[str, str]]:
    """The records of all that waits on the queue, which is then empty."""
    client = boto3.client("sqs")
    url = client.get_queue_url(QueueName="peers")["QueueUrl"]
    records: list[dict[str, str]] = []
    while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        for message in messages:
            records.append(record(message["Body"], message["MessageId"]))
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return records


def first_works(dynamodb: DynamoDBClient, close: Close) -> list[Work]:
    progress = PeerClosesTable(dynamodb, "peers").load(close)
    assert progress is not None
    return progress.work()


def test_all_parts_of_a_close_lead_to_a_fact_and_are_counted(
    dynamodb: DynamoDBClient, close: Close, capsys: pytest.CaptureFixture[str]
) -> None:
    records = [record(body_of(work), work.part) for work in first_works(dynamodb, close)]
    while records:
        assert handler.handle({"Records": records}, None) == NOTHING_FAILED
        records = waiting()
    (fact,) = dynamodb.scan(TableName="activity")["Items"]
    assert (fact["customer_id"]["S"], fact["type"]["S"]) == ("a", "PeersCompared")
    counted: dict[str, float] = {}
    output = capsys.readouterr().out
    for line in output.splitlines():
        published = json.loads(line)
        for name in ("PeersCompared", "PeersChanged", "PeriodsClosed"):
            counted[name] = counted.get(name, 0) + sum(published.get(name, []))
    assert counted == {"PeersCompared": 3, "PeersChanged": 1, "PeriodsClosed": 1}


def test_work_that_fails_is_named_and_its_neighbours_go_on(
    dynamodb: DynamoDBClient, close: Close, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, *_ = first_works(dynamodb, close)
    batch = [record(body_of(first), "1"), record("{}", "2"), record(body_of(second), "3")]
    assert handler.handle({"Records": batch}, None) == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    progress = PeerClosesTable(dynamodb, "peers").load(close)
    assert progress is not None
    assert not progress.left & {first.part, second.part}
    assert "not compared" in capsys.readouterr().out
