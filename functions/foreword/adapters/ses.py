"""Amazon SES v2: one e-mail to one recipient, with the tags by which its feedback finds the message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from foreword.adapters.mime import compose
from foreword.adapters.provider_errors import outcome_of
from foreword.app.ports import Accepted, OutcomeUnknown, ProviderCall, ProviderOutcome
from foreword.domain.content import EmailContent, MessageLinks
from foreword.domain.messages import Message
from foreword.domain.senders import Sender
from foreword.domain.tags import tags_of

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client


@dataclass(frozen=True, slots=True)
class SesMailer:
    """`client` must not retry: see `adapters.clients`."""

    client: SESV2Client
    sender: Sender
    configuration_set: str

    def prepare(
        self, message: Message, address: str, content: EmailContent, links: MessageLinks | None
    ) -> ProviderCall:
        data = compose(message.message_id, self.sender, address, content, links)
        tags = tags_of(message.customer_id, message.message_id)
        request: dict[str, Any] = {
            # ASCII only: the display name is in the e-mail itself, as an encoded word.
            "FromEmailAddress": self.sender.address,
            "Destination": {"ToAddresses": [address]},
            "Content": {"Raw": {"Data": data}},
            "EmailTags": [{"Name": name, "Value": value} for name, value in tags.items()],
            "ConfigurationSetName": self.configuration_set,
        }

        def call() -> ProviderOutcome:
            try:
                response = self.client.send_email(**request)
            except (ClientError, BotoCoreError, ResponseParserError) as error:
                return outcome_of(error)
            accepted = response.get("MessageId")
            return Accepted(accepted) if accepted else OutcomeUnknown("NoMessageId")

        return call
