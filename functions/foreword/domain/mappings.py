"""How an event of another shape becomes one of ours: CEL over the whole bus event (rules.md, Events)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from foreword.domain.condition_values import kind
from foreword.domain.conditions import Compiled, compile_expression
from foreword.domain.errors import ConditionError, InvalidEvent
from foreword.domain.instants import format_instant, to_instant
from foreword.domain.reasons import QuarantineReason
from foreword.domain.rulebook import Document, Expression

IDENTIFYING = ("id", "customer_id", "occurred_at")
"""The fields without which there is no event: an expression of one of them that ends in an error refuses it."""


class EventMapping(Document):
    """Of one detail-type. `type` is what rules call the event; `data` is by field, or gives the map as a whole."""

    type: str
    id: Expression
    customer_id: Expression
    occurred_at: Expression
    data: Mapping[str, Expression] | Expression


class CompiledMapping:
    """Makes an event's `detail` as our own producers would have written it."""

    def __init__(self, mapping: EventMapping) -> None:
        self.type = mapping.type
        self._identifying = {name: compile_expression(getattr(mapping, name)) for name in IDENTIFYING}
        self._whole: Compiled | None = None
        self._fields: dict[str, Compiled] = {}
        if isinstance(mapping.data, Expression):
            self._whole = compile_expression(mapping.data)
        else:
            self._fields = {name: compile_expression(field) for name, field in mapping.data.items()}

    def detail(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """JSON values; raises InvalidEvent naming the field that could not be made."""
        return {
            **{name: self._text(name, event) for name in IDENTIFYING},
            "data": self._given_fields(event) if self._whole is None else self._map(self._whole, event),
        }

    def customer_id(self, event: Mapping[str, Any]) -> str:
        """As in `detail`, also where the rest of it cannot be made."""
        return self._text("customer_id", event)

    def _text(self, name: str, event: Mapping[str, Any]) -> str:
        """A whole number stands for its text: many systems count their customers."""
        try:
            value = _json(self._identifying[name]({"event": event}))
        except ConditionError as error:
            raise _failed(name, str(error)) from None
        if isinstance(value, str):
            return value
        if type(value) is int and name != "occurred_at":
            return str(value)
        raise _failed(name, f"a text is needed, not a {kind(value)}")

    def _given_fields(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """What ends in an error is not there: as a rule, the field it asks for is missing."""
        found = {}
        for name, field in self._fields.items():
            try:
                found[name] = _json(field({"event": event}))
            except ConditionError:
                continue
        return found

    def _map(self, whole: Compiled, event: Mapping[str, Any]) -> dict[str, Any]:
        try:
            value = _json(whole({"event": event}))
        except ConditionError as error:
            raise _failed("data", str(error)) from None
        if not isinstance(value, dict):
            raise _failed("data", f"a map is needed, not a {kind(value)}")
        return value


def _json(value: Any) -> Any:
    """A value of a condition as JSON has it: a time is its text. A duration has no such form."""
    match kind(value):
        case "timestamp":
            moment: datetime = value
            return format_instant(to_instant(moment))
        case "list":
            return [_json(item) for item in value]
        case "map":
            return {name: _json(item) for name, item in value.items()}
        case "duration":
            raise ConditionError("a duration is not a value of an event")
        case _:
            return value


def _failed(field: str, problem: str) -> InvalidEvent:
    return InvalidEvent(QuarantineReason.MAPPING_FAILED, f"{field}: {problem}")
