"""Faults at the AWS calls of a function: it is killed at one, or the call fails.

`before`: the request never arrived. `after`: it arrived and was carried out, but its answer was lost, or the
function died before it saw it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from moto.core.botocore_stubber import MockRawResponse

from foreword.local.calls import Call, Proceed

When: TypeAlias = Literal["before", "after"]


class Killed(BaseException):
    """The function's process ends here. A BaseException: no handler may survive it by catching errors."""


@dataclass
class Kill:
    """Kill `function` at the `call`-th AWS call (from 1) of an invocation, once.

    Where `function` is None, whichever function makes the `call`-th call from now on.
    """

    function: str | None
    call: int
    when: When


@dataclass
class Failure:
    """Let a call fail, `times` attempts long; in any function, or in one."""

    service: str
    operation: str
    error: Exception
    when: When
    times: int
    function: str | None


def service_error(code: str, status: int = 400, message: str = "injected") -> ClientError:
    """The answer of an AWS service that refuses, e.g. service_error("ThrottlingException", 429)."""
    answer: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "injected")


class Faults:
    """What is to go wrong. Armed faults wait for their function and call; each is spent when it has struck."""

    def __init__(self) -> None:
        self._kills: list[Kill] = []
        self._calls = 0
        self._failures: list[Failure] = []

    def kill(self, function: str, *, call: int, when: When = "before") -> None:
        """Kill the next invocation of `function` that reaches its `call`-th AWS call (from 1)."""
        self._kills.append(Kill(function, _counted(call), when))

    def kill_any(self, *, call: int, when: When = "before") -> None:
        """Kill whichever function makes the `call`-th AWS call from now on (from 1): for trying each in turn."""
        self._kills.append(Kill(None, self._calls + _counted(call), when))

    def fail(
        self,
        service: str,
        operation: str,
        *,
        error: Exception,
        when: When = "before",
        times: int = 1,
        function: str | None = None,
    ) -> None:
        """Let the next `times` attempts at e.g. ("sesv2", "SendEmail") fail with `error`.

        A ClientError (see `service_error`) becomes the service's answer, which the SDK reads, and retries or not;
        any other exception (botocore's ReadTimeoutError, ConnectTimeoutError ...) is raised where the connection
        would be.
        """
        self._failures.append(Failure(service, operation, error, when, times, function))

    @property
    def armed(self) -> list[Kill | Failure]:
        """The faults that have not struck yet."""
        return [*self._kills, *self._failures]

    def clear(self) -> None:
        self._kills.clear()
        self._failures.clear()

    def strike(self, function: str, number: int, call: Call, proceed: Proceed) -> Any:
        """Carry out the `number`-th call of an invocation with whatever is armed for it."""
        self._calls += 1
        kill = _spend(
            self._kills, lambda one: (one.function, one.call) in ((function, number), (None, self._calls))
        )
        if kill is not None:
            if kill.when == "after":
                proceed()
            raise Killed(f"{function} was killed {kill.when} {call.service}.{call.operation}")
        failure = self._failure(function, call)
        if failure is None:
            return proceed()
        if failure.when == "after":
            proceed()
        if isinstance(failure.error, ClientError):
            return _answer(failure.error, call)
        raise failure.error

    def _failure(self, function: str, call: Call) -> Failure | None:
        for failure in self._failures:
            meant = failure.function in (None, function)
            if meant and (failure.service, failure.operation) == (call.service, call.operation):
                failure.times -= 1
                if failure.times == 0:
                    self._failures.remove(failure)
                return failure
        return None


def _counted(call: int) -> int:
    if call < 1:
        raise ValueError(f"calls count from 1, not {call}")
    return call


def _spend(kills: list[Kill], meant: Callable[[Kill], bool]) -> Kill | None:
    for kill in kills:
        if meant(kill):
            kills.remove(kill)
            return kill
    return None


def _answer(error: ClientError, call: Call) -> AWSResponse:
    """The error as the service would put it on the wire: XML for the query protocol, JSON for the others."""
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    if b"x-www-form-urlencoded" in _content_type(call):
        body = (
            "<ErrorResponse><Error><Type>Sender</Type>"
            f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error></ErrorResponse>"
        )
    else:
        body = json.dumps({"__type": code, "message": message})
    headers, raw = HTTPHeaders(), MockRawResponse(body)
    headers["x-amzn-errortype"] = code
    return AWSResponse(call.request.url, status, headers, raw)


def _content_type(call: Call) -> bytes:
    value = call.request.headers.get("Content-Type", "")
    return value if isinstance(value, bytes) else str(value).encode()
