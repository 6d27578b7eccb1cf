"""CSV and Parquet as the history's events: what becomes of cells and columns, and of what is broken."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from foreword.backtest.decode import Decoder
from foreword.backtest.errors import CannotBacktest
from foreword.backtest.routing import EVENTS, route
from foreword.backtest.spool import REFUSED
from foreword.domain.facts import Fact

HEAD = "customer_id,occurred_at,type"
ROW = "c-1,2026-03-02T09:00:00Z,Contact"


class Gathered:
    """A sink that keeps the records in order."""

    def __init__(self) -> None:
        self.records: list[tuple[int, bytes]] = []

    def put(self, key: bytes, number: int, record: bytes) -> None:
        self.records.append((number, record))

    def put_all(self, keys: Any, first: int, records: Any) -> None:
        self.records.extend(enumerate(records, first))


def read(path: Path) -> tuple[list[Fact], list[tuple[int, str]]]:
    sink = Gathered()
    route(path, EVENTS, sink, lambda _: None)
    broken: list[tuple[int, str]] = []
    decoder = Decoder()
    facts = [fact for number, record in sink.records for fact in decoder.facts([number], [record], broken)]
    return facts, broken


def csv(
    tmp_path: Path, *lines: str | bytes, name: str = "history.csv"
) -> tuple[list[Fact], list[tuple[int, str]]]:
    path = tmp_path / name
    text = b"".join((line if isinstance(line, bytes) else line.encode()) + b"\n" for line in lines)
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    return read(path)


def data(tmp_path: Path, heading: str, cell: str) -> dict[str, Any]:
    (fact,), broken = csv(tmp_path, f"{HEAD},{heading}", f"{ROW},{cell}")
    assert not broken
    return dict(fact.data)


def write_parquet(path: Path, query: str) -> Path:
    with duckdb.connect() as database:
        database.query(query).write_parquet(str(path))
    return path


def parquet(tmp_path: Path, columns: str) -> tuple[list[Fact], list[tuple[int, str]]]:
    """One row of SQL expressions, after those that an event needs."""
    needed = "'c-1' AS customer_id, TIMESTAMPTZ '2026-03-02 10:00:00+01' AS occurred_at, 'Contact' AS type"
    return read(write_parquet(tmp_path / "history.parquet", f"SELECT {needed}, {columns}"))


def parquet_data(tmp_path: Path, value: str) -> Any:
    (fact,), broken = parquet(tmp_path, f"{value} AS x")
    assert not broken
    return fact.data.get("x", "missing")


# ---- cells


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("7", 7),
        ("-7", -7),
        ("1.10", Decimal("1.10")),
        ("1e3", Decimal("1e3")),
        ("0012", "0012"),
        ("+7", "+7"),
        ("1.", "1."),
        (".5", ".5"),
        ("NaN", "NaN"),
        ("true", "true"),
        ("null", "null"),
        ("-", "-"),
        (" 7", " 7"),
        ("Grüße", "Grüße"),
        ('"a ""quoted"" comma, and"', 'a "quoted" comma, and'),
        ('"two\nlines"', "two\nlines"),
        ("\\ud800", "\\ud800"),
    ],
)
def test_a_cell_is_a_number_where_it_is_a_json_number_and_else_text(
    tmp_path: Path, cell: str, value: Any
) -> None:
    (found,) = data(tmp_path, "x", cell).values()
    assert (found, str(found), type(found)) == (value, str(value), type(value))


def test_an_empty_cell_is_missing(tmp_path: Path) -> None:
    assert data(tmp_path, "x,y", ",1") == {"y": 1}


def test_a_column_data_holds_an_object_which_wins(tmp_path: Path) -> None:
    assert data(tmp_path, "x,data,y", '1,"{""x"": 2.50, ""z"": [1]}",3') == {
        "x": Decimal("2.50"),
        "y": 3,
        "z": [1],
    }


@pytest.mark.parametrize("cell", ["", '"{}"', '" {  } "', "null"])
def test_a_column_data_may_be_empty(tmp_path: Path, cell: str) -> None:
    assert data(tmp_path, "x,data", f"1,{cell}") == {"x": 1}


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("7", "data is not a JSON object"),
        ('"[1]"', "data is not a JSON object"),
        ("{", "data: not JSON: Expecting property name enclosed in double quotes at column 2"),
        ('"{""a"":1},""x"":{""b"":2}"', "data: not JSON: Extra data at column 8"),
    ],
)
def test_a_column_data_that_is_no_object_breaks_its_row(tmp_path: Path, cell: str, why: str) -> None:
    assert csv(tmp_path, f"{HEAD},data", f"{ROW},{cell}") == ([], [(2, why)])


def test_what_an_event_says_of_itself_is_always_text(tmp_path: Path) -> None:
    (fact,), _ = csv(
        tmp_path, "customer_id,occurred_at,type,id,source,retracts", "007,2026-03-02T09:00:00Z,8,1.0,2,3"
    )
    assert (fact.customer_id, fact.type, fact.id, fact.source, fact.retracts) == ("007", "8", "1.0", "2", "3")


def test_a_file_may_be_gzip_have_a_mark_of_its_byte_order_and_other_line_ends(tmp_path: Path) -> None:
    (fact,), broken = csv(tmp_path, f"\ufeff{HEAD}\r", f"{ROW}\r", name="history.csv.gz")
    assert (fact.type, broken) == ("Contact", [])


# ---- broken rows, each named by its line


def test_a_broken_row_is_named_by_its_line_and_the_rest_goes_on(tmp_path: Path) -> None:
    facts, broken = csv(
        tmp_path,
        f"{HEAD},x",
        f"{ROW},1",
        "",
        f"{ROW}",
        f"{ROW},1,2",
        f'{ROW},"two',
        'lines"',
        f'{ROW},"a"b',
        ROW.encode() + b",\xff",
        f"{ROW},9",
    )
    assert [fact.data["x"] for fact in facts] == [1, "two\nlines", 9]
    assert broken == [
        (4, "3 cells, where the header has 4"),
        (5, "5 cells, where the header has 4"),
        (8, "',' expected after '\"'"),
        (9, "not UTF-8 text"),
    ]


def test_a_quote_that_is_never_closed_costs_its_own_line(tmp_path: Path) -> None:
    rows = [f"{ROW},{number}" for number in range(300)]
    facts, broken = csv(tmp_path, f"{HEAD},x", f'{ROW},"open', *rows)
    assert [fact.data["x"] for fact in facts] == list(range(300))
    assert broken == [(2, "a quote is not closed within 100 lines")]


def test_a_quote_that_swallows_rows_costs_its_own_line(tmp_path: Path) -> None:
    facts, broken = csv(tmp_path, f"{HEAD},x", f'{ROW},"open', f"{ROW},1", f'{ROW},"closed"', f"{ROW},2")
    assert [fact.data["x"] for fact in facts] == [1, "closed", 2]
    assert [number for number, _ in broken] == [2]


def test_a_quote_open_at_the_end_of_the_file_costs_its_own_line(tmp_path: Path) -> None:
    facts, broken = csv(tmp_path, f"{HEAD},x", f'{ROW},"open', f"{ROW},1")
    assert [fact.data["x"] for fact in facts] == [1]
    assert broken == [(2, "unexpected end of data")]


# ---- files that are none


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "1: no column 'customer_id'; there are: none"),
        (["a,b"], "1: no column 'customer_id'; there are: 'a', 'b'"),
        (["customer_id,occurred_at"], "1: no column 'type'; there are: 'customer_id', 'occurred_at'"),
        ([f"{HEAD},x,x"], "1: two columns are named 'x'"),
        ([b"\xff"], "1: not UTF-8 text"),
    ],
)
def test_a_table_without_its_columns_is_refused(tmp_path: Path, lines: list[str | bytes], why: str) -> None:
    with pytest.raises(CannotBacktest) as refused:
        csv(tmp_path, *lines)
    assert str(refused.value) == f"{tmp_path / 'history.csv'}:{why}"


def test_a_parquet_file_without_its_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.parquet"
    write_parquet(path, "SELECT 1 AS a")
    with pytest.raises(CannotBacktest, match="no column 'customer_id'; there are: 'a'"):
        read(path)


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.parquet"
    path.write_text("PAR1, or so it says; but there is nothing of the kind in this file.")
    with pytest.raises(CannotBacktest, match=f"{path}: cannot be read as Parquet: "):
        read(path)


# ---- Parquet's types


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("7", "7"),
        ("7::BIGINT", "7"),
        ("123456789012345678901234567890::HUGEINT::DECIMAL(38,0)", "123456789012345678901234567890"),
        ("1.10::DECIMAL(9,2)", "1.10"),
        ("799.4::DOUBLE", "799.4"),
        ("300::DOUBLE", "300.0"),
        ("1.1::FLOAT", "1.1"),
        ("true", "True"),
        ("'12.50'", "12.50"),
        ("'phone'", "phone"),
        ("''", "missing"),
        ("NULL::INTEGER", "missing"),
        ("'NaN'::DOUBLE", "missing"),
        ("DATE '2026-06-30'", "2026-06-30"),
        ("TIMESTAMPTZ '2026-06-30 12:00:00.5+02'", "2026-06-30T10:00:00.500000Z"),
        ("TIMESTAMP '2026-06-30 12:00:00'", "2026-06-30T12:00:00Z"),
        ("TIME '12:30:00'", "12:30:00"),
        ("'0d7f9c6e-0000-4000-8000-000000000000'::UUID", "0d7f9c6e-0000-4000-8000-000000000000"),
        ("'x'::BLOB", "x"),
        (
            "{'a': 1.10::DECIMAL(9,2), 'b': NULL::INTEGER, 'd': 0.1::DOUBLE,"
            " 't': TIMESTAMPTZ '2026-06-30 12:00:00+02'}",
            "{'a': Decimal('1.10'), 'd': Decimal('0.1'), 't': '2026-06-30T10:00:00Z'}",
        ),
        ("[1, NULL, 3]", "[1, None, 3]"),
        ("MAP {'k': 'v'}", "{'k': 'v'}"),
    ],
)
def test_a_value_of_a_parquet_file_keeps_all_its_digits(tmp_path: Path, value: str, expected: str) -> None:
    assert str(parquet_data(tmp_path, value)) == expected


def test_a_parquet_files_column_data_may_be_text_or_an_object(tmp_path: Path) -> None:
    for column in ("'{\"x\": 2.50}' AS data", "{'x': 2.50} AS data"):
        (fact,), _ = parquet(tmp_path, f"1 AS x, {column}")
        assert str(fact.data["x"]) == "2.50"


def test_a_value_that_no_event_can_hold_breaks_its_row_or_the_file(tmp_path: Path) -> None:
    facts, broken = parquet(tmp_path, "'Infinity'::DOUBLE AS x")
    assert (facts, broken) == ([], [(1, "x is inf, which no event can hold")])
    with pytest.raises(CannotBacktest, match="column 'x' holds INTERVAL values, which no event can hold"):
        parquet(tmp_path, "INTERVAL '1 day' AS x")


def events_of_parquet(tmp_path: Path, customer: str, at: str) -> tuple[list[Fact], list[tuple[int, str]]]:
    query = f"SELECT {customer} AS customer_id, {at} AS occurred_at, 'T' AS type"
    return read(write_parquet(tmp_path / "events.parquet", query))


@pytest.mark.parametrize("customer", ["13093", "13093::DOUBLE", "'13093'"])
def test_a_customer_of_a_parquet_file_is_always_text(tmp_path: Path, customer: str) -> None:
    (fact,), _ = events_of_parquet(tmp_path, customer, "TIMESTAMPTZ '2026-03-02 09:00:00Z'")
    assert fact.customer_id == "13093"


@pytest.mark.parametrize(
    "at",
    [
        "TIMESTAMPTZ '2026-03-02 10:00:00+01'",
        "TIMESTAMP '2026-03-02 09:00:00'",
        "TIMESTAMP_NS '2026-03-02 09:00:00'",
        "TIMESTAMP_MS '2026-03-02 09:00:00'",
        "'2026-03-02T10:00:00+01:00'",
    ],
)
def test_a_time_of_a_parquet_file_is_a_timestamp_or_text_with_an_offset(tmp_path: Path, at: str) -> None:
    (fact,), _ = events_of_parquet(tmp_path, "'c'", at)
    assert fact.occurred_at == 1772442000000000


def test_a_time_of_a_parquet_file_that_is_none_is_refused(tmp_path: Path) -> None:
    facts, broken = events_of_parquet(tmp_path, "'c'", "'2026-03-02T09:00:00'")
    assert (facts, [number for number, _ in broken]) == ([], [1])
    with pytest.raises(
        CannotBacktest, match="column 'occurred_at' must hold timestamps, or times as text, not DATE"
    ):
        events_of_parquet(tmp_path, "'c'", "DATE '2026-03-02'")


def test_the_name_of_a_parquet_file_is_no_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "x=1"
    folder.mkdir()
    for name in ("history[1].parquet", "history1.parquet"):
        columns = f"'c-{name[:9]}' AS customer_id, '2026-03-02T09:00:00Z' AS occurred_at, 'T' AS type"
        write_parquet(folder / name, f"SELECT {columns}")
    (fact,), _ = read(folder / "history[1].parquet")
    assert (fact.customer_id, dict(fact.data)) == ("c-history[1", {})


def test_more_rows_than_are_read_at_once_are_read_in_their_order(tmp_path: Path) -> None:
    columns = "'c' AS customer_id, '2026-03-02T09:00:00Z' AS occurred_at, 'T' AS type, i AS x"
    path = write_parquet(tmp_path / "many.parquet", "FROM range(10000) t(i) SELECT " + columns)
    facts, _ = read(path)
    assert [fact.data["x"] for fact in facts] == list(range(10000))


def test_a_refused_row_is_no_event_whatever_its_reason_reads_like() -> None:
    record = b'{"customer_id":"c","type":"T","occurred_at":"2026-03-02T09:00:00Z","data":{},"id":"1"}'
    broken: list[tuple[int, str]] = []
    decoder = Decoder()
    assert list(decoder.facts([1, 2 | REFUSED], [record, b"3 cells"], broken))
    assert broken == [(2, "3 cells")]
