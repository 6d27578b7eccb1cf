"""The customers table: a customer's folded state and, beside it, the profile, an item each."""

from __future__ import annotations

import zlib
from base64 import b64decode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from foreword.adapters.message_items import new_message_write
from foreword.adapters.messages_table import changes_of
from foreword.adapters.transactions import at_version, over_version, transact
from foreword.app.ports import Changes, StoredState
from foreword.domain import json_text
from foreword.domain.addresses import ATTRIBUTES, deliverable
from foreword.domain.due import due_shard
from foreword.domain.errors import StoreUnavailable
from foreword.domain.instants import Duration, Instant, sortable
from foreword.domain.messages import Message
from foreword.domain.profiles import Attribute, Profile
from foreword.domain.suppression import address_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        TransactWriteItemTypeDef,
    )

LONGEST_PLAIN = 800
"""Characters of a state that is stored as it is; beside it an item has keys, marks and its due time."""

PROFILE = "profile"
STATE = "state"
MOST_IN_A_TRANSACTION = 100


def profile_from_item(item: Mapping[str, Any] | None, customer_id: str) -> Profile:
    """The profile of a DynamoDB item as the client returns it; an empty one where there is none."""
    if item is None:
        return Profile(customer_id)
    written = json_text.loads(item["attributes"]["S"])
    attributes = {
        name: Attribute(value, (occurred_at, received_at, key))
        for name, (value, occurred_at, received_at, key) in written.items()
    }
    erased = bool(item.get("erased", {}).get("BOOL", False))
    return Profile(customer_id, attributes, int(item["version"]["N"]), erased)


def profile_write(table: str, profile: Profile) -> TransactWriteItemTypeDef:
    """The transaction entry that writes `profile` over the version it was read at."""
    attributes = {name: [entry.value, *entry.written] for name, entry in profile.attributes.items()}
    return over_version(
        {
            "TableName": table,
            "Item": {
                **customer_key(profile.customer_id, PROFILE),
                "version": {"N": str(profile.version + 1)},
                "attributes": {"S": json_text.dumps(attributes)},
                **_address_keys(profile),
                **({"erased": {"BOOL": True}} if profile.erased else {}),
            },
        },
        profile.version,
    )


def _address_keys(profile: Profile) -> dict[str, AttributeValueTypeDef]:
    """`email_key` and `phone_key`, by which sparse indexes find the customers with an address."""
    keys: dict[str, AttributeValueTypeDef] = {}
    for channel, attribute in ATTRIBUTES.items():
        address = deliverable(channel, profile.value(attribute))
        if address is not None:
            keys[f"{attribute}_key"] = {"S": address_key(channel, address)}
    return keys


def load_profile(client: DynamoDBClient, table: str, customer_id: str) -> Profile:
    """Read with strong consistency: the next write is conditional on this version."""
    response = client.get_item(TableName=table, Key=customer_key(customer_id, PROFILE), ConsistentRead=True)
    return profile_from_item(response.get("Item"), customer_id)


