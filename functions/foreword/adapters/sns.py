"""Amazon SNS: one text message to one phone number. SNS tells nothing of it by which feedback could find it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from foreword.adapters.mime import plain
from foreword.adapters.provider_errors import outcome_of
from foreword.app.ports import Accepted, OutcomeUnknown, ProviderCall, ProviderOutcome
from foreword.domain.content import SmsContent
from foreword.domain.errors import InvalidTemplate
from foreword.domain.messages import Message
from foreword.domain.rulebook import Purpose

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

LONGEST = 1600
"""Characters; SNS refuses more."""


@dataclass(frozen=True, slots=True)
class SnsTexter:
    """`client` must not retry: see `adapters.clients`. An empty `sender_id` leaves the choice to SNS."""

    client: SNSClient
    sender_id: str

    def prepare(self, message: Message, address: str, content: SmsContent) -> ProviderCall:
        text = plain(content.text)
        if not 0 < len(text) <= LONGEST:
            raise InvalidTemplate(f"a text message has 1 to {LONGEST} characters, not {len(text)}")
        kind = "Promotional" if message.purpose is Purpose.MARKETING else "Transactional"
        attributes = {"AWS.SNS.SMS.SMSType": kind}
        if self.sender_id:
            attributes["AWS.SNS.SMS.SenderID"] = self.sender_id
        request: dict[str, Any] = {
            "PhoneNumber": address,
            "Message": text,
            "MessageAttributes": {
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        }

        def call() -> ProviderOutcome:
            try:
                response = self.client.publish(**request)
            except (ClientError, BotoCoreError, ResponseParserError) as error:
                return outcome_of(error)
            accepted = response.get("MessageId")
            return Accepted(accepted) if accepted else OutcomeUnknown("NoMessageId")

        return call
