"""The emergency stop: one item of the consents table, known here for a few seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from foreword.app.ports import Clock
from foreword.domain.instants import SECOND, Duration, Instant
from foreword.domain.pauses import NO_PAUSES, Pauses

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, UpdateItemInputTypeDef

KNOWN_FOR: Duration = 4 * SECOND
"""With the time between claim and call it is in force well within ten seconds of its command."""

_KEY: dict[str, AttributeValueTypeDef] = {"customer_id": {"S": " control"}, "item": {"S": "pauses"}}
_NAMES = ("rules", "channels", "topics")


class PauseSwitchItem:
    """The port `PauseSwitch`, and what `foreword pause` and `resume` write."""

    def __init__(self, client: DynamoDBClient, consents: str, clock: Clock) -> None:
        self._client = client
        self._table = consents
        self._clock = clock
        self._known: tuple[Instant, Pauses] | None = None

    def pauses(self) -> Pauses:
        now = self._clock.now()
        if self._known is None or not 0 <= now - self._known[0] < KNOWN_FOR:
            self._known = (now, self.read())
        return self._known[1]

    def read(self) -> Pauses:
        """As it stands now."""
        item = self._client.get_item(TableName=self._table, Key=_KEY, ConsistentRead=True).get("Item")
        return NO_PAUSES if item is None else _pauses(item)

    def pause(self, more: Pauses) -> Pauses:
        """Pause this too; what stands then. Whoever pauses something else at this moment is not undone."""
        values = _values(more)
        clauses = ["SET #everything = :everything"] if more.everything else []
        if values:
            clauses.append(f"ADD {', '.join(f'#{name} :{name}' for name in values)}")
        if more.everything:
            values["everything"] = {"BOOL": True}
        return self._update(" ".join(clauses), list(values), values)

    def resume(self, less: Pauses) -> Pauses:
        """Take these pauses back, or all there are; what stands then."""
        if less.everything:
            names = ["everything", *_NAMES]
            return self._update(f"REMOVE {', '.join(f'#{name}' for name in names)}", names, {})
        values = _values(less)
        return self._update(
            f"DELETE {', '.join(f'#{name} :{name}' for name in values)}", list(values), values
        )

    def _update(
        self, expression: str, names: list[str], values: Mapping[str, AttributeValueTypeDef]
    ) -> Pauses:
        """One write that names only what it changes: nothing is read before it, so that nothing can be lost."""
        arguments: UpdateItemInputTypeDef = {
            "TableName": self._table,
            "Key": _KEY,
            "UpdateExpression": expression,
            "ExpressionAttributeNames": {f"#{name}": name for name in names},
            "ReturnValues": "ALL_NEW",
        }
        if values:
            arguments["ExpressionAttributeValues"] = {f":{name}": value for name, value in values.items()}
        return _pauses(self._client.update_item(**arguments).get("Attributes", {}))


def _pauses(item: Mapping[str, Any]) -> Pauses:
    rules, channels, topics = (frozenset(item.get(name, {}).get("SS", ())) for name in _NAMES)
    return Pauses(item.get("everything", {}).get("BOOL", False), rules, channels, topics)


def _values(pauses: Pauses) -> dict[str, AttributeValueTypeDef]:
    named = {"rules": pauses.rules, "channels": pauses.channels, "topics": pauses.topics}
    return {name: {"SS": sorted(values)} for name, values in named.items() if values}
