"""What happens in a local cloud, retold as events a person can follow: plain dicts, one for each thing.

`kind` is one of: event, happening (what somebody outside does with a message), choice (what the customer's own page
or link changed), signal, deadline, decision, accepted (by a provider), task (for a service of your own), message,
fallback (to the next channel), feedback. Every dict has `at` (RFC 3339, UTC) and
`customer_id` where it concerns one. Nothing random is told, so the same samples tell the same story.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from foreword.adapters.customers_table import PROFILE, unpack_state
from foreword.cli.happenings import Happening
from foreword.domain import json_text
from foreword.domain.core import Core
from foreword.domain.facts import FOREWORD, PREFERENCE_CHANGED, TASK_REQUESTED
from foreword.domain.instants import Instant, format_instant, parse_instant, to_datetime, to_instant
from foreword.domain.quiet_hours import zone_of
from foreword.domain.readings import Reading, read
from foreword.domain.reasons import Reason
from foreword.domain.signals.tracker import Tracker
from foreword.domain.state import State
from foreword.local.records import BusEvent, Quarantined, Record, SentMessage, TableChange

Told: TypeAlias = dict[str, Any]

FEEDBACK = {"MessageDelivered", "MessageDelayed", "MessageBounced", "MessageComplained"}


class Story:
    """`core` is the rulebook in force: it says what a customer's stored state means."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._claimed_for: str | None = None
        self._zones: dict[str, ZoneInfo] = {}

    def happening(self, one: Happening) -> Told:
        """Told before its effects are."""
        about = {"customer_id": one.customer_id, "message": one.message, "happens": one.happens}
        return {"kind": "happening", "at": format_instant(one.at), **about}

    def tell(self, records: Sequence[Record]) -> Iterator[Told]:
        """Retell the records of one step, in their order; a bus event comes with what became of it."""
        accepted = [
            record.new
            for record in records
            if isinstance(record, TableChange) and record.table == "activity" and record.new is not None
        ]
        refused = [record for record in records if isinstance(record, Quarantined)]
        for record in records:
            if isinstance(record, BusEvent) and record.source not in (FOREWORD, "aws.ses"):
                yield self._event(record, accepted, refused)
            elif isinstance(record, BusEvent) and record.type in FEEDBACK:
                yield self._feedback(record)
            elif isinstance(record, BusEvent) and record.type == PREFERENCE_CHANGED:
                yield self._choice(record)
            elif isinstance(record, BusEvent) and record.type == TASK_REQUESTED:
                yield self._task(record)
            elif isinstance(record, TableChange) and record.table == "customers":
                yield from self._signals(record)
            elif isinstance(record, TableChange) and record.table == "messages":
                yield from self._message(record)
            elif isinstance(record, SentMessage):
                yield self._sent(record)

    def _event(
        self, record: BusEvent, accepted: Sequence[Mapping[str, Any]], refused: list[Quarantined]
    ) -> Told:
        detail = record.detail
        fact = _fact_of(record, accepted)
        told: Told = {
            "kind": "event",
            "at": _time(record),
            "customer_id": detail.get("customer_id"),
            "source": record.source,
            "type": record.type,
            "id": detail.get("id"),
            "data": detail.get("data"),
        }
        if fact is not None and (fact["type"], fact["event_id"]) != (record.type, detail.get("id")):
            # Of another shape: told as its mapping has made it.
            told |= {"as": fact["type"], "customer_id": fact["customer_id"], "id": fact["event_id"]}
            told["data"] = json_text.loads(fact["data"])
        if fact is not None:
            return told | {"outcome": "ACCEPTED"}
        if refused:
            attributes = refused[0].attributes
            return (
                told | {"outcome": "QUARANTINED"} | {name: attributes[name] for name in ("reason", "detail")}
            )
        return told | {"outcome": "DUPLICATE"}

    def _feedback(self, record: BusEvent) -> Told:
        names = ("message_id", "rule", "message", "channel")
        return {
            "kind": "feedback",
            "at": _time(record),
            "customer_id": record.detail["customer_id"],
            "type": record.type,
            **{name: record.detail["data"][name] for name in names},
        }

    def _choice(self, record: BusEvent) -> Told:
        data = dict(record.detail["data"])
        about = {"at": _time(record), "customer_id": record.detail["customer_id"]}
        return {"kind": "choice", **about, "via": data.pop("via", None), "data": data}

    def _task(self, record: BusEvent) -> Told:
        data = record.detail["data"]
        return {
            "kind": "task",
            "at": _time(record),
            "customer_id": record.detail["customer_id"],
            **{name: data[name] for name in ("message_id", "rule", "message", "topic", "priority")},
            "signals": {name: _shown(value) for name, value in data["signals"].items()},
        }

    def _signals(self, record: TableChange) -> Iterator[Told]:
        """The signals that the new state gives another value, and the deadlines it sets or takes away."""
        self._learn_zone(record.new)
        before, after = _state(record.old), _state(record.new)
        if after is None:
            return
        t = after.position[0]
        known = {} if before is None else {(it.rule, it.case): it for it in read(self._core, before, t)}
        for now in read(self._core, after, t):
            then = known.get((now.rule, now.case))
            about = {"at": _time(record), "customer_id": record.key["customer_id"], "rule": now.rule}
            if now.case is not None:
                about["case"] = now.case
            yield from _deadlines(then, now, about)
            trackers = self._core.rules[now.rule].trackers
            for signal, value in now.signals.items():
                was = then.signals[signal] if then is not None else _nothing_known(trackers[signal], t)
                if value != was and not trackers[signal].moment:
                    yield {
                        "kind": "signal",
                        **about,
                        "signal": signal,
                        "before": _shown(was),
                        "after": _shown(value),
                    }

    def _message(self, record: TableChange) -> Iterator[Told]:
        new = record.new
        if new is None or "rule" not in new:  # the caps' ledger, a counter
            return
        about = {
            "at": _time(record),
            "customer_id": new["customer_id"],
            "rule": new["rule"],
            "message": new["message"],
            "message_id": new["message_id"],
        }
        if record.old is None:
            signals = {name: _shown(value) for name, value in json_text.loads(new["signals"]).items()}
            reason = new.get("reason") if new.get("reason") in _NOT_FIRED else None
            outcome = "fired" if reason is None else "skipped"
            yield {"kind": "decision", **about, "outcome": outcome, "reason": reason, "signals": signals}
            if reason is not None:
                return
        before = None if record.old is None else record.old["status"]
        if new["status"] == "CALLING":
            # Functions run one at a time here: what a provider accepts next is this message.
            self._claimed_for = new["customer_id"]
        elif new["status"] == "DEFERRED":
            yield self._deferred(new, about)
        elif record.old is not None and len(new.get("tried", ())) > len(record.old.get("tried", ())):
            then = {"tried": new["tried"][-1], "status": new["status"]}
            yield {"kind": "fallback", **about, **then}
        if new["status"] not in (before, "READY", "CALLING", "DEFERRED"):
            extra = {name: new[name] for name in ("reason", "channel", "winner") if name in new}
            yield {"kind": "message", **about, "status": new["status"], **extra}

    def _deferred(self, new: Mapping[str, Any], about: Told) -> Told:
        until, zone = parse_instant(new["due_at"]), self._zones.get(new["customer_id"])
        told = {"kind": "message", **about, "status": "DEFERRED", "reason": new["reason"]}
        told["due_at"] = format_instant(until)
        if new["reason"] == Reason.DEFERRED_QUIET_HOURS and zone is not None:
            local = to_datetime(until).astimezone(zone)
            told |= {"local": f"{local:%H:%M} {local.tzname()}", "zone": zone.key}
        return told

    def _learn_zone(self, item: Mapping[str, Any] | None) -> None:
        if item is not None and item.get("item") == PROFILE:
            attributes = json_text.loads(item["attributes"])
            name = attributes.get("timezone", [None])[0]
            self._zones[item["customer_id"]] = zone_of(name, self._core.rulebook.policy.default_timezone)

    def _sent(self, record: SentMessage) -> Told:
        return {
            "kind": "accepted",
            "at": _time(record),
            "customer_id": self._claimed_for,
            "channel": record.channel,
            "to": record.to,
            "subject": record.subject,
            "text": record.text,
        }


