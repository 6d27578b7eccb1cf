"""What a send is judged by, read at once; and its claim, which holds only while all of that still stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from foreword.adapters.batch_reads import first, read_all
from foreword.adapters.consents_table import consents_from_item, consents_key
from foreword.adapters.customers_table import PROFILE, STATE, customer_key, profile_from_item, state_text
from foreword.adapters.ledger_items import LEDGER, ledger_from_item, ledger_key
from foreword.adapters.message_items import message_from_item, message_key
from foreword.adapters.messages_table import (
    MessagesTable,
    changes_of,
    counts_back,
    lost,
    message_update,
)
from foreword.adapters.transactions import at_version
from foreword.adapters.volume_counters import one_more
from foreword.app.ports import NO_CHANGES, Changes, Claim, Dossier
from foreword.domain.consent import Consents
from foreword.domain.messages import Message
from foreword.domain.profiles import Profile
from foreword.domain.volume import Counter

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        TransactWriteItemTypeDef,
    )


@dataclass(frozen=True, slots=True)
class OutboxTables:
    """The outbox with what its claims depend on: three tables, one read, one transaction.

    `with_state`: the customer's state is read too, where something in it may hold messages back.
    """

    client: DynamoDBClient
    messages: str
    customers: str
    consents: str
    with_state: bool = False

    def load(self, customer_id: str, message_id: str) -> Message | None:
        return MessagesTable(self.client, self.messages).load(customer_id, message_id)

    def replace(self, before: Message, after: Message) -> bool:
        return MessagesTable(self.client, self.messages).replace(before, after)

    def dossier(self, customer_id: str, message_id: str) -> Dossier:
        customer = [customer_key(customer_id, PROFILE)]
        if self.with_state:
            customer.append(customer_key(customer_id, STATE))
        asked: dict[str, Any] = {
            self.messages: {
                "Keys": [message_key(customer_id, message_id), ledger_key(customer_id)],
                "ConsistentRead": True,
            },
            self.customers: {"Keys": customer, "ConsistentRead": True},
            self.consents: {"Keys": [consents_key(customer_id)], "ConsistentRead": True},
        }
        # Without consent or caps read, nothing is sent: what does not come is no answer.
        found = read_all(self.client, asked)
        messages = {item["message_id"]["S"]: item for item in found.get(self.messages, [])}
        customers = {item["item"]["S"]: item for item in found.get(self.customers, [])}
        message, state = messages.get(message_id), customers.get(STATE)
        return Dossier(
            message=None if message is None else message_from_item(message),
            profile=profile_from_item(customers.get(PROFILE), customer_id),
            consents=consents_from_item(first(found, self.consents), customer_id),
            ledger=ledger_from_item(messages.get(LEDGER), customer_id),
            state=None if state is None else state_text(state),
        )

    def claim(
        self,
        dossier: Dossier,
        claimed: Message,
        changes: Changes = NO_CHANGES,
        counters: Sequence[Counter] = (),
    ) -> Claim:
        if dossier.message is None or claimed.attempt_id is None or claimed.claimed_at is None:
            raise ValueError("a claim needs a message and an attempt")
        counted = [one_more(self.messages, counter, claimed.claimed_at) for counter in counters]
        stands = [
            _profile_stands(self.customers, dossier.profile),
            _consents_stand(self.consents, dossier.consents),
        ]
        update: TransactWriteItemTypeDef = {"Update": message_update(self.messages, dossier.message, claimed)}
        back = counts_back(self.messages, dossier.message, claimed)
        changed = changes_of(self.messages, changes, claimed.claimed_at)
        entries = [update, *counted, *stands, *back, *changed]
        failed = lost(self.client, entries, claimed, claimed.attempt_id)
        if not failed:
            return Claim.CLAIMED
        full = all(0 < at <= len(counted) for at in failed)
        return Claim.FULL if full else Claim.LOST

    def write(self, dossier: Dossier, after: Message, changes: Changes) -> bool:
        before = dossier.message
        if before is None:
            raise ValueError("there is no message to write over")
        now = after.closed_at or after.due_at or before.decided_at
        more = [*counts_back(self.messages, before, after), *changes_of(self.messages, changes, now)]
        if not more:
            return self.replace(before, after)
        return not lost(self.client, [{"Update": message_update(self.messages, before, after)}, *more], after)


def _profile_stands(table: str, profile: Profile) -> TransactWriteItemTypeDef:
    check = at_version(table, customer_key(profile.customer_id, PROFILE), profile.version)
    if profile.version > 0:
        check["ConditionExpression"] += " AND (attribute_not_exists(erased) OR erased = :false)"
        check["ExpressionAttributeValues"] = {**check["ExpressionAttributeValues"], ":false": {"BOOL": False}}
    return {"ConditionCheck": check}


def _consents_stand(table: str, consents: Consents) -> TransactWriteItemTypeDef:
    return {"ConditionCheck": at_version(table, consents_key(consents.customer_id), consents.version)}
