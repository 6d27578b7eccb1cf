"""The functions, run in this process as Lambda runs them: their environment only, JSON in and out, their stdout
caught, their errors reported, a context that knows how much time is left.

A cold start is a fresh import of the handler's package. It happens at a function's first invocation in a cloud, and
after it was killed, so that nothing a module keeps outlives the process it stands for.
"""

from __future__ import annotations

import functools
import importlib
import json
import random
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

from foreword.local.account import REGION
from foreword.local.calls import Call, Proceed
from foreword.local.clock import INVOCATION, VirtualClock
from foreword.local.deploy.stack import Function
from foreword.local.environment import CREDENTIALS, exactly
from foreword.local.faults import Faults, Killed
from foreword.local.mends.patching import patched
from foreword.local.output import OUTPUT
from foreword.local.records import Invocation

# What the handlers share and keep between invocations: clients, settings, loaded documents.
_KEEPERS = ("foreword.adapters", "foreword.settings", "foreword.wiring")


class Context:
    """The second argument of a handler."""

    function_version = "$LATEST"

    def __init__(self, function: Function, request_id: str) -> None:
        self.function_name = function.arn.rsplit(":", 1)[-1]
        self.invoked_function_arn = function.arn
        self.memory_limit_in_mb = str(function.memory_mb)
        self.aws_request_id = request_id
        self.log_group_name = f"/aws/lambda/{self.function_name}"
        self.log_stream_name = "local"
        self._deadline = time.time() + function.timeout.total_seconds()

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round((self._deadline - time.time()) * 1000))


@dataclass
class _Run:
    """The invocation in progress."""

    function: Function
    output: StringIO
    calls: list[tuple[str, str]] = field(default_factory=list)
    killed: Killed | None = None
    printed: int | None = None  # characters, up to its death


class Runtime:
    """Runs functions, one at a time. A context manager: at its end the modules are as they were."""

    def __init__(self, clock: VirtualClock, faults: Faults, task_root: Path) -> None:
        self._clock = clock
        self._faults = faults
        self._task_root = task_root
        self._handlers: dict[str, Callable[[Any, Context], Any]] = {}
        self._run: _Run | None = None
        self._count = 0
        self._counting = threading.Lock()  # a handler may call from several threads
        self._packages: set[str] = set()
        self._modules_before: dict[str, Any] = {}

    def __enter__(self) -> Runtime:
        forget_what_is_kept()
        return self

    def __exit__(self, *_: object) -> None:
        for package in self._packages:
            _pop_package(package)
        sys.modules.update(self._modules_before)
        forget_what_is_kept()

    @property
    def busy(self) -> bool:
        """Whether a function runs."""
        return self._run is not None

    def watch(self, call: Call, proceed: Proceed) -> Any:
        """An AWS call; those outside any invocation (of tests, of the pump) pass."""
        run = self._run
        if run is None:
            return proceed()
        if run.killed is not None:
            raise run.killed  # a `finally` of the dead function
        with self._counting:
            run.calls.append((call.service, call.operation))
            number = len(run.calls)
        try:
            return self._faults.strike(run.function.name, number, call, proceed)
        except Killed as killed:
            run.killed = killed
            run.printed = len(run.output.getvalue())
            raise

    def invoke(self, function: Function, event: Mapping[str, Any]) -> Invocation:
        """Run `function` once; it costs one millisecond of virtual time (see clock.py)."""
        self._count += 1
        at = self._clock.now
        request_id = str(UUID(int=self._count, version=4))
        payload = json.loads(json.dumps(event))
        with ExitStack() as around:
            around.enter_context(exactly(self._environment(function)))
            output = around.enter_context(OUTPUT.captured())
            around.enter_context(patched(time, "sleep", self._clock.sleep))
            around.callback(random.setstate, random.getstate())
            random.seed(self._count)  # the SDK's backoff is random, and moves the virtual clock
            around.enter_context(warnings.catch_warnings())
            warnings.resetwarnings()  # Lambda logs a warning, whatever the tests around it make of one
            warnings.showwarning = _log_warning
            run = self._run = _Run(function, output)
            try:
                result, error = self._call(function, payload, Context(function, request_id))
            finally:
                self._run = None
        if run.killed is not None:
            self._bury(function)
        self._clock.advance(INVOCATION)
        logs = output.getvalue()[: run.printed]
        return Invocation(at, function.name, payload, result, error, logs, tuple(run.calls))

    def _call(self, function: Function, event: Any, context: Context) -> tuple[Any, Mapping[str, Any] | None]:
        try:
            handler = self._handlers.get(function.arn) or self._cold_start(function)
            return json.loads(json.dumps(handler(event, context))), None
        except Killed as killed:
            return None, {"errorType": "Runtime.ExitError", "errorMessage": str(killed)}
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a handler raises, Lambda reports
            return None, {
                "errorType": type(error).__name__,
                "errorMessage": str(error),
                "stackTrace": traceback.format_exception(error),
            }

    def _environment(self, function: Function) -> dict[str, str]:
        name = function.arn.rsplit(":", 1)[-1]
        return {
            **CREDENTIALS,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
            "LAMBDA_TASK_ROOT": str(self._task_root),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            **{key: str(value) for key, value in function.environment.items()},
        }

    def _cold_start(self, function: Function) -> Callable[[Any, Context], Any]:
        module_name, attribute = function.handler.rsplit(".", 1)
        popped = _pop_package(function.name)
        if function.name not in self._packages:
            self._packages.add(function.name)
            self._modules_before |= popped
        handler: Callable[[Any, Context], Any] = getattr(importlib.import_module(module_name), attribute)
        self._handlers[function.arn] = handler
        return handler

    def _bury(self, function: Function) -> None:
        """A killed process takes with it what its modules kept, unsent metrics among them."""
        self._handlers.pop(function.arn, None)
        forget_what_is_kept()


def forget_what_is_kept() -> None:
    """Empty the functools caches of the modules that keep clients, settings and documents."""
    for name, module in list(sys.modules.items()):
        if name.startswith(_KEEPERS):
            for value in list(vars(module).values()):
                if isinstance(value, functools._lru_cache_wrapper):
                    value.cache_clear()
    powertools = sys.modules.get("aws_lambda_powertools.metrics")
    if powertools is not None:
        powertools.Metrics().clear_metrics()


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    (file or sys.stderr).write(warnings.formatwarning(message, category, filename, lineno, line))


def _pop_package(package: str) -> dict[str, Any]:
    names = [name for name in sys.modules if name == package or name.startswith(package + ".")]
    return {name: sys.modules.pop(name) for name in names}
