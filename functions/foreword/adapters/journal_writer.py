"""Putting a fact into the journal together with what it changes at once: the profile, or the consents.

All of it is one transaction, so that a fact in the journal is in the profile too, whatever is killed in between.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from foreword.adapters.activity_table import ActivityTable
from foreword.adapters.consents_table import consents_write, history_write, load_consents
from foreword.adapters.customers_table import load_profile, profile_write
from foreword.adapters.transactions import transact
from foreword.domain.errors import CustomerErased, StoreConflict
from foreword.domain.facts import CUSTOMER_UPDATED, PREFERENCE_CHANGED, Fact
from foreword.domain.profiles import ADDRESSES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_ATTEMPTS = 5


class JournalWriter:
    """The port `Journal` of record_activity, and the port `Suppressions`."""

    def __init__(
        self, client: DynamoDBClient, activity: ActivityTable, customers: str, consents: str
    ) -> None:
        self._client = client
        self._activity = activity
        self._customers = customers
        self._consents = consents

    def add(self, fact: Fact) -> bool:
        """Whether it was new.

        Raises StoreConflict when others kept writing the same customer, CustomerErased for an erased one's profile.
        """
        if fact.type not in (CUSTOMER_UPDATED, PREFERENCE_CHANGED):
            return self._activity.add(fact)
        for _ in range(_ATTEMPTS):
            failed = transact(self._client, [self._journal_entry(fact), *self._changes(fact)])
            if not failed:
                return True
            if 0 in failed:
                return False
        raise StoreConflict(f"{fact.type} {fact.id}: the customer was written {_ATTEMPTS} times meanwhile")

    def suppress(self, fact: Fact, entry: str) -> bool:
        known = False
        for _ in range(_ATTEMPTS):
            consents = load_consents(self._client, self._consents, fact.customer_id)
            if known and entry in consents.suppressed:
                return False
            write = consents_write(
                self._consents, replace(consents, suppressed=consents.suppressed | {entry})
            )
            # A fact that came another way is in the journal already: then the suppression is written alone.
            failed = transact(self._client, [write] if known else [self._activity.entry(fact), write])
            if not failed:
                return True
            known = known or 0 in failed
        raise StoreConflict(f"{fact.type} {fact.id}: the customer was written {_ATTEMPTS} times meanwhile")

    def _journal_entry(self, fact: Fact) -> TransactWriteItemTypeDef:
        kept = {name: value for name, value in fact.data.items() if name not in ADDRESSES}
        return self._activity.entry(fact._replace(data=kept) if fact.type == CUSTOMER_UPDATED else fact)

    def _changes(self, fact: Fact) -> list[TransactWriteItemTypeDef]:
        if fact.type == CUSTOMER_UPDATED:
            profile = load_profile(self._client, self._customers, fact.customer_id)
            if profile.erased:
                raise CustomerErased("nothing is written into a profile that was erased")
            return [profile_write(self._customers, profile.merge(fact))]
        consents = load_consents(self._client, self._consents, fact.customer_id)
        return [consents_write(self._consents, consents.merge(fact)), history_write(self._consents, fact)]
