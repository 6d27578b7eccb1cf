"""Records events/samples/<hop>/<case>.json: what each function is handed when the cases of `bus/` are played.

    python -m tests.contracts.record_samples      writes them anew

One sample for each case and hop, its last invocation that matters there:

    record_activity     the case's last event
    evaluate_triggers   its last fact, or the deadline that came after it
    deliver_message     the image its message was sent from (both, of a firing with two messages); of one that was
                        not sent, the image that is announced
    record_feedback     the last that SES, or SNS's log, told of its message
    release_due         the tick that woke its customer or released its message

Foreword's own events, which come back over the bus, are not followed. What differs from run to run or place to
place (ids, sequence numbers, fractions of seconds, generated names) is replaced by something that stays.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

from foreword.authoring.mappings import read_mappings
from foreword.authoring.schemas import read_schemas
from foreword.cli.files import FileEvent, read_events
from foreword.cli.happenings import FILE as HAPPENINGS
from foreword.cli.happenings import read_happenings
from foreword.contracts.bus_events import BusEvents
from foreword.domain.facts import DEADLINE_REACHED, FOREWORD
from foreword.domain.instants import Instant, format_instant, to_datetime, to_instant
from foreword.domain.tags import named_by
from foreword.local.cloud import LocalCloud
from foreword.local.project import find
from foreword.local.records import Invocation, Record, TableChange

SAMPLES = Path(__file__).parents[2] / "events" / "samples"
BUS = "bus"
HOPS = ("record_activity", "evaluate_triggers", "deliver_message", "record_feedback", "release_due")
AFTERWARDS = timedelta(days=4)

Samples = dict[tuple[str, str], Any]
"""By hop and case: the event a function is handed."""

_NO_UUID = "00000000-0000-4000-8000-000000000000"
_FIXED = {
    "attempt_id": "0" * 32,
    "eventID": "0" * 32,
    "generation": "0" * 64,
    "messageId": _NO_UUID,
    "provider_message_id": _NO_UUID,
    "receiptHandle": "receipt",
}
_PACKED = "H4sI"
"""How gzip begins, in Base64."""

_REPLACED = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), _NO_UUID),
    (re.compile(r"(foreword-[A-Za-z]+?)[0-9A-F]{8}\b"), r"\1"),
    (re.compile(r"(/stream/).*"), r"\g<1>2026-01-01T00:00:00.000"),
    (re.compile(r"(?<=[0-9]{2}:[0-9]{2}:[0-9]{2}\.)(?:[0-9]{6}|[0-9]{3})(?=Z|$)"), lambda m: "0" * len(m[0])),
)


def record() -> Samples:
    """Play every case of `bus/` in one local cloud, each event at its own time."""
    samples: Samples = {}
    case_of: dict[str, str] = {}  # the case that last told of a customer: whatever time brings is that case's
    events = _bus_events()
    with LocalCloud(at=to_datetime(events[0][0])) as cloud:
        told = 0

        def keep_news() -> None:
            nonlocal told
            _keep(samples, cloud.timeline[told:], case_of)
            told = len(cloud.timeline)

        happenings = read_happenings(SAMPLES / HAPPENINGS)
        for at, case, event in events:
            while happenings and happenings[0].at < at:
                cloud.advance(to=format_instant(happenings[0].at))
                keep_news()
                happenings.pop(0).do(cloud)
            if to_instant(cloud.now) < at:
                cloud.advance(to=format_instant(at))
            keep_news()
            case_of[bus_events().customer_of(event.body(at)) or ""] = case
            cloud.put_events([event.entry(cloud.bus_name)])
            keep_news()
        cloud.advance(by=AFTERWARDS)
        keep_news()
    return {name: steady(event) for name, event in samples.items()}


def bus_cases() -> dict[str, list[FileEvent]]:
    return {path.stem: read_events(path) for path in sorted((SAMPLES / BUS).glob("*.json"))}


def bus_events() -> BusEvents:
    ours = find()
    return BusEvents(read_schemas(ours.schemas), read_mappings(ours.mappings))


def text_of(sample: Any) -> str:
    """As it stands in its file."""
    return json.dumps(sample, indent=2, ensure_ascii=False) + "\n"


def steady(value: Any, name: str = "") -> Any:
    """`value`, the field `name` of something, with all that moves replaced."""
    if isinstance(value, Mapping):
        # A DynamoDB attribute, {"S": ...}, goes by the name of its field.
        kept = {key: steady(item, name if key in ("S", "N") else key) for key, item in value.items()}
        if "md5OfBody" in kept:
            kept["md5OfBody"] = hashlib.md5(kept["body"].encode()).hexdigest()  # noqa: S324 - as SQS does
        return kept
    if isinstance(value, list):
        items = [steady(item, name) for item in value]
        return sorted(items) if name == "SS" else items
    if name == "SequenceNumber":
        return "1" + "0" * (len(value) - 1)
    if name == "ApproximateCreationDateTime":
        return float(int(value))
    if name.endswith("Timestamp"):
        return f"{int(value) // 1000}000"
    if name == "timestamp" and isinstance(value, int):
        return value // 1000 * 1000
    if not isinstance(value, str):
        return value
    if name == "data" and value.startswith(_PACKED):
        return _packed(steady(json.loads(gzip.decompress(base64.b64decode(value)))))
    if name == "message" and value.startswith("{"):
        return json.dumps(steady(json.loads(value)))
    if name == "body":
        return json.dumps(steady(json.loads(value)), ensure_ascii=False)
    value = _FIXED.get(name, value)
    for pattern, replacement in _REPLACED:
        value = pattern.sub(replacement, value)
    return value


def _packed(logged: Any) -> str:
    """As CloudWatch packs it, but the same by every version of the library: stored, and of no system."""
    packed = bytearray(gzip.compress(json.dumps(logged).encode(), compresslevel=0, mtime=0))
    packed[8:10] = b"\x00\xff"
    return base64.b64encode(packed).decode()


def _bus_events() -> list[tuple[Instant, str, FileEvent]]:
    """Time, case and event, in the order of time."""
    cases = bus_cases().items()
    events = [(event.at, case, event) for case, events in cases for event in events if event.at is not None]
    return sorted(events, key=itemgetter(0))


def _keep(samples: Samples, records: Sequence[Record], case_of: Mapping[str, str]) -> None:
    changed: set[str] = set()  # the customers whom the invocation under way has written
    for record in records:
        if isinstance(record, TableChange):
            changed.add(record.key["customer_id"])
        elif isinstance(record, Invocation):
            # The tick also writes an item of the rulebook's own, which is nobody's.
            for customer in case_of.keys() & set(_customers(record, changed)):
                samples[record.function, case_of[customer]] = record.event
            changed = set()


def _customers(invocation: Invocation, changed: set[str]) -> Iterator[str]:
    """Whom the invocation is about; none where it is not one that matters."""
    event = invocation.event
    match invocation.function:
        case "record_activity":
            named = (bus_events().customer_of(record["body"]) for record in event["Records"])
            yield from (customer for customer in named if customer is not None)
        case "evaluate_triggers":
            for fact in _images(event):
                if fact["source"]["S"] != FOREWORD or fact["type"]["S"] == DEADLINE_REACHED:
                    yield fact["customer_id"]["S"]
        case "deliver_message":
            for message in _images(event):
                if message["status"]["S"] != "SENT":
                    yield message["customer_id"]["S"]
        case "record_feedback" if "awslogs" in event:
            yield from changed
        case "record_feedback" if event["source"] != FOREWORD:
            tags = event["detail"]["mail"]["tags"]
            tagged = named_by(tags["message_id"][0], tags["customer_id"][0])
            yield from tagged[:1] if tagged else ()
        case "release_due":
            yield from changed


def _images(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (record["dynamodb"]["NewImage"] for record in event["Records"])


def main() -> None:
    """Write every sample, and take away those that no case leads to any more."""
    samples = record()
    for hop in HOPS:
        for path in (SAMPLES / hop).glob("*.json"):
            path.unlink()
    for (hop, case), sample in samples.items():
        path = SAMPLES / hop / f"{case}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text_of(sample), encoding="utf-8")


if __name__ == "__main__":
    main()
