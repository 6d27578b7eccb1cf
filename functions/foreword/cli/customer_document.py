"""All that is stored of a customer, as one JSON document that a person can read.

customer_id exported_at
profile            attribute -> {value, written_at}; the addresses, too
consents           choices [{topic, channel, choice, at}] and suppressed
journal            every event that was accepted, in the order of its time
state              what the rules remember, as they keep it
messages           each with its `steps`, in the order of their times
comparisons        what is kept to compare the customer with others
more               what else lies in the tables under the customer's id, as it lies there
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from foreword.adapters.consents_table import CURRENT, consents_from_item
from foreword.adapters.customers_table import PROFILE, STATE, profile_from_item, state_text
from foreword.adapters.ledger_items import LEDGER
from foreword.adapters.message_items import message_from_item, steps_from_item
from foreword.adapters.personal_data import Items
from foreword.contracts.activity_items import fact_of
from foreword.domain import json_text
from foreword.domain.contact_history import Step
from foreword.domain.facts import Fact
from foreword.domain.instants import Instant, format_instant
from foreword.domain.messages import Message
from foreword.local.items import plain

_MESSAGE_TIMES = ("decided_for", "decided_at", "deliver_by", "claimed_at", "closed_at", "due_at")


def document(customer_id: str, items: Items, now: Instant) -> dict[str, Any]:
    """Of the items as the client gives them, by table.

    Raises KeyError or ValueError for those of another release.
    """
    customers = {item["item"]["S"]: item for item in items["customers"]}
    consents = {item["item"]["S"]: item for item in items["consents"]}
    more = {
        "customers": [plain(item) for name, item in customers.items() if name not in (PROFILE, STATE)],
        "consents": [plain(item) for name, item in consents.items() if name != CURRENT],
    }
    messages = [item for item in items["messages"] if item["message_id"]["S"] != LEDGER]
    ledger = [plain(item) for item in items["messages"] if item["message_id"]["S"] == LEDGER]
    return {
        "customer_id": customer_id,
        "exported_at": format_instant(now),
        "profile": _profile(customers.get(PROFILE), customer_id),
        "consents": _consents(consents.get(CURRENT), customer_id),
        "journal": [_fact(fact) for fact in sorted(map(fact_of, items["activity"]), key=lambda it: it.order)],
        "state": _state(customers.get(STATE)),
        "messages": [_message(item) for item in sorted(messages, key=_decided_at)],
        "caps": ledger,
        "comparisons": [plain(item) for item in items.get("peers", [])],
        "more": {table: kept for table, kept in more.items() if kept},
    }


def is_known(told: Mapping[str, Any]) -> bool:
    """Whether anything is stored but the mark of an erasure."""
    parts = ("journal", "messages", "comparisons", "more", "state")
    return any(told[part] for part in parts) or bool(told["profile"] or told["consents"]["choices"])


def _profile(item: Mapping[str, Any] | None, customer_id: str) -> dict[str, Any]:
    profile = profile_from_item(item, customer_id)
    return {
        name: {"value": attribute.value, "written_at": format_instant(attribute.written[0])}
        for name, attribute in sorted(profile.attributes.items())
    }


def _consents(item: Mapping[str, Any] | None, customer_id: str) -> dict[str, Any]:
    consents = consents_from_item(item, customer_id)
    choices = [
        {
            "topic": topic,
            "channel": channel,
            "choice": "in" if choice.opted_in else "out",
            "at": format_instant(choice.written[0]),
        }
        for (topic, channel), choice in sorted(consents.choices.items())
    ]
    return {"choices": choices, "suppressed": sorted(consents.suppressed)}


def _fact(fact: Fact) -> dict[str, Any]:
    told = {
        "source": fact.source,
        "id": fact.id,
        "type": fact.type,
        "occurred_at": format_instant(fact.occurred_at),
        "received_at": format_instant(fact.received_at),
        "data": fact.data,
    }
    return told if fact.retracts is None else {**told, "retracts": fact.retracts}


def _state(item: Mapping[str, Any] | None) -> Any:
    text = None if item is None else state_text(item)
    return None if text is None else json_text.loads(text)


def _message(item: Mapping[str, Any]) -> dict[str, Any]:
    message: Message = message_from_item(item)
    told = {name: value for name, value in asdict(message).items() if value is not None}
    times = {name: format_instant(told[name]) for name in _MESSAGE_TIMES if name in told}
    channels = [channel.value for channel in message.channels]
    return {**told, **times, "channels": channels, "steps": [_step(step) for step in steps_from_item(item)]}


def _step(step: Step) -> dict[str, str]:
    told = {"at": format_instant(step.at), "kind": step.kind.value}
    return {**told, "detail": step.detail} if step.detail else told


def _decided_at(item: Mapping[str, Any]) -> str:
    decided_at: str = item["decided_at"]["S"]
    return decided_at
