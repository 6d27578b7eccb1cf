"""The providers' own suppression lists: SES's of the account, and SNS's numbers that opted out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from foreword.domain.errors import PageGone
from foreword.domain.rulebook import Channel

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient

_PAGE = 1000
_NOT_A_PAGE = ("InvalidNextTokenException", "BadRequestException", "InvalidParameter")


@dataclass(frozen=True, slots=True)
class AwsLists:
    """The port `ProviderLists`."""

    ses: SESV2Client
    sns: SNSClient

    def page(self, channel: Channel, token: str | None) -> tuple[Sequence[str], str | None]:
        try:
            return self._emails(token) if channel is Channel.EMAIL else self._numbers(token)
        except ClientError as error:
            if token is not None and error.response["Error"]["Code"] in _NOT_A_PAGE:
                raise PageGone(f"the list of {channel}") from None
            raise

    def _emails(self, token: str | None) -> tuple[Sequence[str], str | None]:
        if token is None:
            answer = self.ses.list_suppressed_destinations(PageSize=_PAGE)
        else:
            answer = self.ses.list_suppressed_destinations(PageSize=_PAGE, NextToken=token)
        listed = answer.get("SuppressedDestinationSummaries", [])
        return [one["EmailAddress"] for one in listed], answer.get("NextToken")

    def _numbers(self, token: str | None) -> tuple[Sequence[str], str | None]:
        if token is None:
            answer = self.sns.list_phone_numbers_opted_out()
        else:
            answer = self.sns.list_phone_numbers_opted_out(nextToken=token)
        return answer.get("phoneNumbers", []), answer.get("nextToken") or None