_NOT_FIRED = frozenset({Reason.NOT_ELIGIBLE, Reason.NOT_RE_ELIGIBLE, Reason.TOO_LATE, Reason.SHADOW})
"""Why a rise led to no message that was to go anywhere."""


def _fact_of(record: BusEvent, accepted: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """What the journal has of it. A mapped event is there under another id, as the only one of its source: each
    step emits one event."""
    of_source = [fact for fact in accepted if fact["source"] == record.source]
    same = [fact for fact in of_source if fact["event_id"] == record.detail.get("id")]
    return next(iter(same or of_source), None)


def _deadlines(before: Reading | None, after: Reading, about: Told) -> Iterator[Told]:
    for signal, has in after.deadlines.items():
        had = set() if before is None else set(before.deadlines[signal])
        for deadline in sorted(set(has) - had):
            yield _deadline(about, signal, deadline, "set")
        for deadline in sorted(had - set(has)):
            yield _deadline(about, signal, deadline, "reached" if deadline == after.rung[signal] else "met")


def _deadline(about: Told, signal: str, deadline: Instant, became: str) -> Told:
    told = {"signal": signal, "deadline": format_instant(deadline), "is": became}
    return {"kind": "deadline", **about, **told}


def _nothing_known(tracker: Tracker, t: Instant) -> Any:
    return tracker.value(tracker.start(), t, None)


def _state(item: Mapping[str, Any] | None) -> State | None:
    if item is None or item.get("item") != "state":
        return None
    text = unpack_state(item["packed_state"]) if "packed_state" in item else item.get("state")
    return None if text is None else State.from_json(text, item["customer_id"])


def _time(record: Record) -> str:
    # To the second: the milliseconds only tell in which order functions ran.
    instant: Instant = to_instant(record.at)
    return format_instant(instant - instant % 1_000_000)


def _shown(value: Any) -> Any:
    """A number as text of at most four decimals, as people read it."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if not isinstance(value, Decimal):
        return str(value)
    return f"{value:.4f}".rstrip("0").rstrip(".")
