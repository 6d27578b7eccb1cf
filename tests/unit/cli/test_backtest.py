"""`foreword backtest` as it is typed: what it prints, writes and refuses, and with which exit code."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from foreword.backtest import work
from foreword.cli.main import main
from tests.unit.backtest.support import COUNTED, EACH, event, rulebook, write_lines

RECORDS = [
    event(f"2026-03-{day:02}T09:00:00Z", customer) for day in (1, 2, 12, 13) for customer in ("c-1", "c-2")
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two rulebooks and a history, and nothing else."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    rulebook(Path("rules"), COUNTED)
    rulebook(Path("other"), EACH)
    write_lines(Path("history.jsonl"), RECORDS)
    return tmp_path


def foreword(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The command's exit code, with the rules and the history of this folder unless others are named."""
    given = list(arguments)
    for option, value in (("--rules", "rules"), ("--events", "history.jsonl")):
        if option not in arguments:
            given += [option, value]
    monkeypatch.setattr(sys, "argv", ["foreword", "backtest", *given])
    try:
        main()
    except SystemExit as exit:
        return int(exit.code or 0)
    return 0


def told(capsys: pytest.CaptureFixture[str], kind: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [
        {name: value for name, value in line.items() if name != "kind"}
        for line in lines
        if line["kind"] == kind
    ]


# ---- what it prints and writes


def test_it_prints_the_funnel_the_days_and_the_customers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert foreword(monkeypatch) == 0
    out, err = capsys.readouterr()
    assert err == ""
    text = re.sub(r"[│┃ ]+", " ", out)
    for line in (
        "8 events of 2 customers, 2026-03-01T09:00:00Z to 2026-03-13T09:00:00Z",
        "What rules would have done",
        "rule rises NOT_RE_ELIGIBLE fired SENT customers",
        "counted 4 2 2 2 2",
        "all 4 2 2 2 2",
        "2026-03-02 2 2 2 2",
        "2026-03-13 2 0 0 0",
        "c-1 1 counted 1",
        "No policy is given",
    ):
        assert line in text, line


def test_days_become_months_where_there_are_many(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    days = [f"2026-{month:02}-{day:02}T09:00:00Z" for month in (1, 2) for day in range(1, 29)]
    write_lines(Path("long.jsonl"), [event(day) for day in days])
    assert foreword(monkeypatch, "--events", "long.jsonl", "--rules", "other") == 0
    text = re.sub(r"[│┃ ]+", " ", capsys.readouterr().out)
    assert "By month (UTC)" in text
    assert "2026-02 28 28 28 28" in text
    assert foreword(monkeypatch, "--events", "long.jsonl", "--rules", "other", "--json") == 0
    assert len(told(capsys, "day")) == 56


def test_it_tells_programs_all_of_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert foreword(monkeypatch, "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    figures = {"rises": 4, "skipped": {"NOT_RE_ELIGIBLE": 2}, "fired": 2, "outcomes": {"SENT": 2}}
    fired, skipped = (
        {"rises": 2, "skipped": {}, "fired": 2, "outcomes": {"SENT": 2}},
        {"rises": 2, "skipped": {"NOT_RE_ELIGIBLE": 2}, "fired": 0, "outcomes": {}},
    )
    assert lines == [
        {"kind": "rule", "rule": "counted", **figures, "customers": 2},
        {"kind": "day", "day": "2026-03-02", "rule": "counted", **fired},
        {"kind": "day", "day": "2026-03-13", "rule": "counted", **skipped},
        {"kind": "message", "rule": "counted", "message": "counted", "reason": "SENT", "count": 2},
        {"kind": "customer", "customer_id": "c-1", "firings": 1, "rules": {"counted": 1}},
        {"kind": "customer", "customer_id": "c-2", "firings": 1, "rules": {"counted": 1}},
        {
            "kind": "summary",
            "rulebook": "rules",
            "events_file": "history.jsonl",
            "policy": None,
            "from": "2026-03-01T09:00:00Z",
            "until": "2026-03-13T09:00:00Z",
            "events": 8,
            "duplicates": 0,
            "taken_back": 0,
            "broken": 0,
            "customers": 2,
            "customers_failed": 0,
            **figures,
            "customers_reached": 2,
        },
    ]


def test_it_writes_the_decisions_and_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        foreword(
            monkeypatch, "--decisions", "out.jsonl", "--report", "out.html", "--until", "2026-03-02T12:00:00Z"
        )
        == 0
    )
    lines = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert [(line["customer_id"], line["outcome"]) for line in lines] == [("c-1", "fired"), ("c-2", "fired")]
    assert Path("out.html").read_text().startswith("<!doctype html>")


def test_it_tells_what_another_rulebook_would_change(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lines(Path("more.jsonl"), [*RECORDS, event(customer="c-3")])
    arguments = ["--events", "more.jsonl", "--compare", "other"]
    assert foreword(monkeypatch, *arguments) == 0
    text = re.sub(r"[│┃ ]+", " ", capsys.readouterr().out)
    assert "Customers reached with other instead of rules" in text
    assert "any 2 3 1 0 + c-3" in text
    assert "counted 2 0 0 2 - c-1" in text
    assert foreword(monkeypatch, *arguments, "--json") == 0
    assert told(capsys, "change")[0] == {
        "rulebooks": ["rules", "other"],
        "rule": None,
        "before": 2,
        "after": 3,
        "newly": 1,
        "no_longer": 0,
        "newly_examples": ["c-3"],
        "no_longer_examples": [],
    }


def test_a_policy_and_customers_are_taken_into_account(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("policy.yaml").write_text("consent: {service: opt-in}\n")
    choices = [{"topic": "care", "channel": "sms", "choice": "in"}]
    write_lines(
        Path("customers.jsonl"), [{"customer_id": "c-1", "preferences": choices}, {"customer_id": "c-9"}]
    )
    assert foreword(monkeypatch, "--policy", "policy.yaml", "--customers", "customers.jsonl", "--json") == 0
    (summary,) = told(capsys, "summary")
    # What had no consent holds no clock: the next rise of c-2 fires, and has none either.
    assert summary["outcomes"] == {"NO_CONSENT": 2, "SENT": 1}
    assert (summary["customers"], summary["policy"]) == (3, "policy.yaml")


def test_a_progress_bar_is_for_people(here: Path) -> None:
    """On a terminal it is drawn on stderr; with --json it is not."""
    command = [
        sys.executable,
        "-m",
        "foreword.cli.main",
        "backtest",
        "--rules",
        "rules",
        "--events",
        "history.jsonl",
    ]
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": f"{root / 'functions'}", "TERM": "xterm", "COLUMNS": "100"}
    drawn = {}
    for more in ([], ["--json"]):
        ours, theirs = pty.openpty()
        with os.fdopen(ours, "rb", buffering=0) as terminal:
            done = subprocess.run(  # noqa: S603
                [*command, *more],
                cwd=here,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=theirs,
                check=True,
            )
            os.close(theirs)
            drawn[bool(more)] = _all_of(terminal)
        assert b"\x1b" not in done.stdout
    assert "Replaying" in drawn[False]
    assert drawn[True] == ""


def _all_of(terminal: Any) -> str:
    found = b""
    while True:
        try:
            part = terminal.read(4096)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        found += part
    return str(found.decode())


# ---- broken records


def test_a_broken_record_is_named_counted_and_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lines(Path("broken.jsonl"), [RECORDS[0], "not JSON", event(customer="c 1"), RECORDS[2]])
    assert foreword(monkeypatch, "--events", "broken.jsonl") == 0
    out, err = capsys.readouterr()
    assert err.splitlines() == [
        "broken.jsonl:2: not JSON: Expecting value at column 1",
        "broken.jsonl:3: customer_id must be 1 to 128 visible ASCII characters",
    ]
    assert "2 broken and left out" in out


def test_strict_stops_at_the_first_broken_record_and_writes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lines(Path("broken.jsonl"), [RECORDS[0], "not JSON", "neither"])
    Path("out.jsonl").write_text("of the last time")
    assert foreword(monkeypatch, "--events", "broken.jsonl", "--strict", "--decisions", "out.jsonl") == 2
    assert capsys.readouterr().err == "foreword: broken.jsonl:2: not JSON: Expecting value at column 1\n"
    assert Path("out.jsonl").read_text() == "of the last time"


def test_what_is_left_out_of_records_is_told_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lines(Path("more.jsonl"), [RECORDS[0], {**RECORDS[1], "amount": 1}, {**RECORDS[2], "amount": 2}])
    assert foreword(monkeypatch, "--events", "more.jsonl") == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("more.jsonl:2: 'amount' is no part of an event and left out")


def test_a_customer_who_cannot_be_evaluated_is_found_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(*_: object, **__: object) -> object:
        raise OverflowError("too large")

    monkeypatch.setattr(work, "replay", breaks)
    assert foreword(monkeypatch, "--json") == 1
    out, err = capsys.readouterr()
    assert err.splitlines()[0] == "customer 'c-1' could not be evaluated: OverflowError: too large"
    assert json.loads(out.splitlines()[-1])["customers_failed"] == 2


# ---- what cannot run


BAD = COUNTED.replace("contacts >= 2", 'contacts >= "2"')


BAD_LINE = "bad/rules/counted.yaml:6:8: 'contacts >= \"2\"': a number >= a string has no answer"
FORMATS = "a history is .jsonl, .ndjson or .csv, each also .gz, or .parquet"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("--rules none", "none: cannot be read: No such file or directory"),
        ("--rules rules/rules/counted.yaml", "rules/rules/counted.yaml: a rulebook is a directory"),
        ("--rules empty", "empty: there are no rules in it"),
        ("--rules bad", BAD_LINE),
        ("--compare bad", BAD_LINE),
        ("--compare none", "none: cannot be read: No such file or directory"),
        ("--events none.jsonl", "none.jsonl: cannot be read: No such file or directory"),
        ("--events rules", f"rules: unknown format; {FORMATS}"),
        ("--events bad.csv", "bad.csv:1: no column 'occurred_at'; there are: 'customer_id', 'type'"),
        ("--events cut.jsonl.gz", "cut.jsonl.gz: cannot be read: Compressed file ended before"),
        ("--customers none.csv", "none.csv: cannot be read: No such file or directory"),
        ("--customers bad2.csv", "bad2.csv:1: no column 'customer_id'; there are: 'id'"),
        ("--policy none.yaml", "none.yaml: cannot be read: No such file or directory"),
        ("--policy bad.yaml", "bad.yaml:1:1: unknown key 'quiet' of the policy; did you mean 'quiet_hours'?"),
        ("--until 2026-03-02", "--until: '2026-03-02' is not a time like 2026-03-02T09:00:00Z"),
        ("--decisions none/out.jsonl", "none/out.jsonl: cannot be written: No such file or directory"),
        ("--report rules", "rules: cannot be written: Is a directory"),
        ("--decisions history.jsonl", "history.jsonl: cannot be written: it is named twice"),
        ("--decisions out --report ./out", "out: cannot be written: it is named twice"),
        ("--jobs 0", "Invalid value for '--jobs': 0 is not in the range x>=1."),
    ],
)
def test_what_cannot_run_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: str, why: str
) -> None:
    (Path("empty") / "rules").mkdir(parents=True)
    rulebook(Path("bad"), BAD)
    Path("bad.yaml").write_text("quiet: 7\n")
    Path("bad.csv").write_text("customer_id,type\n")
    Path("bad2.csv").write_text("id\n")
    packed = write_lines(Path("whole.jsonl.gz"), RECORDS).read_bytes()
    Path("cut.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    before = Path("history.jsonl").read_bytes()
    assert foreword(monkeypatch, *arguments.split()) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"foreword: {why}")
    assert Path("history.jsonl").read_bytes() == before
    assert not Path("out").exists()


def test_every_error_of_a_rulebook_is_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rulebook(Path("bad"), BAD, EACH.replace("owner:", "own:"))
    assert foreword(monkeypatch, "--rules", "bad") == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert all(re.match(r"foreword: bad/rules/(counted|each)\.yaml:[0-9]+:[0-9]+: ", line) for line in lines)


def test_a_rule_that_needs_a_policy_is_told_how_to_name_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unwilling = EACH.replace("when: 'contact'", "when: 'contact && willingness < 0'")
    rulebook(Path("unwilling"), unwilling, policy="willingness: {within: 7d, scores: {Contact: -3}}\n")
    assert foreword(monkeypatch, "--rules", "unwilling") == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[1:] == ["foreword: a backtest knows no policy but that of --policy"]
    assert foreword(monkeypatch, "--rules", "unwilling", "--policy", "unwilling/policy.yaml", "--json") == 0
    assert told(capsys, "summary")[0]["fired"] == 8


def test_a_rulebook_may_be_the_folder_of_its_rules_or_hold_them_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = EACH.replace("when: 'contact'", "when: 'contact && event.source in lists.good'")
    for directory, rules in ((Path("nested"), "nested/rules"), (Path("flat"), "flat")):
        folder = directory if rules == "flat" else directory / "rules"
        folder.mkdir(parents=True)
        (folder / "each.yaml").write_text(listed)
        (directory / "lists.yaml").write_text("good: [support]\n")
        assert foreword(monkeypatch, "--rules", rules, "--json") == 0
        assert told(capsys, "summary")[0]["fired"] == 8


# ---- what it does not need


def test_it_needs_neither_the_cloud_nor_its_client(here: Path) -> None:
    command = """
import sys
from foreword.cli.main import main
sys.argv = ["foreword", "backtest", "--rules", "rules", "--events", "history.jsonl", "--json"]
main()
loaded = {name.partition(".")[0] for name in sys.modules}
sys.exit(", ".join(sorted(loaded & {"boto3", "botocore", "moto", "aws_lambda_powertools", "duckdb"})) or 0)
"""
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root / "functions")}
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", command],
        cwd=here,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("", 0)


def test_its_help_tells_the_formats(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert foreword(monkeypatch, "--help") == 0
    out = capsys.readouterr().out
    for word in (
        ".jsonl",
        ".csv",
        ".parquet",
        ".gz",
        "customer_id",
        "occurred_at",
        "preferences",
        "--strict",
    ):
        assert word in out
