"""The moving parts of a local cloud, put together: mended moto, the deployed stack, functions, sources, pump.

`cloud.LocalCloud` is what people use; this is what it stands on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeAlias

from moto.events.models import events_backends
from moto.sqs.models import Message, Queue, sqs_backends

from foreword.adapters.customers_table import PROFILE, profile_from_item
from foreword.local.account import ACCOUNT, REGION, name_of
from foreword.local.arrivals import told_of_arrivals
from foreword.local.calls import Call, Proceed, watched
from foreword.local.clock import VirtualClock
from foreword.local.deploy.deploy import deploy
from foreword.local.deploy.stack import Stack
from foreword.local.environment import aws_environment
from foreword.local.faults import Faults
from foreword.local.mends.bus import Event, Target, bus_as_on_aws, put_as_aws
from foreword.local.mends.mail import mail_is_kept_whole
from foreword.local.mends.one_at_a_time import one_at_a_time
from foreword.local.mends.request_tokens import request_tokens_are_honoured
from foreword.local.mends.stream_records import streams_tell_what_happened
from foreword.local.mends.suppressed_addresses import suppressed_addresses_are_listed
from foreword.local.mends.text_messages import opted_out_numbers_are_refused
from foreword.local.mends.transactions import transactions_touch_their_items_only
from foreword.local.mends.unmocked import nothing_unmocked
from foreword.local.messages import email, text_message
from foreword.local.moto_account import own_moto
from foreword.local.network import no_way_out
from foreword.local.pump import Pump
from foreword.local.records import BusEvent, DeadLetter, Invocation, Quarantined, Record, SentMessage
from foreword.local.runtime import Runtime
from foreword.local.sources.asynchronous import AsynchronousInvocations
from foreword.local.sources.http import HttpApi
from foreword.local.sources.mail_events import Kind, MailFeedback, usual_kinds
from foreword.local.sources.queues import QueueSource
from foreword.local.sources.schedules import ScheduleSource
from foreword.local.sources.sms_events import SmsFeedback
from foreword.local.sources.source import Source
from foreword.local.sources.streams import StreamSource
from foreword.local.tables import Tables

QUARANTINE = "QUARANTINE_QUEUE_URL"
CUSTOMERS = "customers"
_TABLE_SUFFIX = "_TABLE"
Happened: TypeAlias = Callable[[Record], None]
P = ParamSpec("P")

_RUNNING: list[object] = []  # a mark for each cloud, which nest; the last one is the one that runs


@dataclass
class Machine:
    """Everything that lives as long as one cloud."""

    clock: VirtualClock
    runtime: Runtime
    happened: Happened
    stack: Stack
    tables: Tables
    asynchronous: AsynchronousInvocations
    pump: Pump
    schedules: list[ScheduleSource]
    feedback: MailFeedback
    http: HttpApi
    sms: SmsFeedback
    suppressed_addresses: list[str]
    published: list[tuple[str, Event]]
    quarantine: str | None
    mark: object

    def watch(self, call: Call, proceed: Proceed) -> Any:
        """Each AWS call: faults first, then what it changed in the tables."""
        if not self.is_innermost:
            return proceed()
        try:
            return self.runtime.watch(call, proceed)
        finally:
            self._tell_changes()

    @property
    def is_innermost(self) -> bool:
        """Whether this cloud, and not one started inside it, is what happens now."""
        return bool(_RUNNING) and _RUNNING[-1] is self.mark

    def alone(self, callback: Callable[P, None]) -> Callable[P, None]:
        """`callback`, deaf to what happens in a cloud inside this one."""

        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            if self.is_innermost:
                callback(*args, **kwargs)

        return guarded

    def invoke(self, function_arn: str, event: Mapping[str, Any]) -> Invocation:
        invocation = self.runtime.invoke(self.stack.functions[function_arn], event)
        self.happened(invocation)
        return invocation

    def send(self, queue_arn: str, value: Any) -> None:
        sqs_backends[ACCOUNT][REGION].send_message(name_of(queue_arn), json.dumps(value))

    def deliver(self, target: Target, event: Event) -> None:
        """An event that a bus rule matched; what cannot be delivered goes to the target's dead letters."""
        target_arn = target["Arn"]
        if ":sns:" in target_arn:
            self.published.append((target_arn, event))
        elif ":lambda:" not in target_arn:
            self.send(target_arn, event)
        elif target_arn in self.stack.functions:
            self.asynchronous.accept(target_arn, event, self.clock.now)
        elif "DeadLetterConfig" in target:
            self.send(target["DeadLetterConfig"]["Arn"], event)

    def bus_accepted(self, entry: Mapping[str, Any], event_id: str) -> None:
        bus = str(entry.get("EventBusName") or "default").rsplit("/", 1)[-1]
        detail = json.loads(entry["Detail"])
        self.happened(BusEvent(self.clock.now, bus, event_id, entry["Source"], entry["DetailType"], detail))

    def mail_accepted(self, parameters: Mapping[str, Any], message_id: str) -> None:
        message = email(parameters, message_id, self.clock.now)
        self.happened(message)
        for kind in usual_kinds(message.to):
            self.tell_feedback(message, parameters.get("ConfigurationSetName"), kind)

    def tell_feedback(self, message: SentMessage, configuration_set: str | None, kind: Kind) -> None:
        self.feedback.tell(message, configuration_set, kind, self.clock.now)

    def text_accepted(self, number: str, text: str, attributes: Mapping[str, Any], message_id: str) -> None:
        customer = self._customer_with(number)
        message = text_message(number, text, attributes, message_id, self.clock.now, customer)
        self.happened(message)
        self.sms.log(message, None, self.clock.now)

    def arrived(self, queue: Queue, message: Message) -> None:
        """Only messages that come to rest are told of."""
        attributes = {
            name: str(value.get("string_value", value.get("StringValue", "")))
            for name, value in message.message_attributes.items()
        }
        if queue.name == self.quarantine:
            self.happened(Quarantined(self.clock.now, queue.name, message.body, attributes))
        elif queue.name in self.stack.dead_letter_queues:
            self.happened(DeadLetter(self.clock.now, queue.name, message.body, attributes))

    def _tell_changes(self) -> None:
        for change in self.tables.changes():
            self.happened(change)

    def _customer_with(self, number: str) -> str | None:
        """SNS knows no customers; the profile with that number, if it is one only, says whose it is."""
        if CUSTOMERS not in self.tables.names:
            return None
        items = [item for item in self.tables.typed_items(CUSTOMERS) if item["item"]["S"] == PROFILE]
        profiles = [profile_from_item(item, item["customer_id"]["S"]) for item in items]
        owners = [profile.customer_id for profile in profiles if profile.value("phone") == number]
        return owners[0] if len(owners) == 1 else None


