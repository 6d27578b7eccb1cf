"""An event as other services put it on the bus, checked before anything is done with it (rules.md, Events)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import fastjsonschema

from foreword.domain import json_text
from foreword.domain.errors import InvalidEvent
from foreword.domain.facts import CUSTOMER_UPDATED, FOREWORD, PREFERENCE_CHANGED, Fact, fact_key
from foreword.domain.instants import MINUTE, Instant, parse_instant, sortable
from foreword.domain.mappings import CompiledMapping, EventMapping
from foreword.domain.preference_changes import read_change
from foreword.domain.reasons import QuarantineReason

MAX_BYTES = 64 * 1024
MAX_ID_LENGTH = 256
MAX_KEY_BYTES = 1024
"""DynamoDB's limit of a sort key, which holds `source` and `id`."""

FUTURE_ALLOWED = 5 * MINUTE

_CUSTOMER_ID = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

Validator: TypeAlias = Callable[[Any], Any]


class BusEvents:
    """Parses and checks events. `schemas` holds a JSON Schema (draft 7) of `data` by event type, `mappings` how
    events of another shape become ours, by detail-type."""

    def __init__(
        self, schemas: Mapping[str, Mapping[str, Any]], mappings: Mapping[str, EventMapping]
    ) -> None:
        self._schemas = schemas
        self._validators: dict[str, Validator] = {}
        self._mappings = mappings
        self._compiled: dict[str, CompiledMapping] = {}

    def parse(self, body: str, received_at: Instant) -> Fact:
        """The fact of one bus event (its JSON text as the queue delivers it); raises InvalidEvent."""
        envelope = _envelope(body)
        mapping = self._mapping_of(envelope)
        if mapping is None:
            return self._fact(envelope, received_at)
        mapped = {**envelope, "detail-type": mapping.type, "detail": mapping.detail(envelope)}
        try:
            # Through text, so that what a mapping makes is held to the same limits as what a producer writes.
            return self._fact(_envelope(json_text.dumps(mapped)), received_at)
        except InvalidEvent as error:
            raise InvalidEvent(error.reason, f"{error.detail} (after its mapping)") from None

    def customer_of(self, body: str) -> str | None:
        """The customer to whom a refused event is told as EventRejected: the one it names properly.

        None also for an event of our own: a refusal of EventRejected itself would tell itself for ever.
        """
        try:
            envelope = _object(_json(body), "the event")
            mapping = self._mapping_of(envelope)
            detail = (
                _object(envelope.get("detail"), "detail")
                if mapping is None
                else {"customer_id": mapping.customer_id(envelope)}
            )
            customer_id = _customer_id(detail)
        except InvalidEvent:
            return None
        return None if envelope.get("source") == FOREWORD else customer_id

    def _mapping_of(self, envelope: Mapping[str, Any]) -> CompiledMapping | None:
        """Our own events are never of another shape."""
        kind = envelope.get("detail-type")
        if not isinstance(kind, str) or kind not in self._mappings or envelope.get("source") == FOREWORD:
            return None
        if kind not in self._compiled:
            self._compiled[kind] = CompiledMapping(self._mappings[kind])
        return self._compiled[kind]

    def _fact(self, envelope: Mapping[str, Any], received_at: Instant) -> Fact:
        detail = _object(envelope.get("detail"), "detail")
        fact = Fact(
            source=_text(envelope, "source"),
            id=_text(detail, "id", "detail."),
            type=_text(envelope, "detail-type"),
            customer_id=_customer_id(detail),
            occurred_at=_occurred_at(detail, received_at),
            received_at=received_at,
            data=_object(detail.get("data", {}), "detail.data"),
            retracts=_text(detail, "retracts", "detail.") if "retracts" in detail else None,
        )
        _check_id(fact.source, fact.id, "detail.id")
        if fact.retracts is not None:
            _check_retraction(fact, fact.retracts)
        # A retraction counts as no event itself, so it need not look like one; what it does say is looked at.
        if fact.retracts is None or "data" in detail:
            self._check_schema(fact)
        if fact.type == PREFERENCE_CHANGED:
            read_change(fact.data)  # which knows more than a schema can say: what goes with what
        return fact

    def _check_schema(self, fact: Fact) -> None:
        schema = self._schemas.get(fact.type)
        if schema is None:
            return
        validate = self._validators.get(fact.type)
        if validate is None:
            validate = self._validators[fact.type] = fastjsonschema.compile(dict(schema), use_default=False)
        try:
            validate(fact.data)
        except fastjsonschema.JsonSchemaValueException as error:
            raise InvalidEvent(
                QuarantineReason.BREAKS_SCHEMA, f"detail.{error.message} (schema of {fact.type})"
            ) from None


