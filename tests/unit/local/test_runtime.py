"""A function sees what it would see in Lambda, and leaves nothing behind."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from foreword.local.clock import VirtualClock
from foreword.local.cloud import LocalCloud
from foreword.local.deploy.stack import Function
from foreword.local.faults import Faults
from foreword.local.records import Invocation
from foreword.local.runtime import Runtime

START = "2026-03-02T09:00:00Z"


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    monkeypatch.syspath_prepend(tmp_path)
    with ExitStack() as stack:
        clock = stack.enter_context(VirtualClock(START))
        yield stack.enter_context(Runtime(clock, Faults(), tmp_path))


def function(tmp_path: Path, body: str, **environment: str) -> Function:
    package = tmp_path / "local_made"
    package.mkdir(exist_ok=True)
    (package / "__init__.py").touch()
    source = (
        f"import os, sys, time, random, warnings\nkept = []\n\n\ndef handle(event, context):\n    {body}\n"
    )
    (package / "handler.py").write_text(source, encoding="utf-8")
    return Function("local_made", "arn:aws:lambda:x:1:function:made", "local_made.handler.handle",
                    environment, timedelta(seconds=30), 512)  # fmt: skip


def run(runtime: Runtime, tmp_path: Path, body: str, event: Any = None, **environment: str) -> Invocation:
    return runtime.invoke(function(tmp_path, body, **environment), event or {})


def test_a_function_has_its_own_environment_and_no_other(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME_OF_THE_TEST", "here")
    seen = run(runtime, tmp_path, "return dict(os.environ)", TABLE="t").result

    assert seen["TABLE"] == "t"
    assert seen["LAMBDA_TASK_ROOT"] == str(tmp_path)
    assert seen["AWS_REGION"] == seen["AWS_DEFAULT_REGION"] == "eu-central-1"
    assert "HOME_OF_THE_TEST" not in seen
    assert os.environ["HOME_OF_THE_TEST"] == "here"


def test_events_and_results_go_through_json(runtime: Runtime, tmp_path: Path) -> None:
    assert run(runtime, tmp_path, "return event", {"a": (1, 2)}).result == {"a": [1, 2]}


def test_a_result_that_is_no_json_is_an_error(runtime: Runtime, tmp_path: Path) -> None:
    error = run(runtime, tmp_path, "return object()").error
    assert error is not None
    assert error["errorType"] == "TypeError"


def test_an_error_is_reported_with_its_type_words_and_trace(runtime: Runtime, tmp_path: Path) -> None:
    error = run(runtime, tmp_path, "raise LookupError('where')").error
    assert error is not None
    assert (error["errorType"], error["errorMessage"]) == ("LookupError", "where")
    assert "handler.py" in "".join(error["stackTrace"])


def test_time_is_virtual_and_sleeping_passes_it(runtime: Runtime, tmp_path: Path) -> None:
    body = "left = context.get_remaining_time_in_millis; a = left(); time.sleep(2.5); return [a, left()]"
    assert run(runtime, tmp_path, body).result == [30_000, 27_500]


def test_what_is_kept_lives_as_long_as_the_function_stays_warm(runtime: Runtime, tmp_path: Path) -> None:
    body = "kept.append(1); return len(kept)"
    made = function(tmp_path, body)
    assert [runtime.invoke(made, {}).result for _ in range(3)] == [1, 2, 3]


def test_modules_are_as_they_were_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    made = function(tmp_path, "kept.append(1); return len(kept)")
    import importlib

    before = importlib.import_module("local_made.handler")
    for _ in range(2):
        with VirtualClock(START) as clock, Runtime(clock, Faults(), tmp_path) as runtime:
            assert runtime.invoke(made, {}).result == 1, "each cloud starts cold"
    assert sys.modules.pop("local_made.handler") is before
    sys.modules.pop("local_made")


def test_output_and_warnings_are_logged_and_not_raised(runtime: Runtime, tmp_path: Path) -> None:
    body = "print('out'); print('err', file=sys.stderr); warnings.warn('mind the gap', UserWarning)"
    logs = run(runtime, tmp_path, body).logs
    assert logs.startswith("out\nerr\n")
    assert "UserWarning: mind the gap" in logs


LISTS = "boto3.client('dynamodb').list_tables()"


def test_a_killed_function_starts_cold_and_its_last_wishes_reach_nobody(
    tmp_path: Path, cloud: LocalCloud
) -> None:
    made = function(
        tmp_path,
        f"""import boto3
    kept.append(1)
    try:
        {LISTS}
    finally:
        len(kept) == 1 and {LISTS}
    return len(kept)""",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        runtime = cloud._machine.runtime
        cloud.faults.kill("local_made", call=1)
        killed = runtime.invoke(made, {})
        again = runtime.invoke(made, {})

    assert killed.error is not None
    assert killed.error["errorType"] == "Runtime.ExitError"
    assert killed.aws_calls == (("dynamodb", "ListTables"),), "the second was made by a dead function"
    assert again.result == 1, "what it kept died with it"


def test_chance_repeats_from_cloud_to_cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    made = function(tmp_path, "return random.random()")
    rolled = []
    for _ in range(2):
        with VirtualClock(START) as clock, Runtime(clock, Faults(), tmp_path) as runtime:
            rolled.append([runtime.invoke(made, {}).result for _ in range(2)])
    assert rolled[0] == rolled[1]
    assert rolled[0][0] != rolled[0][1]


def test_the_tests_own_chance_is_left_alone(runtime: Runtime, tmp_path: Path) -> None:
    state = random.getstate()
    results = [run(runtime, tmp_path, "return random.random()").result]
    assert random.getstate() == state
    assert 0 <= results[0] < 1