@contextmanager
def assembled(
    clock: VirtualClock, template: Path, task_root: Path, faults: Faults, happened: Happened
) -> Iterator[Machine]:
    """A machine with the template deployed; moto, environment and network are its own until it ends."""
    with _innermost() as mark, aws_environment(), no_way_out(), own_moto(), _steady_mends():
        stack = deploy(template)
        with Runtime(clock, faults, task_root) as runtime:
            machine = _machine(clock, runtime, happened, stack, mark)
            with (
                bus_as_on_aws(machine.deliver, machine.alone(machine.bus_accepted)),
                mail_is_kept_whole(machine.alone(machine.mail_accepted)),
                opted_out_numbers_are_refused(machine.alone(machine.text_accepted)),
                suppressed_addresses_are_listed(machine.suppressed_addresses),
                told_of_arrivals(machine.alone(machine.arrived)),
                watched(machine.watch),
            ):
                yield machine


@contextmanager
def _innermost() -> Iterator[object]:
    mark = object()
    _RUNNING.append(mark)
    try:
        yield mark
    finally:
        _RUNNING.remove(mark)


@contextmanager
def _steady_mends() -> Iterator[None]:
    """The mends that tell nobody anything."""
    with (
        one_at_a_time(),
        nothing_unmocked(),
        transactions_touch_their_items_only(),
        request_tokens_are_honoured(),
        streams_tell_what_happened(),
    ):
        yield


def _machine(
    clock: VirtualClock, runtime: Runtime, happened: Happened, stack: Stack, mark: object
) -> Machine:
    def invoke(function_arn: str, event: Mapping[str, Any]) -> Invocation:
        return machine.invoke(function_arn, event)

    def send(queue_arn: str, value: Any) -> None:
        machine.send(queue_arn, value)

    def publish(bus_arn: str, detail_type: str, detail: Mapping[str, Any]) -> None:
        entry = {
            "Source": "aws.ses",
            "DetailType": detail_type,
            "Detail": json.dumps(detail),
            "EventBusName": bus_arn.rsplit("/", 1)[-1],
        }
        put_as_aws(events_backends[ACCOUNT][REGION], entry)

    asynchronous = AsynchronousInvocations(stack, invoke, send)
    mappings: list[Source] = [QueueSource(mapping, invoke) for mapping in stack.queue_mappings]
    mappings += [StreamSource(mapping, invoke, send) for mapping in stack.stream_mappings]
    quarantine = stack.environment(QUARANTINE)
    machine = Machine(
        clock=clock,
        runtime=runtime,
        happened=happened,
        stack=stack,
        tables=Tables(_short_names(stack)),
        asynchronous=asynchronous,
        pump=Pump(clock, asynchronous, mappings),
        schedules=[ScheduleSource(one, asynchronous.accept, clock.now) for one in stack.schedules],
        feedback=MailFeedback(stack.mail_events, publish),
        http=HttpApi(stack, invoke),
        sms=SmsFeedback(stack, asynchronous.accept),
        suppressed_addresses=[],
        published=[],
        quarantine=quarantine.rsplit("/", 1)[-1] if quarantine else None,
        mark=mark,
    )
    return machine


def _short_names(stack: Stack) -> dict[str, str]:
    """ "messages" for the table that functions know as MESSAGES_TABLE."""
    return {
        variable.removesuffix(_TABLE_SUFFIX).lower(): value
        for function in stack.functions.values()
        for variable, value in function.environment.items()
        if variable.endswith(_TABLE_SUFFIX)
    }
