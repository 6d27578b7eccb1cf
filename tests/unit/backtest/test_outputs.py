from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from foreword.backtest.errors import CannotBacktest
from foreword.backtest.outputs import whole_file
from foreword.backtest.runs import merge_runs, write_run


def test_a_file_is_there_when_all_of_it_is(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("before")
    with whole_file(path) as file:
        file.write("after\n")
        assert path.read_text() == "before"
    assert path.read_text() == "after\n"
    assert [found.name for found in tmp_path.iterdir()] == ["out.jsonl"]


def test_what_was_there_stays_where_the_new_file_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("before")
    with pytest.raises(TypeError), whole_file(path) as file:
        file.write(b"no text")  # type: ignore[arg-type]
    assert path.read_text() == "before"
    assert [found.name for found in tmp_path.iterdir()] == ["out.jsonl"]


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with whole_file(tmp_path / "link") as file:
        file.write("text")
    assert (tmp_path / "target").read_text() == "text"
    assert (tmp_path / "link").is_symlink()


def test_a_pipe_is_written_to_as_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()))
    reader.start()
    with whole_file(pipe) as file:
        file.write("text")
    reader.join()
    assert heard == ["text"]


@pytest.mark.parametrize("name", ["missing/out", "."])
def test_a_file_that_cannot_be_written_is_refused_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(CannotBacktest, match="cannot be written"), whole_file(tmp_path / name):
        pytest.fail("it was opened")


def test_runs_are_merged_in_order_of_their_text(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path / "a", ["ü", "b", "a"]),
        write_run(tmp_path / "b", []),
        write_run(tmp_path / "c", ["aa"]),
    ]
    assert list(merge_runs(runs)) == ["a", "aa", "b", "ü"]
