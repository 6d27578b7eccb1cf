"""All that the tables hold of one customer: to be handed out, or to be deleted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from foreword.adapters.customers_table import PROFILE, customer_key, load_profile
from foreword.adapters.erasures import Erasures
from foreword.adapters.messages_table import MessagesTable
from foreword.domain.errors import StoreConflict, StoreUnavailable
from foreword.domain.instants import Instant, parse_instant, sortable
from foreword.domain.messages import Message

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Items: TypeAlias = Mapping[str, list[dict[str, Any]]]

SORT_KEYS = {"activity": "fact", "customers": "item", "messages": "message_id", "consents": "item"}
"""The tables by customer, each with its sort key; `peers` is by shards of customers."""

_AT_ONCE = 25
_TRIES = 8


@dataclass(frozen=True, slots=True)
class PersonalDataTables:
    """The port `PersonalData`. `tables` are the names of all five, by "activity" and so on."""

    client: DynamoDBClient
    tables: Mapping[str, str]
    erasures: Erasures

    def items(self, customer_id: str) -> Items:
        """As the client gives them, by table, read with strong consistency.

        What was kept for comparisons is looked for in the whole of its table: whatever rules there were.
        """
        found = {table: list(self._of_customer(table, customer_id)) for table in SORT_KEYS}
        return {**found, "peers": list(self._of_peers(customer_id))}

    def mark(self, customer_id: str, now: Instant) -> Instant:
        for _ in range(_TRIES):
            profile = load_profile(self.client, self.tables["customers"], customer_id)
            if profile.erased:
                return self._marked_at(customer_id, now)
            read: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(version)"}
            if profile.version:
                read = {
                    "ConditionExpression": "version = :read",
                    "ExpressionAttributeValues": {":read": {"N": str(profile.version)}},
                }
            try:
                self.client.put_item(
                    TableName=self.tables["customers"],
                    Item={
                        **customer_key(customer_id, PROFILE),
                        "version": {"N": str(profile.version + 1)},
                        "attributes": {"S": "{}"},
                        "erased": {"BOOL": True},
                        "erased_at": {"S": sortable(now)},
                    },
                    **read,
                )
            except self.client.exceptions.ConditionalCheckFailedException:
                continue
            return now
        raise StoreConflict("the profile was written again and again")

    def refuse(self, customer_id: str, now: Instant) -> None:
        self.erasures.add(customer_id, now)

    def messages(self, customer_id: str) -> Sequence[Message]:
        return self._messages.of_customer(customer_id)

    def load(self, customer_id: str, message_id: str) -> Message | None:
        return self._messages.load(customer_id, message_id)

    def replace(self, before: Message, after: Message) -> bool:
        return self._messages.replace(before, after)

    def delete(self, customer_id: str) -> dict[str, int]:
        counts: dict[str, int] = {}
        for table, sort_key in SORT_KEYS.items():
            keys = [
                {"customer_id": item["customer_id"], sort_key: item[sort_key]}
                for item in self._of_customer(table, customer_id, f"customer_id, #{sort_key}")
                if (table, item[sort_key]["S"]) != ("customers", PROFILE)  # the mark is the last to go
            ]
            counts[table] = self._delete(table, keys)
        peers = [{"part": item["part"], "item": item["item"]} for item in self._of_peers(customer_id)]
        counts["peers"] = self._delete("peers", peers)
        return counts

    def forget(self, customer_id: str) -> None:
        self.client.delete_item(
            TableName=self.tables["customers"],
            Key=customer_key(customer_id, PROFILE),
            ConditionExpression="attribute_not_exists(customer_id) OR erased = :true",
            ExpressionAttributeValues={":true": {"BOOL": True}},
        )

    @property
    def _messages(self) -> MessagesTable:
        return MessagesTable(self.client, self.tables["messages"])

    def _marked_at(self, customer_id: str, now: Instant) -> Instant:
        item = self.client.get_item(
            TableName=self.tables["customers"], Key=customer_key(customer_id, PROFILE), ConsistentRead=True
        ).get("Item", {})
        return parse_instant(item["erased_at"]["S"]) if "erased_at" in item else now

    def _of_customer(self, table: str, customer_id: str, only: str = "") -> Iterator[dict[str, Any]]:
        request: Any = {
            "TableName": self.tables[table],
            "KeyConditionExpression": "customer_id = :customer",
            "ExpressionAttributeValues": {":customer": {"S": customer_id}},
            "ConsistentRead": True,
        }
        if only:
            name = SORT_KEYS[table]
            request |= {"ProjectionExpression": only, "ExpressionAttributeNames": {f"#{name}": name}}
        for page in self.client.get_paginator("query").paginate(**request):
            yield from page["Items"]

    def _of_peers(self, customer_id: str) -> Iterator[dict[str, Any]]:
        pages = self.client.get_paginator("scan").paginate(
            TableName=self.tables["peers"],
            FilterExpression="#item = :customer",
            ExpressionAttributeNames={"#item": "item"},
            ExpressionAttributeValues={":customer": {"S": customer_id}},
            ConsistentRead=True,
        )
        for page in pages:
            yield from page["Items"]

    def _delete(self, table: str, keys: Sequence[Mapping[str, AttributeValueTypeDef]]) -> int:
        for start in range(0, len(keys), _AT_ONCE):
            requests: Iterable[Any] = [
                {"DeleteRequest": {"Key": key}} for key in keys[start : start + _AT_ONCE]
            ]
            left: Any = {self.tables[table]: requests}
            for _ in range(_TRIES):
                left = self.client.batch_write_item(RequestItems=left).get("UnprocessedItems")
                if not left:
                    break
            else:
                raise StoreUnavailable(f"not all of {table} could be deleted: begin again")
        return len(keys)
