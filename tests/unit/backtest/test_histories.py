"""Records put apart by customer, and each customer's events in order and once: in memory as on disk."""

from __future__ import annotations

import json
import random
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreword.backtest import files, large_histories
from foreword.backtest.decode import Decoder
from foreword.backtest.errors import CannotBacktest
from foreword.backtest.histories import Found, histories
from foreword.backtest.routing import EVENTS, route
from foreword.backtest.span import Span, SpanGuess
from foreword.backtest.spool import Bucket, Spool
from foreword.domain.facts import Fact
from foreword.domain.instants import Instant, parse_instant
from foreword.domain.replay import once
from tests.unit.backtest.support import event, write_lines

Histories = Callable[[Bucket, Instant | None, Found], Iterator[tuple[str, Sequence[Fact]]]]


def in_memory(bucket: Bucket, until: Instant | None, found: Found) -> Iterator[tuple[str, Sequence[Fact]]]:
    return histories(bucket, Decoder(), until, found)


def on_disk(bucket: Bucket, until: Instant | None, found: Found) -> Iterator[tuple[str, Sequence[Fact]]]:
    """With a hundred bytes of memory, so that there are many parts."""
    with TemporaryDirectory() as folder:
        yield from large_histories.large_histories(bucket, Decoder(), Path(folder), until, found, 100)


@pytest.fixture(params=[in_memory, on_disk])
def read(request: pytest.FixtureRequest) -> Histories:
    way: Histories = request.param
    return way


def one_bucket(folder: Path, records: Sequence[dict[str, Any]]) -> Bucket:
    with Spool(folder / "spool", 1) as spool:
        for number, record in enumerate(records, 1):
            spool.put(b"", number, json.dumps(record).encode())
        (bucket,) = spool.buckets()
    return bucket


def ids(
    read: Histories, folder: Path, *records: dict[str, Any], until: str | None = None
) -> dict[str, list[str]]:
    found = Found()
    end = None if until is None else parse_instant(until)
    return {
        customer: [fact.id for fact in history]
        for customer, history in read(one_bucket(folder, records), end, found)
    }


# ---- in order and once


def test_a_customers_events_are_in_order_of_time_and_ties_in_that_of_the_file(
    read: Histories, tmp_path: Path
) -> None:
    early, late = "2026-03-02T08:00:00Z", "2026-03-02T10:00:00+01:00"
    records = [
        event(late, id="b"),
        event(early, id="c"),
        event(late, id="a"),
        event(early, customer="c-2", id="d"),
    ]
    assert ids(read, tmp_path, *records) == {"c-1": ["c", "b", "a"], "c-2": ["d"]}


def test_events_of_one_instant_are_received_one_after_the_other(read: Histories, tmp_path: Path) -> None:
    bucket = one_bucket(
        tmp_path, [event(id=name) for name in "abc"] + [event("2026-03-03T09:00:00Z", id="d")]
    )
    ((_, history),) = read(bucket, None, Found())
    at = parse_instant("2026-03-02T09:00:00Z")
    assert [fact.received_at - at for fact in history] == [0, 1, 2, 86_400_000_000]


def test_of_one_source_and_id_the_first_of_the_file_counts_whatever_else_differs(
    read: Histories, tmp_path: Path
) -> None:
    first, second = "2026-03-02T09:00:00Z", "2026-03-01T09:00:00Z"
    records = [
        event(first, id="a"),
        event(second, id="a", data={"x": 1}),
        event(second, id="a", source="shop"),
    ]
    found = Found()
    ((_, history),) = read(one_bucket(tmp_path, records), None, found)
    assert [(fact.source, fact.occurred_at) for fact in history] == [
        ("shop", parse_instant(second)),
        ("support", parse_instant(first)),
    ]
    assert (found.events, found.duplicates) == (2, 1)


def test_an_event_of_another_customer_is_another_event(read: Histories, tmp_path: Path) -> None:
    assert ids(read, tmp_path, event(id="a"), event(customer="c-2", id="a")) == {"c-1": ["a"], "c-2": ["a"]}


def test_what_is_taken_back_counts_as_little_as_what_takes_it_back(read: Histories, tmp_path: Path) -> None:
    records = [
        event(id="back", retracts="a"),
        event(id="a"),
        event(id="b"),
        event(id="never-came", retracts="z"),
        event(id="elsewhere", source="shop", retracts="b"),
    ]
    found = Found()
    ((_, history),) = read(one_bucket(tmp_path, records), None, found)
    assert [fact.id for fact in history] == ["b"]
    assert (found.events, found.duplicates, found.taken_back) == (1, 0, 1)


def test_the_clock_stops_before_what_comes_later(read: Histories, tmp_path: Path) -> None:
    times = ["2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z"]
    records = [event(at, id=str(nth)) for nth, at in enumerate(times)]
    assert ids(read, tmp_path, *records, until=times[1]) == {"c-1": ["0", "1"]}