def _envelope(body: str) -> dict[str, Any]:
    if len(body.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise InvalidEvent(QuarantineReason.TOO_LARGE, f"an event may have {MAX_BYTES} bytes at most")
    envelope = _object(_json(body), "the event")
    _check_characters(envelope)
    return envelope


def _json(body: str) -> Any:
    try:
        return json_text.loads(body)
    except json_text.NotANumber as error:
        raise InvalidEvent(QuarantineReason.NOT_A_NUMBER, str(error)) from None
    except json_text.TooDeep as error:
        raise InvalidEvent(QuarantineReason.TOO_DEEP, str(error)) from None
    except ValueError as error:
        raise InvalidEvent(QuarantineReason.NOT_JSON, str(error)) from None


def _check_characters(envelope: Mapping[str, Any]) -> None:
    try:
        json_text.dumps(envelope).encode()
    except UnicodeEncodeError:
        raise InvalidEvent(
            QuarantineReason.NOT_JSON, "an escape like \\ud800 without its other half stands for no character"
        ) from None


def _object(value: Any, name: str) -> dict[str, Any]:
    if value is None:
        raise InvalidEvent(QuarantineReason.MISSING_FIELD, f"{name} is missing")
    if not isinstance(value, dict):
        raise InvalidEvent(QuarantineReason.WRONG_TYPE, f"{name} must be a JSON object")
    return value


def _text(holder: Mapping[str, Any], name: str, prefix: str = "") -> str:
    value = holder.get(name)
    if value is None:
        raise InvalidEvent(QuarantineReason.MISSING_FIELD, f"{prefix}{name} is missing")
    if not isinstance(value, str):
        raise InvalidEvent(QuarantineReason.WRONG_TYPE, f"{prefix}{name} must be text, not {_kind(value)}")
    return value


def _customer_id(detail: Mapping[str, Any]) -> str:
    value = _text(detail, "customer_id", "detail.")
    if _CUSTOMER_ID.fullmatch(value) is None:
        raise InvalidEvent(
            QuarantineReason.INVALID_CUSTOMER_ID,
            "detail.customer_id must be 1 to 128 visible ASCII characters",
        )
    return value


def _occurred_at(detail: Mapping[str, Any], received_at: Instant) -> Instant:
    try:
        occurred_at = parse_instant(_text(detail, "occurred_at", "detail."))
    except ValueError as error:
        raise InvalidEvent(QuarantineReason.INVALID_TIME, f"detail.occurred_at: {error}") from None
    if occurred_at > received_at + FUTURE_ALLOWED:
        raise InvalidEvent(
            QuarantineReason.IN_THE_FUTURE,
            f"detail.occurred_at is more than 5 min after its receipt at {sortable(received_at)}",
        )
    return occurred_at


def _check_id(source: str, id: str, field: str) -> None:
    """Of the event itself, or of the one it takes back."""
    if not 1 <= len(id) <= MAX_ID_LENGTH or _CONTROL.search(id):
        raise InvalidEvent(
            QuarantineReason.INVALID_ID,
            f"{field} must be 1 to {MAX_ID_LENGTH} characters without control characters",
        )
    if len(fact_key(source, id).encode()) > MAX_KEY_BYTES:
        raise InvalidEvent(
            QuarantineReason.INVALID_ID, f"source and {field} together exceed {MAX_KEY_BYTES} bytes"
        )


def _check_retraction(fact: Fact, retracts: str) -> None:
    _check_id(fact.source, retracts, "detail.retracts")
    if retracts == fact.id:
        raise InvalidEvent(
            QuarantineReason.INVALID_ID,
            "detail.retracts is the event's own id: a retraction has one of its own",
        )
    if fact.type in (CUSTOMER_UPDATED, PREFERENCE_CHANGED):
        raise InvalidEvent(
            QuarantineReason.NOT_SUPPORTED,
            f"{fact.type} takes nothing back: profile and choices are corrected by a newer {fact.type}",
        )


def _kind(value: Any) -> str:
    kinds = {bool: "a boolean", dict: "an object", list: "a list"}
    return kinds.get(type(value), "a number")
