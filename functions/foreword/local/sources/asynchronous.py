"""Asynchronous invocations (from bus rules and schedules): retried after one and two minutes, then handed to the
function's on-failure destination or dead-letter queue, as its AWS::Lambda::EventInvokeConfig says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from foreword.local.deploy.stack import AsyncPolicy, Stack
from foreword.local.records import Invocation
from foreword.local.sources.source import Invoke, Send

_WAITS = (timedelta(minutes=1), timedelta(minutes=2))


@dataclass(frozen=True)
class _Pending:
    due: datetime
    accepted: datetime
    function_arn: str
    event: Mapping[str, Any]
    attempt: int


class AsynchronousInvocations:
    """Lambda's internal queue, in order of arrival; one that waits for its retry lets the others pass."""

    def __init__(self, stack: Stack, invoke: Invoke, send: Send) -> None:
        self._stack = stack
        self._invoke = invoke
        self._send = send
        self._pending: list[_Pending] = []

    def accept(self, function_arn: str, event: Mapping[str, Any], now: datetime) -> None:
        self._pending.append(_Pending(now, now, function_arn, event, 1))

    def step(self, now: datetime) -> bool:
        pending = next((one for one in self._pending if one.due <= now), None)
        if pending is None:
            return False
        self._pending.remove(pending)
        invocation = self._invoke(pending.function_arn, pending.event)
        if invocation.error is not None:
            self._failed(pending, invocation)
        return True

    def waits_until(self) -> datetime | None:
        return min((one.due for one in self._pending), default=None)

    def _failed(self, pending: _Pending, invocation: Invocation) -> None:
        policy = self._stack.async_policies.get(pending.function_arn, AsyncPolicy())
        if pending.attempt > policy.retries:
            self._give_up(pending, policy, invocation, "RetriesExhausted")
            return
        due = invocation.at + _WAITS[min(pending.attempt, len(_WAITS)) - 1]
        if due - pending.accepted > policy.max_age:
            self._give_up(pending, policy, invocation, "EventAgeExceeded")
            return
        retry = _Pending(due, pending.accepted, pending.function_arn, pending.event, pending.attempt + 1)
        self._pending.append(retry)

    def _give_up(
        self, pending: _Pending, policy: AsyncPolicy, invocation: Invocation, condition: str
    ) -> None:
        dead_letters = self._stack.functions[pending.function_arn].dead_letter_arn
        if dead_letters is not None:
            self._send(dead_letters, pending.event)
        if policy.on_failure is not None:
            self._send(policy.on_failure, _account(pending, invocation, condition))


def _account(pending: _Pending, invocation: Invocation, condition: str) -> dict[str, Any]:
    """What an on-failure destination receives."""
    return {
        "version": "1.0",
        "timestamp": invocation.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "functionArn": f"{pending.function_arn}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": pending.attempt,
        },
        "requestPayload": pending.event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": invocation.error,
    }
