"""The composition root: each function's use case, put together from its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

from pydantic import TypeAdapter

from foreword.adapters import clients
from foreword.adapters.activity_table import ActivityTable
from foreword.adapters.address_index import AddressIndex
from foreword.adapters.claims import OutboxTables
from foreword.adapters.clock import SystemClock
from foreword.adapters.contacts import ContactsTables
from foreword.adapters.customer_choices import CustomerChoicesTables
from foreword.adapters.customers_table import CustomersTable
from foreword.adapters.due_customers import DueCustomersIndex
from foreword.adapters.erasures import Erasures
from foreword.adapters.event_bus import EventBus
from foreword.adapters.journal_writer import JournalWriter
from foreword.adapters.link_keys import LinkKeys, SignedLinks
from foreword.adapters.liquid_templates import LiquidRenderer
from foreword.adapters.messages_table import MessagesTable
from foreword.adapters.pause_switch import PauseSwitchItem
from foreword.adapters.peer_closes import PeerClosesTable
from foreword.adapters.peers_table import PeersTable
from foreword.adapters.provider_lists import AwsLists
from foreword.adapters.quarantine_queue import QuarantineQueue
from foreword.adapters.reach_table import ReachTable
from foreword.adapters.reconciliation_item import ReconciliationItem
from foreword.adapters.request_bus import RequestBus
from foreword.adapters.ses import SesMailer
from foreword.adapters.sns import SnsTexter
from foreword.adapters.volume_counters import VolumeCounters
from foreword.adapters.work_queue import PeerWorkQueue
from foreword.app.admit_messages import AdmitMessages
from foreword.app.announce_outcome import AnnounceOutcome
from foreword.app.cached_states import CachedStates
from foreword.app.change_waiting import ChangeWaiting
from foreword.app.close_periods import ClosePeriods
from foreword.app.compare_peers import ComparePeers
from foreword.app.deliver_message import DeliverMessage
from foreword.app.delivery_gates import DeliveryGates, HoldsOf
from foreword.app.evaluate_triggers import EvaluateTriggers, Report
from foreword.app.handle_changes import HandleChanges
from foreword.app.keep_peer_values import KeepPeerValues
from foreword.app.reach_customers import ReachCustomers
from foreword.app.reconcile_suppressions import ReconcileSuppressions
from foreword.app.record_activity import RecordActivity
from foreword.app.record_feedback import RecordFeedback
from foreword.app.record_sms import RecordReply, RecordSmsStatus
from foreword.app.release_due import ReleaseDue
from foreword.app.serve_preferences import ServePreferences
from foreword.app.suppress_address import SuppressAddress
from foreword.contracts.bus_events import BusEvents
from foreword.domain import json_text
from foreword.domain.core import Core
from foreword.domain.follow_ups import FollowUps
from foreword.domain.holding import holds_in
from foreword.domain.holds import NO_HOLDS
from foreword.domain.mappings import EventMapping
from foreword.domain.peers import comparisons
from foreword.domain.preference_page import topics_of
from foreword.domain.reaching import mark_of
from foreword.domain.rulebook import Rulebook
from foreword.domain.state import State
from foreword.settings import (
    ComparePeersSettings,
    DeliverMessageSettings,
    EvaluateTriggersSettings,
    PreferencesSettings,
    RecordActivitySettings,
    RecordFeedbackSettings,
    ReleaseDueSettings,
    Settings,
)

if TYPE_CHECKING:
    from foreword.adapters.preference_pages.site import PreferencesSite


def rulebook(settings: Settings) -> Rulebook:
    """The published rulebook, as it was shipped."""
    return Rulebook.model_validate_json((settings.published / "rulebook.json").read_bytes())


def record_activity(settings: RecordActivitySettings) -> RecordActivity:
    schemas: Mapping[str, Any] = json_text.loads((settings.published / "schemas.json").read_bytes())
    mappings = TypeAdapter(dict[str, EventMapping])
    events = BusEvents(schemas, mappings.validate_json((settings.published / "mappings.json").read_bytes()))
    return RecordActivity(
        clock=SystemClock(),
        parse=events.parse,
        customer_of=events.customer_of,
        journal=_journal_writer(settings),
        quarantine=QuarantineQueue(clients.sqs(), settings.quarantine_queue_url),
        bus=EventBus(clients.events(), settings.bus_name),
        erased=Erasures(clients.dynamodb(), settings.customers_table, SystemClock()),
    )


def evaluate_triggers(settings: EvaluateTriggersSettings, report: Report) -> EvaluateTriggers:
    published = rulebook(settings)
    client = clients.dynamodb()
    return EvaluateTriggers(
        core=Core(published),
        clock=SystemClock(),
        states=CachedStates(
            CustomersTable(
                client, settings.customers_table, settings.messages_table, published.messages_kept_for
            )
        ),
        journal=ActivityTable(client, settings.activity_table, published.journal_kept_for),
        peers=KeepPeerValues(
            comparisons=comparisons(published.rules),
            settle=published.policy.settle,
            clock=SystemClock(),
            closes=PeerClosesTable(client, settings.peers_table),
            store=PeersTable(client, settings.peers_table),
        ),
        waiting=ChangeWaiting(MessagesTable(client, settings.messages_table), SystemClock()),
        admit=AdmitMessages(
            ContactsTables(client, settings.messages_table, settings.consents_table),
            MessagesTable(client, settings.messages_table),
            published.policy,
        ),
        report=report,
    )


def deliver_message(settings: DeliverMessageSettings) -> HandleChanges:
    templates: Mapping[str, Any] = json_text.loads((settings.published / "templates.json").read_bytes())
    published = rulebook(settings)
    client = clients.dynamodb()
    holds = _holds(published)
    # The customer's own page: to confirm a choice is linked to by a value of the event that asks for it.
    own_host = urlsplit(settings.preferences_url).hostname or ""
    deliver = DeliverMessage(
        outbox=OutboxTables(
            client,
            settings.messages_table,
            settings.customers_table,
            settings.consents_table,
            with_state=holds is not None,
        ),
        renderer=LiquidRenderer(templates, (*published.policy.link_hosts, own_host)),
        mailer=SesMailer(clients.ses(), settings.email_sender, settings.configuration_set),
        texter=SnsTexter(clients.sns(), settings.sms_sender_id),
        requests=RequestBus(clients.request_events(), settings.bus_name, SystemClock()),
        gates=DeliveryGates(
            published.policy,
            FollowUps(published),
            PauseSwitchItem(client, settings.consents_table, SystemClock()),
            holds or (lambda *_: NO_HOLDS),
        ),
        counters=VolumeCounters(client, settings.messages_table),
        links=SignedLinks(
            LinkKeys(clients.secrets(), settings.links_secret, SystemClock()), settings.preferences_url
        ),
        clock=SystemClock(),
        new_attempt_id=lambda: uuid4().hex,
    )
    return HandleChanges(deliver, AnnounceOutcome(EventBus(clients.events(), settings.bus_name)))


def _holds(published: Rulebook) -> HoldsOf | None:
    """What holds messages back as the state tells; None where nothing in the rulebook does."""
    policy = published.policy
    willing = policy.willingness is not None and policy.willingness.hold_marketing_below is not None
    if not (willing or policy.open_cases or any(rule.hold for rule in published.rules)):
        return None
    core = Core(published)
    return lambda customer_id, text, now: holds_in(
        core.holds, core.trackers, State.from_json(text, customer_id), now
    )


def release_due(settings: ReleaseDueSettings) -> ReleaseDue:
    client = clients.dynamodb()
    return ReleaseDue(
        journal=ActivityTable(client, settings.activity_table, rulebook(settings).journal_kept_for),
        customers=DueCustomersIndex(client, settings.customers_table),
        messages=MessagesTable(client, settings.messages_table),
        clock=SystemClock(),
    )


def reach_customers(settings: ReleaseDueSettings) -> ReachCustomers:
    published = rulebook(settings)
    client = clients.dynamodb()
    return ReachCustomers(
        generation=published.generation,
        mark=mark_of(published),
        customers=ReachTable(client, settings.customers_table),
        journal=ActivityTable(client, settings.activity_table, published.journal_kept_for),
        clock=SystemClock(),
    )


def close_periods(settings: ReleaseDueSettings) -> ClosePeriods:
    return ClosePeriods(
        comparisons=comparisons(rulebook(settings).rules),
        closes=PeerClosesTable(clients.dynamodb(), settings.peers_table),
        queue=PeerWorkQueue(clients.sqs(), settings.peers_queue_url),
        clock=SystemClock(),
    )


def compare_peers(settings: ComparePeersSettings) -> ComparePeers:
    published = rulebook(settings)
    client = clients.dynamodb()
    return ComparePeers(
        core=Core(published),
        comparisons=comparisons(published.rules),
        closes=PeerClosesTable(client, settings.peers_table),
        store=PeersTable(client, settings.peers_table),
        journal=ActivityTable(client, settings.activity_table, published.journal_kept_for),
        queue=PeerWorkQueue(clients.sqs(), settings.peers_queue_url),
        clock=SystemClock(),
    )


def record_feedback(settings: RecordFeedbackSettings) -> RecordFeedback:
    return RecordFeedback(
        messages=MessagesTable(clients.dynamodb(), settings.messages_table),
        suppressions=_journal_writer(settings),
        bus=EventBus(clients.events(), settings.bus_name),
        clock=SystemClock(),
    )


def preferences(settings: PreferencesSettings) -> PreferencesSite:
    # Calendars and templates of pages cost time to import, and no other function shows one.
    from foreword.adapters.preference_pages.pages import PreferencePages
    from foreword.adapters.preference_pages.site import PreferencesSite

    published = rulebook(settings)
    client = clients.dynamodb()
    activity = ActivityTable(client, settings.activity_table, published.journal_kept_for)
    return PreferencesSite(
        ServePreferences(
            customers=CustomerChoicesTables(client, settings.customers_table, settings.consents_table),
            journal=JournalWriter(client, activity, settings.customers_table, settings.consents_table),
            bus=EventBus(clients.events(), settings.bus_name),
            signer=LinkKeys(clients.secrets(), settings.links_secret, SystemClock()),
            base_url=settings.preferences_url,
            topics=topics_of(published),
            policy=published.policy,
            clock=SystemClock(),
        ),
        PreferencePages(),
    )


def record_sms_status(settings: RecordFeedbackSettings) -> RecordSmsStatus:
    return RecordSmsStatus(
        messages=MessagesTable(clients.dynamodb(), settings.messages_table), record=record_feedback(settings)
    )


def record_reply(settings: RecordFeedbackSettings) -> RecordReply:
    return RecordReply(_suppress_address(settings))


def reconcile_suppressions(settings: ReleaseDueSettings) -> ReconcileSuppressions:
    return ReconcileSuppressions(
        lists=AwsLists(clients.ses(), clients.sns()),
        progress=ReconciliationItem(clients.dynamodb(), settings.customers_table),
        suppress=_suppress_address(settings),
        clock=SystemClock(),
    )


def _suppress_address(settings: RecordFeedbackSettings | ReleaseDueSettings) -> SuppressAddress:
    return SuppressAddress(
        customers=AddressIndex(clients.dynamodb(), settings.customers_table),
        suppressions=_journal_writer(settings),
        bus=EventBus(clients.events(), settings.bus_name),
        clock=SystemClock(),
    )


def _journal_writer(
    settings: RecordActivitySettings | RecordFeedbackSettings | ReleaseDueSettings,
) -> JournalWriter:
    client = clients.dynamodb()
    activity = ActivityTable(client, settings.activity_table, rulebook(settings).journal_kept_for)
    return JournalWriter(client, activity, settings.customers_table, settings.consents_table)
