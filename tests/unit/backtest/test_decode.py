from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreword.backtest.decode import SOURCE, Decoder, text_of
from foreword.backtest.errors import Broken
from foreword.domain.facts import FOREWORD, Fact
from foreword.domain.instants import parse_instant
from tests.unit.backtest.support import AT, event


def read(*records: str | bytes) -> tuple[list[Fact], list[tuple[int, str]]]:
    """The facts of numbered records, and those that are broken. Each is read twice, as much is remembered."""
    decoder = Decoder()
    texts = [record if isinstance(record, bytes) else record.encode() for record in records]
    numbers = range(1, len(texts) + 1)
    for _ in range(2):
        broken: list[tuple[int, str]] = []
        facts = list(decoder.facts(numbers, texts, broken))
    return facts, broken


def read_one(**changed: Any) -> Fact:
    ((fact,), broken) = read(json.dumps(event(id="e-1", **changed)))
    assert not broken
    return fact


def reason(record: str | bytes | dict[str, Any]) -> str:
    """Beside a good one, so that what recurs is known."""
    good = json.dumps(event(id="good"))
    (fact,), ((_, why),) = read(good, json.dumps(record) if isinstance(record, dict) else record)
    assert fact.id == "good"
    return why


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in event(id="e-1").items() if key != name}


def test_a_record_is_the_fact_that_it_says() -> None:
    at = parse_instant(AT)
    assert read_one(data={"channel": "phone"}) == Fact(
        "support", "e-1", "Contact", "c-1", at, at, {"channel": "phone"}, None
    )


def test_every_number_is_that_of_its_source_text() -> None:
    text = '{"customer_id":"c","type":"T","occurred_at":"2026-03-02T09:00:00Z","data":{"a":1.10,"b":7,"c":1e400}}'
    (fact,), _ = read(text)
    assert (str(fact.data["a"]), fact.data["c"]) == ("1.10", Decimal("1E+400"))
    assert type(fact.data["b"]) is int