def test_broken_records_are_found_and_the_span_is_that_of_the_others(read: Histories, tmp_path: Path) -> None:
    records = [event("2026-03-02T09:00:00Z", id="a"), event("2030-01-01T00:00:00Z", customer="", id="b")]
    found = Found()
    assert [customer for customer, _ in read(one_bucket(tmp_path, records), None, found)] == ["c-1"]
    at = parse_instant("2026-03-02T09:00:00Z")
    assert (found.span, [number for number, _ in found.broken]) == (Span(at, at), [2])


RECORDS = st.lists(
    st.builds(
        lambda customer, source, id, hour, retracts: event(
            f"2026-03-02T{hour:02}:00:00Z", customer, source=source, id=id, retracts=retracts
        ),
        st.sampled_from(["c-1", "c-2", "c-3"]),
        st.sampled_from(["shop", "support"]),
        st.sampled_from(["a", "b", "c", "d", "e"]),
        st.integers(0, 3),
        st.sampled_from([None, None, None, "a", "b"]),
    ),
    min_size=1,
    max_size=25,
)


@given(RECORDS, st.integers(1, 3))
def test_any_history_is_the_one_that_the_core_knows(records: list[dict[str, Any]], in_a_list: int) -> None:
    """`once` of the core, by other means; a retraction whose own id was known before it is none of ours to try."""
    seen: set[tuple[str, str, str]] = set()
    kept: list[dict[str, Any]] = []
    for record in records:
        key = (record["customer_id"], record["source"], record["id"])
        if key in seen and record["retracts"] is not None and record not in kept:
            continue
        seen.add(key)
        kept.append(record)
    expected: dict[str, list[str]] = {}
    for customer in {record["customer_id"] for record in kept}:
        facts = [
            Decoder().fact(json.dumps(record), number)._replace(received_at=number)
            for number, record in enumerate(kept)
            if record["customer_id"] == customer
        ]
        expected[customer] = [f"{fact.source}/{fact.id}" for fact in once(facts)]
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr(large_histories, "_IN_A_LIST", in_a_list)
        bucket = one_bucket(Path(folder), kept)
        counted = [Found(), Found()]
        for read, count in zip((in_memory, on_disk), counted, strict=True):
            found = {
                customer: [f"{fact.source}/{fact.id}" for fact in history]
                for customer, history in read(bucket, None, count)
            }
            assert {customer: history for customer, history in found.items() if history} == {
                customer: history for customer, history in expected.items() if history
            }
        assert counted[0] == counted[1]


def test_one_customers_history_may_be_larger_than_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_histories, "_IN_A_LIST", 10)
    records = [event(f"2026-03-02T09:{nth // 60:02}:{nth % 60:02}Z", id=str(nth)) for nth in range(200)]
    random.Random(1).shuffle(records)
    with TemporaryDirectory() as folder:
        bucket = one_bucket(tmp_path, records)
        ((_, history),) = large_histories.large_histories(
            bucket, Decoder(), Path(folder), None, Found(), 1000
        )
        assert not isinstance(history, list)
        for _ in range(2):
            assert [fact.id for fact in history] == [str(nth) for nth in range(200)]
        assert (len(history), history[0].id, history[-1].id, history[7].id) == (200, "0", "199", "7")
        assert [fact.id for fact in history[3:5]] == ["3", "4"]
        with pytest.raises(IndexError):
            history[200]


# ---- by customer


class Keys:
    """A sink that keeps by which key each record is put apart."""

    def __init__(self) -> None:
        self.keys: list[bytes] = []

    def put(self, key: bytes, number: int, record: bytes) -> None:
        self.keys.append(key)

    def put_all(self, keys: Sequence[bytes], first: int, records: Sequence[bytes]) -> None:
        self.keys.extend(keys)


def keys_of(tmp_path: Path, *lines: str) -> list[bytes]:
    """The key of each line; the same when it is read with the others, and alone."""
    together, *alone = [Keys() for _ in range(len(lines) + 1)]
    for sink, batch in zip((together, *alone), (lines, *([line] for line in lines)), strict=True):
        route(write_lines(tmp_path / "history.jsonl", batch), EVENTS, sink, lambda _: None)
    assert together.keys == [key for sink in alone for key in sink.keys]
    return together.keys


