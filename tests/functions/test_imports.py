"""Importing a handler costs what importing costs: no client is made, and no environment is read by our code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "functions"
FUNCTIONS = sorted(folder.parent.name for folder in SOURCES.glob("*/handler.py"))
PROGRAM = """
import os, sys

class Watched(dict):
    def watch(self):
        frame = sys._getframe(2)
        while frame.f_code.co_filename == os.__file__:
            frame = frame.f_back
        if frame.f_code.co_filename.startswith(sys.argv[1]):
            sys.exit(f"{frame.f_code.co_filename}:{frame.f_lineno} reads the environment")
    def get(self, *a):
        self.watch()
        return super().get(*a)
    def __getitem__(self, name):
        self.watch()
        return super().__getitem__(name)
    def __contains__(self, name):
        self.watch()
        return super().__contains__(name)

def refuse(*args, **kwargs):
    sys.exit("a client is made")

import importlib, botocore.session
botocore.session.Session.create_client = refuse
os.environ = Watched(os.environ)
handler = importlib.import_module(sys.argv[2])
from foreword.adapters import clients
made = [v for m in (handler, clients) for v in vars(m).values() if hasattr(v, "cache_info")]
sys.exit(sum(one.cache_info().currsize for one in made) or None)
"""


def test_there_is_a_handler_for_each_function() -> None:
    assert FUNCTIONS == [
        "compare_peers",
        "deliver_message",
        "evaluate_triggers",
        "preferences",
        "record_activity",
        "record_feedback",
        "release_due",
    ]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_importing_a_handler_makes_nothing_and_reads_no_environment(function: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter, our own text
        [sys.executable, "-c", PROGRAM, str(SOURCES), f"{function}.handler"],
        env={"PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