@pytest.mark.parametrize(
    "at",
    [
        "2026-03-02T09:00:00Z",
        "2026-03-02t09:00:00z",
        "2026-03-02T09:00:00.5Z",
        "2026-03-02T09:00:00.123456789Z",
        "2026-03-02T09:00:00+05:30",
        "2026-03-02T23:59:59.999-11:00",
        "1917-06-22T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ],
)
def test_a_time_is_the_one_that_the_core_reads(at: str) -> None:
    assert read_one(occurred_at=at).occurred_at == parse_instant(at)


@given(st.datetimes(), st.integers(-14 * 60, 14 * 60), st.sampled_from(["", ".5", ".123", ".000001"]))
def test_any_time_is_the_one_that_the_core_reads(moment: Any, offset: int, fraction: str) -> None:
    sign = "-" if offset < 0 else "+"
    zone = f"{sign}{abs(offset) // 60:02}:{abs(offset) % 60:02}"
    text = f"{moment:%m-%dT%H:%M:%S}{fraction}{zone}"
    decoder = Decoder()
    for year in (moment.year, 2026):
        record = json.dumps(event(f"{year:04}-{text}", id="e"))
        try:
            expected = parse_instant(f"{year:04}-{text}")
        except ValueError:
            with pytest.raises(Broken):
                decoder.fact(record, 1)
        else:
            assert decoder.fact(record, 1).occurred_at == expected


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:30:00-01:00"])
def test_a_time_that_its_offset_pushes_out_of_the_calendar_is_none(at: str) -> None:
    known = [json.dumps(event(time, id="e")) for time in (f"2026-01-01{at[10:]}", f"{at[:10]}T12:00:00Z")]
    facts, ((_, why),) = read(*known, json.dumps(event(at, id="e")))
    assert len(facts) == 2
    assert why.startswith("occurred_at: ")


def test_an_id_that_is_missing_is_the_number_of_the_record() -> None:
    facts, _ = read(json.dumps(event()), json.dumps(event(id=None)), json.dumps(event(id=17)))
    assert [fact.id for fact in facts] == ["1", "2", "17"]


def test_a_source_that_is_missing_is_the_history_or_foreword_itself() -> None:
    own = {**without("source"), "type": "MessageSent"}
    facts, _ = read(json.dumps(without("source")), json.dumps(own))
    assert [fact.source for fact in facts] == [SOURCE, FOREWORD]


def test_a_customer_is_always_text() -> None:
    assert read_one(customer_id=13093).customer_id == "13093"


def test_data_that_is_missing_is_empty() -> None:
    facts, _ = read(json.dumps(without("data")), json.dumps(event(data=None)))
    assert [dict(fact.data) for fact in facts] == [{}, {}]


def test_a_record_may_take_another_back() -> None:
    assert read_one(retracts="e-0").retracts == "e-0"


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ("not JSON at all", "not JSON: Expecting value at column 1"),
        ('{"a": 1} {"b": 2}', "not JSON: Extra data at column 10"),
        ("[1, 2]", "an event is a JSON object"),
        ('"text"', "an event is a JSON object"),
        (without("customer_id"), "customer_id is missing"),
        (without("type"), "type is missing"),
        (without("occurred_at"), "occurred_at is missing"),
        (event(customer=""), "customer_id must be 1 to 128 visible ASCII characters"),
        (event(customer="c 1"), "customer_id must be 1 to 128 visible ASCII characters"),
        (event(customer="ü"), "customer_id must be 1 to 128 visible ASCII characters"),
        (event(customer="c" * 129), "customer_id must be 1 to 128 visible ASCII characters"),
        (event(customer_id=True), "customer_id must be text, not a boolean"),
        (event(customer_id=["c"]), "customer_id must be text, not a list"),
        (event(kind=""), "type is empty"),
        (event(type=7), "type must be text, not a number"),
        (event(type={}), "type must be text, not an object"),
        (event(source=7), "source must be text, not a number"),
        (event(source=[]), "source must be text, not a list"),
        (event(id=""), "id is empty"),
        (event(id=1.5), "id must be text, not a number"),
        (event(retracts=""), "retracts is empty"),
        (event(occurred_at=7), "occurred_at must be text, not a number"),
        (event(occurred_at=["x"]), "occurred_at must be text, not a list"),
        (event(data=[1]), "data must be a JSON object, not a list"),
        (event(data="x"), "data must be a JSON object, not text"),
        ('{"data":{"x":NaN}}', "not JSON: NaN is not a JSON number"),
        ('{"data":{"x":1e9999999999999999999}}', "not JSON: a number has an exponent beyond all bounds"),
        (
            event(data={"x": "\ud800"}),
            "not JSON: an escape like \\ud800 without its other half stands for no character",
        ),
        (b'{"data":{"x":"\xff"}}', "not UTF-8 text"),
        (json.dumps(event(id="e", data={"x": "y"})).encode().replace(b'"y"', b'"\xff"'), "not UTF-8 text"),
        (json.dumps(event(id="e")) + ' {"b": 2}', "not JSON: Extra data at column 126"),
        (
            event(kind="PreferenceChanged", data={"topic": "x"}),
            "data.channel must be one of email, sms, task, outbound, any",
        ),
    ],
)
def test_a_broken_record_is_named_with_its_reason(record: str | bytes | dict[str, Any], why: str) -> None:
    assert reason(record) == why


@pytest.mark.parametrize(
    "at", ["2026-03-02", "2026-03-02T09:00:00", "2026-13-02T09:00:00Z", "2026-03-02 09:00:00Z", ""]
)
def test_a_time_without_an_offset_or_that_is_none_is_refused(at: str) -> None:
    assert reason(event(at)).startswith("occurred_at")


def test_a_broken_record_does_not_stop_its_neighbours() -> None:
    good = json.dumps(event(id="e-1"))
    facts, broken = read(good, "{", b'{"data":{"x":"\xff"}}', good.replace("e-1", "e-2"))
    assert [fact.id for fact in facts] == ["e-1", "e-2"]
    assert [number for number, _ in broken] == [2, 3]


