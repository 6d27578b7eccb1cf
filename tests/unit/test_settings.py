from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from foreword.domain.senders import Sender
from foreword.settings import DeliverMessageSettings, MissingSetting

ENVIRONMENT = {
    "LAMBDA_TASK_ROOT": "task",
    "MESSAGES_TABLE": "messages",
    "CUSTOMERS_TABLE": "customers",
    "CONSENTS_TABLE": "consents",
    "BUS_NAME": "foreword-dev",
    "PREFERENCES_URL": "https://links.example",
    "LINKS_SECRET": "links",
    "EMAIL_SENDER": "Care Team <care@shop.example>",
    "CONFIGURATION_SET": "foreword-dev",
    "SMS_SENDER_ID": "Foreword",
}


def test_a_field_is_the_variable_of_its_name() -> None:
    settings = DeliverMessageSettings.from_environment(ENVIRONMENT)
    assert (settings.messages_table, settings.sms_sender_id) == ("messages", "Foreword")
    assert settings.published == Path("task", "published")


def test_every_variable_that_is_absent_or_empty_is_named() -> None:
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "BUS_NAME"}
    with pytest.raises(MissingSetting, match=r"DeliverMessageSettings: not set: CUSTOMERS_TABLE, BUS_NAME$"):
        DeliverMessageSettings.from_environment(environment | {"CUSTOMERS_TABLE": ""})


@pytest.mark.parametrize("given", [{}, {"SMS_SENDER_ID": ""}])
def test_an_sms_sender_id_may_be_left_to_sns(given: dict[str, str]) -> None:
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "SMS_SENDER_ID"} | given
    assert DeliverMessageSettings.from_environment(environment).sms_sender_id == ""


def test_the_sender_is_taken_apart() -> None:
    settings = DeliverMessageSettings.from_environment(ENVIRONMENT)
    assert settings.email_sender == Sender("Care Team", "care@shop.example")


@pytest.mark.parametrize("sender", ["Care Team", "care@shop.example, eve@evil.example"])
def test_a_sender_that_is_no_address_is_refused_by_name(sender: str) -> None:
    with pytest.raises(ValidationError, match=r"EMAIL_SENDER: .* is no sender; write it as"):
        DeliverMessageSettings.from_environment(ENVIRONMENT | {"EMAIL_SENDER": sender})
