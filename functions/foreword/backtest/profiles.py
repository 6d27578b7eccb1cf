"""The customers that a backtest is given: each one's profile as it is, always, and what it chose to receive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from foreword.backtest.decode import customer_text, load, load_record, text_of
from foreword.backtest.errors import Broken
from foreword.backtest.spool import REFUSED, Bucket
from foreword.domain.consent import Consents
from foreword.domain.errors import InvalidEvent
from foreword.domain.facts import FOREWORD, PREFERENCE_CHANGED, Fact
from foreword.domain.profiles import ADDRESSES
from foreword.domain.state import BEGINNING

PREFERENCES = "preferences"
"""The attribute that holds choices, each as the data of a PreferenceChanged: topic, channel, "in" or "out"."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the customers' file says of one customer; `attributes` are those that a condition may see."""

    attributes: dict[str, Any]
    consents: Consents


def read_profiles(bucket: Bucket, broken: list[tuple[int, str]]) -> dict[str, Given]:
    """By customer. A second record of a customer is broken: which of them should count?"""
    found: dict[str, Given] = {}
    for number, record in bucket.records():
        try:
            customer_id, given = profile(text_of(record), number)
        except Broken as error:
            broken.append((number & ~REFUSED, str(error)))
            continue
        if found.setdefault(customer_id, given) is not given:
            broken.append((number, f"customer {customer_id!r} stands in an earlier line already"))
    return found


def profile(record: str, number: int) -> tuple[str, Given]:
    """The customer's id and profile; raises Broken."""
    fields = load_record(record, number)
    if not isinstance(fields, dict):
        raise Broken("a customer is a JSON object")
    customer_id = customer_text(fields.pop("customer_id", None))
    inner = fields.pop("data", None)
    if isinstance(inner, dict):
        fields |= inner
    elif inner is not None:
        raise Broken("data must be a JSON object")
    choices = choices_of(fields.pop(PREFERENCES, None))
    attributes = {
        name: value for name, value in fields.items() if value is not None and name not in ADDRESSES
    }
    return customer_id, Given(attributes, _consents(customer_id, choices))


def choices_of(value: Any) -> list[Any]:
    """What stands at `preferences` of a customer's record; raises Broken."""
    if isinstance(value, str):  # a cell of a table
        value = load(value)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Broken(f"{PREFERENCES} must be a list of {{topic, channel, choice}}")
    return value


def _consents(customer_id: str, choices: list[Any]) -> Consents:
    consents = Consents(customer_id)
    for nth, choice in enumerate(choices):
        if not isinstance(choice, dict):
            raise Broken(f"{PREFERENCES} must be a list of {{topic, channel, choice}}")
        at, _, _ = BEGINNING
        fact = Fact(FOREWORD, str(nth), PREFERENCE_CHANGED, customer_id, at, nth, choice)
        try:
            consents = consents.merge(fact)
        except InvalidEvent as error:
            raise Broken(f"{PREFERENCES}: {error.detail.removeprefix('data.')}") from None
    return consents