def test_text_that_is_no_ascii_or_half_escaped_is_text() -> None:
    escaped = json.dumps(event(id="e-1", data={"x": "Grüße 🎉"}))
    facts, _ = read(escaped, json.dumps(event(id="e-2", data={"x": "Grüße 🎉"}), ensure_ascii=False))
    assert [fact.data["x"] for fact in facts] == ["Grüße 🎉", "Grüße 🎉"]


def test_a_record_nested_deeper_than_anything_walks_it_is_refused() -> None:
    deep: Any = 0
    for _ in range(40):
        deep = [deep]
    (fact, *_), broken = read(
        *[json.dumps(event(id="e", data={"x": [1]}))] * 50, json.dumps(event(data={"x": deep}))
    )
    assert fact.data == {"x": [1]}
    assert broken == [(51, "not JSON: nested too deep")]


def test_keys_that_are_no_part_of_an_event_are_told() -> None:
    decoder = Decoder()
    extra: list[dict[str, Any]] = [{}, {"amount": 1}, {"amount": 2}]
    records = [json.dumps(event(id=f"e-{number}", **more)) for number, more in enumerate(extra)]
    facts = list(decoder.facts(range(1, 4), [record.encode() for record in records], []))
    assert len(facts) == 3
    assert decoder.unknown == {"amount": 2}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "source": st.sampled_from(["support", "shop", "", None]) | VALUES,
        "type": st.sampled_from(["Contact", "PreferenceChanged", "CustomerUpdated", ""]) | VALUES,
        "id": st.sampled_from(["e-1", "", None, 7]) | VALUES,
        "customer_id": st.sampled_from(["c-1", "c-2", "", "ü", 7]) | VALUES,
        "occurred_at": st.sampled_from([AT, "2026-03-02T09:00:00", None]) | VALUES,
        "data": st.dictionaries(st.text(), VALUES, max_size=3) | VALUES,
        "retracts": st.sampled_from(["e-1", "", None]) | VALUES,
        "amount": VALUES,
    },
)


def one_by_one(texts: list[bytes]) -> tuple[list[Fact], list[tuple[int, str]]]:
    """What `facts` has to give, by way of `fact` alone."""
    facts, broken = [], []
    for number, text in enumerate(texts, 1):
        try:
            facts.append(Decoder().fact(text_of(text), number))
        except Broken as error:
            broken.append((number, str(error)))
    return facts, broken


@given(st.lists(RECORDS, min_size=1, max_size=8))
def test_records_read_together_are_those_read_one_by_one(records: list[dict[str, Any]]) -> None:
    texts = [json.dumps(record) for record in records]
    assert read(*texts) == one_by_one([text.encode() for text in texts])


GOOD = json.dumps(event(id="e-1", data={"n": 0, "x": [1.5, "a\\u00e9\n"]}), ensure_ascii=False).replace(
    "1.5", "1.50e0"
)
SCRAPS = st.sampled_from(
    [
        *'{}[]":,\\',
        "\\u",
        "\\ud83c",
        "\\udf89",
        "1",
        "0",
        "-",
        ".",
        "e9",
        "true",
        "null",
        "\x00",
        "\x7f",
        "ü",
        " ",
    ]
)


@given(st.lists(st.tuples(st.integers(0, len(GOOD)), st.integers(0, 3), SCRAPS), min_size=1, max_size=3))
def test_a_record_that_was_tampered_with_is_read_by_either_way_alike(
    edits: list[tuple[int, int, str]],
) -> None:
    """The quick reading is no more lenient than the careful one, nor otherwise of another mind."""
    text = GOOD
    for at, cut, scrap in edits:
        text = text[:at] + scrap + text[at + cut :]
    texts = [GOOD.encode(), text.replace("\n", " ").encode()]
    assert read(*texts) == one_by_one(texts)
