"""A customer's choices, read and changed: the promises of the fake, and of moto's tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

import pytest

from foreword.adapters.activity_table import ActivityTable
from foreword.adapters.customer_choices import CustomerChoicesTables
from foreword.adapters.journal_writer import JournalWriter
from foreword.app.ports import CustomerChoices, Journal
from foreword.domain.instants import DAY, HOUR
from foreword.domain.rulebook import Channel
from tests.fakes.choosing import FakeChoices
from tests.fakes.samples import CUSTOMER, NOON, a_change

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Choosing(CustomerChoices, Journal, Protocol):
    """Both ports, over one store."""


class Tables:
    def __init__(self, client: DynamoDBClient) -> None:
        activity = ActivityTable(client, "activity", 400 * DAY)
        self.add = JournalWriter(client, activity, "customers", "consents").add
        self.read = CustomerChoicesTables(client, "customers", "consents").read


Make: TypeAlias = Callable[["DynamoDBClient"], Choosing]


@pytest.fixture(params=[lambda _: FakeChoices(), Tables], ids=["fake", "moto"])
def choosing(request: pytest.FixtureRequest, dynamodb: DynamoDBClient) -> Choosing:
    make: Make = request.param
    return make(dynamodb)


def test_nobody_has_chosen_anything_at_first(choosing: Choosing) -> None:
    profile, consents = choosing.read(CUSTOMER)
    assert (profile.version, consents.version, consents.choices) == (0, 0, {})


def test_a_change_is_in_force_as_soon_as_it_is_added_and_is_added_once(choosing: Choosing) -> None:
    change = a_change(topic="care", channel="any", choice="out", paused_until="2026-03-05T12:00:00Z")
    assert choosing.add(change) is True
    assert choosing.add(change) is False
    _, consents = choosing.read(CUSTOMER)
    choice = consents.choice("care", Channel.SMS)
    assert choice is not None
    assert (consents.version, choice.opted_in, consents.paused_until) == (1, False, NOON + DAY)


def test_the_later_of_two_changes_wins_whichever_comes_first(choosing: Choosing) -> None:
    choosing.add(a_change(NOON + HOUR, topic="care", channel="any", choice="out"))
    choosing.add(a_change(NOON, topic="care", channel="any", choice="in", preferred=["sms"]))
    _, consents = choosing.read(CUSTOMER)
    choice = consents.choice("care", Channel.EMAIL)
    assert choice is not None
    assert (consents.version, choice.opted_in, consents.preferred) == (2, False, (Channel.SMS,))