@pytest.mark.parametrize(
    "line",
    [
        '{"customer_id":"c-1","type":"T"}',
        '{"type": "T", "customer_id": "c-1"}',
        '{"customer_id"  :\t"c-1"}',
        '{"customer_id":"c\\u002d1"}',
        '{"customer\\u005fid":"c-1"}',
        '{"data":{"customer_id":"c-2"},"customer_id":"c-1"}',
        '{"customer_id":"c-1","data":{"customer_id":"c-2"}}',
        '{"customer_id":"c-2","customer_id":"c-1"}',
        '{"customer_id":"c-1","data":{"x":"say \\"customer_id\\":\\"c-2\\""}}',
        '{"type":"customer_id","customer_id":"c-1"}',
        '  {"customer_id":"c-1"}  ',
    ],
)
def test_a_customers_records_come_together_however_they_are_written(tmp_path: Path, line: str) -> None:
    assert keys_of(tmp_path, '{"customer_id":"c-1"}', line) == [b"c-1", b"c-1"]


def test_a_customer_that_is_a_number_is_the_one_of_that_text(tmp_path: Path) -> None:
    assert keys_of(tmp_path, '{"customer_id":42}', '{"customer_id":"42"}') == [b"42", b"42"]


def test_lines_of_which_one_names_two_customers_and_one_none_are_looked_at_one_by_one(tmp_path: Path) -> None:
    lines = ['{"customer_id":"c-1","data":{"customer_id":"c-2"}}', '{"type":"T"}', "{"]
    assert keys_of(tmp_path, *lines) == [b"c-1", b"", b""]


def test_buckets_give_back_what_was_put_in_and_in_order(tmp_path: Path) -> None:
    records = [(f"c-{nth % 7}".encode(), nth, f"record {nth}".encode()) for nth in range(100)]
    with Spool(tmp_path / "spool", 3, held=50) as spool:
        for key, number, record in records[:50]:
            spool.put(key, number, record)
        spool.put_all([key for key, _, _ in records[50:]], 50, [record for _, _, record in records[50:]])
        found = [list(bucket.records()) for bucket in spool.buckets()]
    assert spool.count == 100
    assert sorted(one for bucket in found for one in bucket) == [
        (number, record) for _, number, record in records
    ]
    for bucket in found:
        assert [number for number, _ in bucket] == sorted(number for number, _ in bucket)
    keys = [{records[number][0] for number, _ in bucket} for bucket in found]
    assert sum(map(len, keys)) == 7


# ---- files


def test_a_line_too_long_to_be_an_event_is_broken_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_CHUNK", 64)
    monkeypatch.setattr(files, "LONGEST_LINE", 100)
    path = tmp_path / "history.jsonl"
    path.write_text(f"short\n{'x' * 1000}\n{'y' * 101}\n{'z' * 100}\nshort")
    assert [line for lines in files.read_lines(path, lambda _: None) for line in lines] == [
        b"short",
        None,
        None,
        b"z" * 100,
        b"short",
    ]


def test_a_file_without_a_newline_is_not_read_into_memory_whole(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    with path.open("wb") as file:
        for _ in range(40):
            file.write(b"x" * 1024 * 1024)
    tracemalloc.start()
    lines = [line for lines in files.read_lines(path, lambda _: None) for line in lines]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert lines == [None]
    assert peak < 16 * 1024 * 1024


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64])
def test_lines_are_the_same_however_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(files, "_CHUNK", chunk)
    path = tmp_path / "history.jsonl"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\n\nthree\rmore\r\nlast")
    lines = [line for lines in files.read_lines(path, lambda _: None) for line in lines]
    assert lines == [b"one", b"two", b"", b"three\rmore", b"last"]


def test_a_file_of_no_known_kind_is_refused() -> None:
    for name in ("history.txt", "history", "history.parquet.gz", "history.gz", ".jsonl"):
        with pytest.raises(CannotBacktest, match="unknown format"):
            files.format_of(Path(name))
    assert files.format_of(Path("HISTORY.JSONL.GZ")) is files.Format.JSONL


# ---- the clock


def guessed(*times: str) -> Span:
    guess = SpanGuess()
    for batch in (times[:1], times[1:]):
        guess.see("\n".join(json.dumps(event(at)) for at in batch).encode())
    return guess.span


@pytest.mark.parametrize(
    "times",
    [
        ["2026-03-02T09:00:00Z", "2026-03-01T09:00:00Z", "2026-03-03T09:00:00Z"],
        ["2026-03-02T09:00:00.5Z", "2026-03-02T09:00:00Z", "2026-03-02T09:00:00.25Z"],
        ["2026-03-02T09:00:00+02:00", "2026-03-02T08:00:00Z", "2026-03-02T09:30:00+03:00"],
        ["2026-03-02T09:00:00Z", "no time at all", "2026-03-01T09:00:00Z"],
        ["2026-03-02T09:00:00Z", "zzzzZ", "0000Z"],
    ],
)
def test_the_guessed_clock_goes_from_the_first_time_to_the_last(times: list[str]) -> None:
    instants = []
    for at in times:
        try:
            instants.append(parse_instant(at))
        except ValueError:
            continue
    assert guessed(*times) == Span(min(instants), max(instants))


def test_the_guess_of_nothing_is_nothing() -> None:
    assert guessed() == Span()
