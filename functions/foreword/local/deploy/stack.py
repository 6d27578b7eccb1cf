"""What a deployed template is to the local cloud: moto holds tables, queues, buses and rules; the functions and
what wakes them are values of ours, because their semantics are the pump's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True)
class Function:
    """A Lambda function. `name` is its package, what developers call it; `arn` its name on AWS."""

    name: str
    arn: str
    handler: str
    environment: Mapping[str, str]
    timeout: timedelta
    memory_mb: int
    dead_letter_arn: str | None = None


@dataclass(frozen=True)
class AsyncPolicy:
    """What happens to an asynchronous invocation that fails (AWS::Lambda::EventInvokeConfig)."""

    retries: int = 2
    max_age: timedelta = timedelta(hours=6)
    on_failure: str | None = None


@dataclass(frozen=True)
class QueueMapping:
    """An SQS queue that feeds a function."""

    function_arn: str
    queue: str
    batch_size: int
    partial_failures: bool


@dataclass(frozen=True)
class StreamMapping:
    """A DynamoDB stream that feeds a function; `retries` and `max_age` None: until the stream forgets."""

    function_arn: str
    stream_arn: str
    table: str
    batch_size: int
    patterns: tuple[str, ...]
    bisect: bool
    partial_failures: bool
    retries: int | None
    max_age: timedelta | None
    on_failure: str | None


@dataclass(frozen=True)
class Schedule:
    """An EventBridge schedule with a rate, whose target is a function. `input` is JSON text."""

    arn: str
    every: timedelta
    function_arn: str
    input: str | None


@dataclass(frozen=True)
class MailEvents:
    """Where SES publishes what happens to mail sent with a configuration set, and which kinds of it."""

    configuration_set: str
    kinds: frozenset[str]
    bus_arn: str


@dataclass(frozen=True)
class Route:
    """A route of an HTTP API, like `GET` and `/p/{token}`, whose integration is a function."""

    method: str
    path: str
    function_arn: str

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class LogSubscription:
    """A function that is handed what is written into a log group."""

    log_group: str
    function_arn: str


@dataclass(frozen=True)
class TopicSubscription:
    """A function that is handed what is published to a topic."""

    topic_arn: str
    function_arn: str


@dataclass
class Stack:
    """Everything the pump works with, in the template's order of creation."""

    functions: dict[str, Function] = field(default_factory=dict)
    async_policies: dict[str, AsyncPolicy] = field(default_factory=dict)
    queue_mappings: list[QueueMapping] = field(default_factory=list)
    stream_mappings: list[StreamMapping] = field(default_factory=list)
    schedules: list[Schedule] = field(default_factory=list)
    mail_events: list[MailEvents] = field(default_factory=list)
    apis: dict[str, str] = field(default_factory=dict)
    """The id of each HTTP API by the address at which it answers."""

    integrations: dict[str, str] = field(default_factory=dict)
    """The function's ARN by the integration's id."""

    routes: list[Route] = field(default_factory=list)
    log_subscriptions: list[LogSubscription] = field(default_factory=list)
    topic_subscriptions: list[TopicSubscription] = field(default_factory=list)
    buses: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    dead_letter_queues: set[str] = field(default_factory=set)

    def function(self, name: str) -> Function:
        """By the name of its package."""
        for function in self.functions.values():
            if function.name == name:
                return function
        known = ", ".join(sorted(function.name for function in self.functions.values()))
        raise LookupError(f"there is no function {name!r} in the template; there are {known}")

    def environment(self, variable: str) -> str | None:
        """The value of an environment variable, in whichever function has it."""
        for function in self.functions.values():
            if variable in function.environment:
                return function.environment[variable]
        return None