class CustomersTable:
    """The port `CustomerStates`. A state's item owns its earliest deadline, in the sparse `due` index.

    `kept_for` is how long a message stays in the contact history, from its decision on.
    """

    def __init__(self, client: DynamoDBClient, customers: str, messages: str, kept_for: Duration) -> None:
        self._client = client
        self._customers = customers
        self._messages = messages
        self._kept_for = kept_for

    def load(self, customer_id: str, *, fresh: bool = True) -> StoredState:  # noqa: ARG002  it always is
        keys = [customer_key(customer_id, STATE), customer_key(customer_id, PROFILE)]
        response = self._client.batch_get_item(
            RequestItems={self._customers: {"Keys": keys, "ConsistentRead": True}}
        )
        if response.get("UnprocessedKeys"):
            raise StoreUnavailable("the customer was read in part only")
        items = {item["item"]["S"]: item for item in response["Responses"].get(self._customers, [])}
        profile = profile_from_item(items.get(PROFILE), customer_id)
        stored = items.get(STATE)
        if stored is None:
            return StoredState(None, None, 0, False, profile)
        text = state_text(stored)
        generation = stored["generation"]["S"] if "generation" in stored else None
        return StoredState(text, generation, int(stored["version"]["N"]), "parked" in stored, profile)

    def save(
        self,
        stored: StoredState,
        customer_id: str,
        state: str,
        generation: str,
        due_at: Instant | None,
        changes: Changes,
    ) -> bool:
        item: dict[str, AttributeValueTypeDef] = {
            **customer_key(customer_id, STATE),
            "version": {"N": str(stored.version + 1)},
            "generation": {"S": generation},
            **_state_attribute(state),
            **_due(customer_id, due_at),
        }
        waiting = list(changes.messages)
        over = [self._put(item, stored.version)]
        if waiting:
            profile = customer_key(customer_id, PROFILE)
            over.append({"ConditionCheck": at_version(self._customers, profile, stored.profile.version)})
            over += changes_of(self._messages, changes, waiting[0].decided_at)
        # More than one transaction holds: the first messages go ahead of the state. Killed in between, they are
        # decided again under the same ids, and found to be there.
        while len(waiting) > MOST_IN_A_TRANSACTION - len(over):
            if not self._write([], waiting[:MOST_IN_A_TRANSACTION]):
                return False
            del waiting[:MOST_IN_A_TRANSACTION]
        return self._write(over, waiting)

    def park(self, stored: StoredState, customer_id: str, due_at: Instant) -> bool:
        item: dict[str, AttributeValueTypeDef] = {
            **customer_key(customer_id, STATE),
            "version": {"N": str(stored.version + 1)},
            "parked": {"BOOL": True},
            **({} if stored.state is None else _state_attribute(stored.state)),
            **_due(customer_id, due_at),
        }
        return self._write([self._put(item, stored.version)], [])

    def _write(self, state: list[TransactWriteItemTypeDef], messages: list[Message]) -> bool:
        """Write the state with the messages that do not exist yet; False where the state has changed."""
        while True:
            new = [new_message_write(self._messages, message, self._kept_for) for message in messages]
            if not state and not new:
                return True
            try:
                failed = self._write_once([*state, *new])
            except ClientError as error:
                if _is_conflict(error):
                    return False
                raise
            if not failed:
                return True
            if any(at < len(state) for at in failed):
                return False
            known = {at - len(state) for at in failed}
            messages = [message for at, message in enumerate(messages) if at not in known]

    def _write_once(self, entries: list[TransactWriteItemTypeDef]) -> list[int]:
        if len(entries) > 1:
            return transact(self._client, entries)
        # A single item needs no transaction, which costs twice as much.
        try:
            self._client.put_item(**entries[0]["Put"])
        except self._client.exceptions.ConditionalCheckFailedException:
            return [0]
        return []

    def _put(self, item: Mapping[str, AttributeValueTypeDef], version: int) -> TransactWriteItemTypeDef:
        return over_version({"TableName": self._customers, "Item": item}, version)


def state_text(item: Mapping[str, Any]) -> str | None:
    """The state's JSON text of an item as the client returns it; None where there is none yet."""
    if "packed_state" in item:
        return unpack_state(item["packed_state"]["B"])
    return item["state"]["S"] if "state" in item else None


def unpack_state(packed: bytes | str) -> str:
    """The JSON text of a packed state; a stream's image gives its bytes as Base64."""
    return zlib.decompress(packed if isinstance(packed, bytes) else b64decode(packed)).decode()


def _state_attribute(text: str) -> dict[str, AttributeValueTypeDef]:
    """A write costs by the kilobyte: what is longer is packed, which costs less than the time it takes."""
    if len(text) <= LONGEST_PLAIN:
        return {"state": {"S": text}}
    return {"packed_state": {"B": zlib.compress(text.encode())}}


def customer_key(customer_id: str, item: str) -> dict[str, AttributeValueTypeDef]:
    return {"customer_id": {"S": customer_id}, "item": {"S": item}}


def _due(customer_id: str, due_at: Instant | None) -> dict[str, AttributeValueTypeDef]:
    if due_at is None:
        return {}
    return {"due_shard": {"S": due_shard(customer_id)}, "due_at": {"S": sortable(due_at)}}


def _is_conflict(error: ClientError) -> bool:
    """Another transaction was writing one of the items at the same moment."""
    reasons: Any = error.response.get("CancellationReasons", [])
    return any(reason.get("Code") == "TransactionConflict" for reason in reasons)
