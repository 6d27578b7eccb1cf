"""The composition root: each function's use case, put together from its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from foreword.adapters import clients
from foreword.adapters.activity_table import ActivityTable
from foreword.adapters.clock import SystemClock
from foreword.adapters.customers_table import CustomersTable
from foreword.adapters.event_bus import EventBus
from foreword.adapters.journal_writer import JournalWriter
from foreword.adapters.quarantine_queue import QuarantineQueue
from foreword.app.evaluate_triggers import EvaluateTriggers, Report
from foreword.app.record_activity import RecordActivity
from foreword.contracts.bus_events import BusEvents, rejected_customer
from foreword.domain import json_text
from foreword.domain.core import Core
from foreword.domain.rulebook import Rulebook
from foreword.settings import EvaluateTriggersSettings, RecordActivitySettings, Settings


def rulebook(settings: Settings) -> Rulebook:
    """The published rulebook, as it was shipped."""
    return Rulebook.model_validate_json((settings.published / "rulebook.json").read_bytes())


def record_activity(settings: RecordActivitySettings) -> RecordActivity:
    schemas: Mapping[str, Any] = json_text.loads((settings.published / "schemas.json").read_bytes())
    client = clients.dynamodb()
    activity = ActivityTable(client, settings.activity_table, rulebook(settings).policy.retention)
    return RecordActivity(
        clock=SystemClock(),
        parse=BusEvents(schemas).parse,
        customer_of=rejected_customer,
        journal=JournalWriter(client, activity, settings.customers_table, settings.consents_table),
        quarantine=QuarantineQueue(clients.sqs(), settings.quarantine_queue_url),
        bus=EventBus(clients.events(), settings.bus_name),
    )


def evaluate_triggers(settings: EvaluateTriggersSettings, report: Report) -> EvaluateTriggers:
    published = rulebook(settings)
    client = clients.dynamodb()
    longest = max((rule.re_eligible_after or 0 for rule in published.rules), default=0)
    kept_for = max(published.policy.retention, longest)
    return EvaluateTriggers(
        core=Core(published),
        clock=SystemClock(),
        states=CustomersTable(client, settings.customers_table, settings.messages_table, kept_for),
        journal=ActivityTable(client, settings.activity_table, published.policy.retention),
        report=report,
    )
