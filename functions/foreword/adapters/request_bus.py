"""What is asked of another service, put on our own bus: TaskRequested or OutboundRequested. The bus is its
provider.

A put whose answer is lost is not repeated, though the event would have the same id: for that the message would be
judged anew, and could end as not sent while somebody already telephones. The event itself is the evidence: the bus
brings it to record_feedback, which settles the message as sent, as a rule within a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from foreword.adapters.event_bus import entry_of
from foreword.adapters.provider_errors import outcome_of
from foreword.app.ports import Accepted, Clock, OutcomeUnknown, ProviderCall, ProviderOutcome, Refused
from foreword.domain.messages import Message
from foreword.domain.outgoing import request_event
from foreword.domain.rulebook import Channel

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

_FINAL = frozenset({"InvalidArgument", "MalformedDetail", "RedactionFailure"})
"""What blames the event itself, of the codes that PutEvents has for a single entry. Whichever it is: the entry did
not get on the bus."""


@dataclass(frozen=True, slots=True)
class RequestBus:
    """`client` must not retry: see `adapters.clients`."""

    client: EventBridgeClient
    bus_name: str
    clock: Clock

    def prepare(self, message: Message, channel: Channel) -> ProviderCall:
        def call() -> ProviderOutcome:
            entry = entry_of(request_event(message, channel, self.clock.now()), self.bus_name)
            try:
                response = self.client.put_events(Entries=[entry])
            except (ClientError, BotoCoreError, ResponseParserError) as error:
                return outcome_of(error)
            entries = response.get("Entries", [])
            if len(entries) != 1:  # an answer that is not the service's own
                return OutcomeUnknown("NoEntry")
            code, event_id = entries[0].get("ErrorCode"), entries[0].get("EventId")
            if code:
                return Refused(code, retryable=code not in _FINAL)
            return Accepted(event_id) if event_id else OutcomeUnknown("NoEventId")

        return call
