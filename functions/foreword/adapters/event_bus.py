"""Our own bus: what Foreword tells, in the envelope that every event has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from foreword.domain import json_text
from foreword.domain.errors import EventsNotAccepted
from foreword.domain.facts import FOREWORD
from foreword.domain.instants import format_instant
from foreword.domain.outgoing import OutgoingEvent

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

_PER_REQUEST = 10
_TRIES = 3


class EventBus:
    """PutEvents may accept some entries and refuse others; those it refused are put again, a few times."""

    def __init__(self, client: EventBridgeClient, bus_name: str) -> None:
        self._client = client
        self._bus_name = bus_name

    def put(self, events: Sequence[OutgoingEvent]) -> None:
        """Raises EventsNotAccepted naming those that are not on the bus; all others are."""
        refused: list[OutgoingEvent] = []
        for chunk in _chunks(events):
            left = chunk
            for _ in range(_TRIES):
                left = self._put(left)
                if not left:
                    break
            refused += left
        if refused:
            raise EventsNotAccepted(frozenset(event.id for event in refused))

    def _put(self, events: Sequence[OutgoingEvent]) -> Sequence[OutgoingEvent]:
        """Those that are not known to be accepted: an event that is put twice is known by its id."""
        try:
            response = self._client.put_events(Entries=[entry_of(event, self._bus_name) for event in events])
        except (ClientError, BotoCoreError, ResponseParserError):
            return events  # other chunks may still pass; the caller learns which events did not
        entries = response.get("Entries", [])
        if len(entries) != len(events):  # an answer that is not the service's own
            return events
        return [event for event, entry in zip(events, entries, strict=True) if entry.get("ErrorCode")]


def entry_of(event: OutgoingEvent, bus_name: str) -> PutEventsRequestEntryTypeDef:
    """In Foreword's own name."""
    detail = {
        "id": event.id,
        "customer_id": event.customer_id,
        "occurred_at": format_instant(event.occurred_at),
        "data": event.data,
    }
    return {
        "EventBusName": bus_name,
        "Source": FOREWORD,
        "DetailType": event.type,
        "Detail": json_text.dumps(detail),
    }


def _chunks(events: Sequence[OutgoingEvent]) -> Iterator[Sequence[OutgoingEvent]]:
    for start in range(0, len(events), _PER_REQUEST):
        yield events[start : start + _PER_REQUEST]
