"""The environment of each function, typed. Read when a handler is first called, never at import."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, field_validator

from foreword.domain.senders import Sender, parse_sender


class MissingSetting(Exception):
    """A variable that the deployment must set is not there."""


class Settings(BaseModel):
    """A field `activity_table` is the variable ACTIVITY_TABLE."""

    model_config = ConfigDict(frozen=True)

    lambda_task_root: Path
    """Where Lambda unpacked the code; the published documents lie below it."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read every field; raises MissingSetting naming all required ones that are absent or empty."""
        variables = os.environ if environment is None else environment
        required = [field.upper() for field, info in cls.model_fields.items() if info.is_required()]
        missing = [name for name in required if not variables.get(name)]
        if missing:
            raise MissingSetting(f"{cls.__name__}: not set: {', '.join(missing)}")
        given = {field: variables[field.upper()] for field in cls.model_fields if field.upper() in variables}
        return cls.model_validate(given)

    @property
    def published(self) -> Path:
        return self.lambda_task_root / "published"


class RecordActivitySettings(Settings):
    activity_table: str
    customers_table: str
    consents_table: str
    bus_name: str
    quarantine_queue_url: str


class EvaluateTriggersSettings(Settings):
    activity_table: str
    customers_table: str
    messages_table: str
    consents_table: str
    peers_table: str


class DeliverMessageSettings(Settings):
    messages_table: str
    customers_table: str
    consents_table: str
    bus_name: str
    preferences_url: str
    """Where the function preferences answers."""
    links_secret: str
    """The ARN of the secret whose keys sign links."""
    email_sender: Sender
    """Given as an address, or `Name <address>`."""
    configuration_set: str
    sms_sender_id: str = ""
    """Not every country knows sender ids: without one, SNS chooses what the message comes from."""

    @field_validator("email_sender", mode="before")
    @classmethod
    def _is_a_sender(cls, text: str) -> Sender:
        """Refused here, since it would otherwise be every single message that cannot be composed."""
        try:
            return parse_sender(text)
        except ValueError as error:
            raise ValueError(f"EMAIL_SENDER: {error}") from None


class ReleaseDueSettings(Settings):
    activity_table: str
    customers_table: str
    messages_table: str
    consents_table: str
    peers_table: str
    peers_queue_url: str
    bus_name: str


class ComparePeersSettings(Settings):
    activity_table: str
    peers_table: str
    peers_queue_url: str


class RecordFeedbackSettings(Settings):
    activity_table: str
    customers_table: str
    messages_table: str
    consents_table: str
    bus_name: str
    configuration_set: str


class PreferencesSettings(Settings):
    activity_table: str
    customers_table: str
    consents_table: str
    bus_name: str
    preferences_url: str
    links_secret: str
