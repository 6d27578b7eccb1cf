"""EventBridge in moto: a rule with a Lambda target raises NotImplementedError out of PutEvents; a disabled rule
still sends; events of `aws.*` sources, JSON that only Python reads (NaN) and over-long requests are accepted.

Mend: queue, function and topic targets are handed to `deliver` with the event as AWS words it; the rest is
refused as AWS refuses it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeAlias

from moto.events.exceptions import ValidationException
from moto.events.models import EventsBackend, Rule

from foreword.local.mends.patching import patched

REQUEST_BYTES = 256 * 1024
_TIME_BYTES = 14

Target: TypeAlias = Mapping[str, Any]
Event: TypeAlias = dict[str, Any]
Deliver: TypeAlias = Callable[[Target, Event], None]
# the entry, and the event's id
Accepted: TypeAlias = Callable[[Mapping[str, Any], str], None]


@contextmanager
def bus_as_on_aws(deliver: Deliver, accepted: Accepted) -> Iterator[None]:
    with (
        patched(Rule, "send_to_targets", _routing(Rule.send_to_targets, deliver)),
        patched(EventsBackend, "put_events", _refusing(EventsBackend.put_events, accepted)),
    ):
        yield


def put_as_aws(backend: Any, entry: Mapping[str, Any]) -> None:
    """Put an event of an AWS service (source `aws.ses`, say), which nobody else may."""
    backend.put_events([dict(entry)], as_aws=True)


_DELIVERED = ("lambda", "sqs", "sns")


def _routing(original: Callable[..., None], deliver: Deliver) -> Callable[..., None]:
    def send_to_targets(self: Any, original_event: Event, transform_input: bool = True) -> None:
        if self.state != "ENABLED" or not self.event_pattern.matches_event(original_event):
            return
        ours = [target for target in self.targets if target["Arn"].split(":")[2] in _DELIVERED]
        for target in ours:
            deliver(target, _worded(original_event))
        others = [target for target in self.targets if target not in ours]
        if others:
            with patched(self, "targets", others):
                original(self, original_event, transform_input)

    return send_to_targets


def _worded(event: Event) -> Event:
    """Whole seconds in `time`, and nothing AWS does not send."""
    worded = copy.deepcopy({key: value for key, value in event.items() if key != "ingestion-time"})
    at = datetime.fromtimestamp(float(event["time"]), UTC)
    worded["time"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return worded


def _refusing(original: Callable[..., Any], accepted: Accepted) -> Callable[..., Any]:
    def put_events(
        self: EventsBackend, events: list[dict[str, Any]], as_aws: bool = False
    ) -> list[dict[str, Any]]:
        if sum(entry_bytes(entry) for entry in events) > REQUEST_BYTES:
            raise ValidationException("Total size of the entries in the request is over the limit.")
        if len(events) > 10:
            return list(original(self, events))  # moto has AWS's words for it
        answers = []
        for entry in events:
            answer = _refusal(entry, as_aws) or original(self, [entry])[0]
            if "EventId" in answer:
                accepted(entry, answer["EventId"])
            answers.append(answer)
        return answers

    return put_events


def entry_bytes(entry: Mapping[str, Any]) -> int:
    """As AWS counts one entry against the limit of a request."""
    texts = [entry.get(key) or "" for key in ("Source", "DetailType", "Detail")]
    texts += entry.get("Resources") or []
    return sum(len(text.encode()) for text in texts) + (_TIME_BYTES if "Time" in entry else 0)


def _refusal(entry: Mapping[str, Any], as_aws: bool) -> dict[str, str] | None:
    if not as_aws and str(entry.get("Source", "")).startswith("aws."):
        return {
            "ErrorCode": "NotAuthorizedForSourceException",
            "ErrorMessage": "Not authorized for the source.",
        }
    try:
        detail = json.loads(entry.get("Detail") or "{}", parse_constant=_no_constant)
    except ValueError:
        detail = None
    if not isinstance(detail, dict):
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    return None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
