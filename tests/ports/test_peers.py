"""One suite for all stores of closes: the fakes that the use cases are tested with, and the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from foreword.adapters.peer_closes import PeerClosesTable
from foreword.adapters.peers_table import PeersTable
from foreword.adapters.work_queue import PeerWorkQueue
from foreword.app.ports import Frozen, PeerCloses, PeerStore
from foreword.contracts.peer_work import work_of
from foreword.domain.errors import StoreUnavailable
from foreword.domain.instants import DAY, HOUR, MINUTE, SECOND
from foreword.domain.peers_closing import (
    KEPT_FOR,
    Close,
    Progress,
    Stage,
    Step,
    Truth,
    Work,
    all_shards,
    shard_of,
)
from tests.fakes.peers import FakePeerCloses, FakePeerStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = 20_000 * DAY
CLOSE = Close("behind", "0123abcd", T, T + DAY)
NEXT = Close("behind", "0123abcd", T + DAY, T + 2 * DAY)
OTHER = Close("behind-more", "0123abcd", T, T + DAY)
DUE = CLOSE.end + 5 * MINUTE


@dataclass
class World:
    closes: PeerCloses
    store: PeerStore


@pytest.fixture(params=["in memory", "tables"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "in memory":
        return World(FakePeerCloses(), FakePeerStore())
    client: DynamoDBClient = request.getfixturevalue("dynamodb")
    return World(PeerClosesTable(client, "peers"), PeersTable(client, "peers"))


@pytest.fixture
def closes(world: World) -> PeerCloses:
    return world.closes


@pytest.fixture
def store(world: World) -> PeerStore:
    return world.store


def parts(*names: str) -> frozenset[str]:
    return frozenset(names)


def begun(closes: PeerCloses, close: Close = CLOSE) -> Progress:
    """In its first stage."""
    closes.register(close, DUE)
    first = closes.load(close)
    assert first is not None
    after = first.following(DUE)
    assert closes.move(first, after)
    return after


def work(part: str, stage: Stage = Stage(Step.COUNT)) -> Work:  # noqa: B008  frozen
    return Work(CLOSE, stage, part)


def test_a_close_is_registered_once(closes: PeerCloses) -> None:
    assert closes.load(CLOSE) is None
    closes.register(CLOSE, DUE)
    assert closes.load(CLOSE) == Progress(CLOSE, DUE)
    after = begun(closes)
    closes.register(CLOSE, DUE + HOUR)
    assert closes.load(CLOSE) == after


def test_what_is_due_is_told_by_the_name_of_its_rule(closes: PeerCloses) -> None:
    closes.register(CLOSE, DUE)
    closes.register(NEXT, DUE + DAY)
    closes.register(OTHER, DUE + 1)
    assert list(closes.due(DUE - 1)) == []
    assert set(closes.due(DUE)) == {"behind"}
    assert set(closes.due(DUE + 1)) == {"behind", "behind-more"}


def test_the_closes_of_a_rule_are_told_in_the_order_of_their_periods(closes: PeerCloses) -> None:
    for close in (NEXT, OTHER, CLOSE, CLOSE._replace(digest="ffff0000")):
        closes.register(close, DUE)
    found = [progress.close for progress in closes.of_rule("behind")]
    assert found == [CLOSE, CLOSE._replace(digest="ffff0000"), NEXT]


def test_a_stage_begins_once(closes: PeerCloses) -> None:
    closes.register(CLOSE, DUE)
    registered = closes.load(CLOSE)
    assert registered is not None
    assert closes.move(registered, registered.following(DUE)) is True
    assert closes.move(registered, registered.following(DUE + 1)) is False
    assert closes.load(CLOSE) == registered.following(DUE)


def test_a_stage_with_parts_left_does_not_end(closes: PeerCloses) -> None:
    progress = begun(closes)
    assert closes.move(progress, progress.following(DUE)) is False
    assert closes.load(CLOSE) == progress


def test_parts_are_taken_one_by_one_and_what_they_collect_is_put_together(closes: PeerCloses) -> None:
    begun(closes)
    one = closes.finish(work("0"), shards=["0"], cohorts=["1", "2"])
    two = closes.finish(work("1"), shards=["1"], cohorts=["2", "3"], again=["4"])
    again = closes.finish(work("1"), shards=["1"], cohorts=["2", "3"], again=["4"])
    assert one is not None
    assert (one.left, one.shards) == (frozenset(all_shards()) - parts("0"), parts("0"))
    assert two is not None
    assert two == again == closes.load(CLOSE)
    assert two.left == frozenset(all_shards()) - parts("0", "1")
    assert (two.shards, two.cohorts, two.again) == (parts("0", "1"), parts("1", "2", "3"), parts("4"))


def test_the_last_part_leaves_none_and_stays_taken(closes: PeerCloses) -> None:
    begun(closes)
    found = [closes.finish(work(part)) for part in all_shards()]
    assert found[-1] is not None
    assert found[-1].left == frozenset()
    assert closes.finish(work("3")) == found[-1]


def test_a_close_goes_through_its_stages(closes: PeerCloses) -> None:
    progress = begun(closes)
    for part in all_shards():
        filled = part in ("2", "5")
        progress = finished(closes, work(part), shards=[part] * filled, cohorts=["7", "8"] * filled)
    merging = moved(closes, progress)
    assert (merging.stage, merging.left) == (Stage(Step.MERGE), parts("7", "8"))
    assert merging.shards == parts("2", "5")
    finished(closes, work("7", Stage(Step.MERGE)), again=["7"])
    progress = finished(closes, work("8", Stage(Step.MERGE)))
    counting = moved(closes, progress)
    assert (counting.stage, counting.left) == (Stage(Step.COUNT, 1), parts("2", "5"))
    assert counting.cohorts == parts("7")
    for part in ("2", "5"):
        progress = finished(closes, work(part, Stage(Step.COUNT, 1)), cohorts=["7"])
    merging = moved(closes, progress)
    assert (merging.stage, merging.left, merging.again) == (Stage(Step.MERGE, 1), parts("7"), parts())
    comparing = moved(closes, finished(closes, work("7", Stage(Step.MERGE, 1))))
    assert (comparing.stage, comparing.left) == (Stage(Step.COMPARE), parts("2", "5"))
    for part in ("2", "5"):
        progress = finished(closes, work(part, Stage(Step.COMPARE)))
    assert moved(closes, progress).is_closed
    assert closes.finish(work("2", Stage(Step.COMPARE))) is None
    assert list(closes.due(DUE + DAY)) == []


def finished(closes: PeerCloses, part: Work, **collected: Any) -> Progress:
    progress = closes.finish(part, **collected)
    assert progress is not None
    return progress


def moved(closes: PeerCloses, progress: Progress) -> Progress:
    after = progress.following(DUE)
    assert closes.move(progress, after)
    assert closes.load(CLOSE) == after
    return after


def test_a_close_that_no_shard_had_values_for_is_closed_at_once(closes: PeerCloses) -> None:
    begun(closes)
    for part in all_shards():
        progress = finished(closes, work(part))
    assert moved(closes, progress).is_closed


def test_a_part_of_a_stage_that_is_over_takes_nothing(closes: PeerCloses) -> None:
    begun(closes)
    for part in all_shards():
        progress = finished(closes, work(part), shards=[part], cohorts=["0"])
    after = moved(closes, progress)
    assert closes.finish(work("0"), cohorts=["9"]) is None
    assert closes.finish(work("0", Stage(Step.MERGE, 1))) is None
    closes.look_again(progress, DUE + DAY)
    assert closes.load(CLOSE) == after


def test_nothing_happens_to_what_is_closed(closes: PeerCloses) -> None:
    closes.register(CLOSE, DUE)
    registered = closes.load(CLOSE)
    assert registered is not None
    assert closes.move(registered, registered.closed())
    assert closes.move(registered, registered.following(DUE)) is False
    progress = begun(closes, NEXT)
    for part in all_shards():
        progress = finished(closes, work(part)._replace(close=NEXT))
    after = progress.following(DUE)
    assert closes.move(progress, after)
    closes.look_again(progress, DUE)
    assert closes.finish(work("0")._replace(close=NEXT)) is None
    assert [one.is_closed for one in closes.of_rule("behind")] == [True, True]


def test_a_stage_is_looked_at_again_later(closes: PeerCloses) -> None:
    progress = begun(closes)
    closes.look_again(progress, DUE + HOUR)
    assert closes.load(CLOSE) == replace(progress, due_at=DUE + HOUR)
    assert list(closes.due(DUE + HOUR - 1)) == []


# Values and what is made of them.


def customers(shard: str, number: int) -> list[str]:
    """So many customers of a shard, in order."""
    names = (f"c-{at:05}" for at in range(100_000))
    return [name for _, name in zip(range(number), (n for n in names if shard_of(n) == shard), strict=False)]


def test_values_are_told_by_shard_in_the_order_of_customers(store: PeerStore) -> None:
    ours, others = customers("3", 4), customers("4", 2)
    for name in (*reversed(ours), *others, "!"):
        store.put_value(CLOSE, name, f"line of {name}", 1)
    store.put_value(NEXT, ours[0], "of the next period", 1)
    store.put_value(OTHER, ours[0], "of another rule", 1)
    store.put_value(CLOSE._replace(digest="ffff0000"), ours[0], "of another definition", 1)
    assert list(store.values(CLOSE, "3", "")) == [(name, f"line of {name}") for name in ours]
    assert [name for name, _ in store.values(CLOSE, "3", ours[1])] == ours[2:]
    assert ("!", "line of !") in store.values(CLOSE, shard_of("!"), "")


def test_the_value_of_the_latest_state_stands(store: PeerStore) -> None:
    for version, line in ((5, "five"), (4, "four"), (5, "five again"), (12, "twelve"), (9, "nine")):
        store.put_value(CLOSE, "c-1", line, version)
    assert [line for _, line in store.values(CLOSE, shard_of("c-1"), "")] == ["twelve"]
    store.put_value(CLOSE, "c-1", None, 12)
    assert list(store.values(CLOSE, shard_of("c-1"), "")) == []
    store.put_value(CLOSE, "c-1", "eleven", 11)
    assert list(store.values(CLOSE, shard_of("c-1"), "")) == []


def test_values_of_many_pages_are_told_all(store: PeerStore) -> None:
    names = customers("0", 30)
    for name in names:
        store.put_value(CLOSE, name, "x" * 100_000, 1)
    assert [name for name, _ in store.values(CLOSE, "0", "")] == names


def test_a_run_is_written_once(store: PeerStore) -> None:
    run = Frozen(0, ('["é\\n", 1]', "[]"), "c-1", is_last=False)
    last = Frozen(1, (), "c-1", is_last=True)
    assert store.freeze(CLOSE, "a", run) is True
    assert store.freeze(CLOSE, "a", replace(run, lines=("other",), through="c-9")) is False
    assert store.freeze(CLOSE, "a", last) is True
    assert store.freeze(CLOSE, "b", last) is True
    assert list(store.frozen(CLOSE, "a")) == [run, last]
    assert list(store.frozen(CLOSE, "a", 1)) == [last]
    assert list(store.frozen(NEXT, "a")) == []


def test_runs_are_told_in_the_order_of_their_numbers(store: PeerStore) -> None:
    for number in (10, 2, 9):
        store.freeze(CLOSE, "a", Frozen(number, (), "", is_last=False))
    assert [run.number for run in store.frozen(CLOSE, "a")] == [2, 9, 10]


def test_what_shards_told_is_put_together_by_bucket(store: PeerStore) -> None:
    store.tell(CLOSE, 0, "1", "a", ["one", "two"])
    store.tell(CLOSE, 0, "1", "b", ["three"])
    store.tell(CLOSE, 0, "1", "b", ["three"])
    store.tell(CLOSE, 0, "2", "a", ["elsewhere"])
    store.tell(CLOSE, 1, "1", "a", ["later"])
    assert list(store.told(CLOSE, 0, "1")) == ["one", "two", "three"]
    assert list(store.told(CLOSE, 1, "1")) == ["later"]
    assert list(store.told(CLOSE, 2, "1")) == []


def test_what_is_more_than_an_item_holds_is_told_all(store: PeerStore) -> None:
    many = [f'["{number}","{"xyz" * 300}"]' for number in range(2500)]
    store.tell(CLOSE, 0, "1", "a", many)
    store.settle(CLOSE, 0, "1", many)
    assert list(store.told(CLOSE, 0, "1")) == many
    assert list(store.settled(CLOSE)) == many


def test_what_was_settled_is_told_by_round_or_all_of_it(store: PeerStore) -> None:
    store.settle(CLOSE, 0, "1", ["a"])
    store.settle(CLOSE, 0, "b", [])
    store.settle(CLOSE, 1, "1", ["b"])
    store.settle(NEXT, 0, "1", ["c"])
    assert list(store.settled(CLOSE, 0)) == ["a"]
    assert list(store.settled(CLOSE, 1)) == ["b"]
    assert sorted(store.settled(CLOSE)) == ["a", "b"]


def test_truths_are_told_from_customer_to_customer(store: PeerStore) -> None:
    names = customers("c", 5)
    for name in names:
        store.set_truth("behind", name, Truth(is_true=True, period=T), T)
    store.set_truth("behind-more", names[2], Truth(is_true=False, period=T), T)
    found = store.truths("behind", "c", names[1], names[3])
    assert found == dict.fromkeys(names[1:4], Truth(is_true=True, period=T))


def test_the_truth_of_a_later_period_stands(store: PeerStore) -> None:
    for is_true, period in ((True, T), (False, T + DAY), (True, T), (True, T + DAY)):
        store.set_truth("behind", "c-1", Truth(is_true, period), T)
    [found] = store.truths("behind", shard_of("c-1"), "c-1", "c-1").values()
    assert found == Truth(is_true=False, period=T + DAY)


# The table's own promises.


def items(dynamodb: DynamoDBClient) -> Iterator[dict[str, Any]]:
    yield from dynamodb.scan(TableName="peers")["Items"]


def test_all_but_who_is_true_expires(dynamodb: DynamoDBClient) -> None:
    store, closes = PeersTable(dynamodb, "peers"), PeerClosesTable(dynamodb, "peers")
    closes.register(CLOSE, DUE)
    store.put_value(CLOSE, "c-1", "line", 1)
    store.freeze(CLOSE, "a", Frozen(0, (), "", is_last=True))
    store.tell(CLOSE, 0, "1", "a", ["line"])
    store.settle(CLOSE, 0, "1", ["line"])
    store.set_truth("behind", "c-1", Truth(is_true=True, period=T), DUE)
    store.set_truth("behind", "c-2", Truth(is_true=False, period=T), DUE)
    found: dict[str, list[int | None]] = {}
    for item in items(dynamodb):
        expires = int(item["expires_at"]["N"]) * SECOND if "expires_at" in item else None
        found.setdefault(item["part"]["S"].partition("/")[0], []).append(expires)
    end = CLOSE.end + KEPT_FOR
    assert sorted(found.pop("true"), key=str) == [DUE + KEPT_FOR, None]
    assert found == {kind: [end] for kind in ("close", "value", "frozen", "told", "settled")}


def test_a_stage_whose_write_lost_its_answer_has_begun(
    dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    closes = PeerClosesTable(dynamodb, "peers")
    closes.register(CLOSE, DUE)
    registered = closes.load(CLOSE)
    assert registered is not None
    after = registered.following(DUE)
    assert closes.move(registered, after)
    assert closes.move(registered, after) is True, "the SDK's second attempt meets the first one"
    assert closes.move(registered, registered.following(DUE + 1)) is False


def test_other_failures_of_the_store_are_raised(dynamodb: DynamoDBClient) -> None:
    store, closes = PeersTable(dynamodb, "nowhere"), PeerClosesTable(dynamodb, "nowhere")
    progress = Progress(CLOSE, DUE)
    for failing in (
        lambda: closes.register(CLOSE, DUE),
        lambda: closes.move(progress, progress.following(DUE)),
        lambda: closes.look_again(progress, DUE),
        lambda: closes.finish(work("0")),
        lambda: store.put_value(CLOSE, "c-1", "line", 1),
    ):
        with pytest.raises(ClientError):
            failing()


# The queue.


@pytest.mark.usefixtures("aws")
def test_work_goes_through_the_queue_as_it_is() -> None:
    client = boto3.client("sqs")
    url = client.create_queue(QueueName="peers")["QueueUrl"]
    works = [Work(CLOSE, Stage(Step.COUNT, 2), part, begin=7) for part in all_shards()]
    PeerWorkQueue(client, url).send(works)
    received: list[Work] = []
    while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        received += [work_of(message["Body"]) for message in messages]
    assert received == works


def test_work_that_the_queue_refused_is_told_of() -> None:
    class Refusing:
        def send_message_batch(self, **request: Any) -> dict[str, Any]:
            return {"Failed": [{"Id": request["Entries"][0]["Id"], "Code": "InternalError"}]}

    with pytest.raises(StoreUnavailable, match="1 parts"):
        PeerWorkQueue(Refusing(), "url").send([work("0")])  # type: ignore[arg-type]
