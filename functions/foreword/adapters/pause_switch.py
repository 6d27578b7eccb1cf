"""The emergency stop: one item of the consents table, known here for a few seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foreword.app.ports import Clock
from foreword.domain.instants import SECOND, Duration, Instant
from foreword.domain.pauses import NO_PAUSES, Pauses

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KNOWN_FOR: Duration = 4 * SECOND
"""With the time between claim and call it is in force well within ten seconds of its command."""

_KEY = {"customer_id": {"S": " control"}, "item": {"S": "pauses"}}
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
        if item is None:
            return NO_PAUSES
        rules, channels, topics = (frozenset(item.get(name, {}).get("SS", ())) for name in _NAMES)
        return Pauses(item.get("everything", {}).get("BOOL", False), rules, channels, topics)

    def write(self, pauses: Pauses) -> None:
        named = {"rules": pauses.rules, "channels": pauses.channels, "topics": pauses.topics}
        self._client.put_item(
            TableName=self._table,
            Item={
                **_KEY,
                "everything": {"BOOL": pauses.everything},
                **{name: {"SS": sorted(values)} for name, values in named.items() if values},
            },
        )
