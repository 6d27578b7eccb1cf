"""What comes back of text messages: SNS logs what became of each, and a number with two-way SMS publishes replies.

A message that is accepted is logged as delivered, dated a moment later. Logs are packed as CloudWatch packs them.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from foreword.local.account import ACCOUNT, REGION
from foreword.local.deploy.stack import Stack
from foreword.local.records import SentMessage

Accept: TypeAlias = Callable[[str, Mapping[str, Any], datetime], None]

LOG_GROUP = f"sns/{REGION}/{ACCOUNT}/DirectPublishToPhoneNumber"
DWELL_MS = 599
DELIVERED = "Message has been accepted by phone carrier"


class SmsFeedback:
    """Hands what is logged and what is answered to the functions that subscribe to it."""

    def __init__(self, stack: Stack, accept: Accept) -> None:
        self._stack = stack
        self._accept = accept
        self._replies = 0

    def log(self, message: SentMessage, failure: str | None, now: datetime) -> None:
        """What became of `message`: delivered, or the provider's words for why not."""
        group = LOG_GROUP if failure is None else f"{LOG_GROUP}/Failure"
        status = {
            "notification": {
                "messageId": message.provider_id,
                "timestamp": f"{message.at:%Y-%m-%d %H:%M:%S}.{message.at.microsecond // 1000:03}",
            },
            "delivery": {
                "numberOfMessageParts": 1,
                "destination": message.to,
                "priceInUSD": 0.07,
                "smsType": message.tags.get("AWS.SNS.SMS.SMSType", "Transactional"),
                "providerResponse": DELIVERED if failure is None else failure,
                "dwellTimeMs": DWELL_MS,
            },
            "status": "SUCCESS" if failure is None else "FAILURE",
        }
        logged = {
            "messageType": "DATA_MESSAGE",
            "owner": ACCOUNT,
            "logGroup": group,
            "logStream": "local",
            "subscriptionFilters": ["local"],
            "logEvents": [
                {
                    "id": message.provider_id,
                    "timestamp": round(now.timestamp() * 1000) + DWELL_MS,
                    "message": json.dumps(status),
                }
            ],
        }
        packed = base64.b64encode(gzip.compress(json.dumps(logged).encode(), mtime=0)).decode()
        for subscription in self._stack.log_subscriptions:
            if subscription.log_group == group:
                self._accept(subscription.function_arn, {"awslogs": {"data": packed}}, now)

    def reply(self, number: str, text: str, now: datetime) -> None:
        """A customer answers from `number`."""
        self._replies += 1
        said = {
            "originationNumber": number,
            "destinationNumber": "+4915735983048",
            "messageKeyword": "KEYWORD_local",
            "messageBody": text,
            "inboundMessageId": f"local-reply-{self._replies}",
        }
        for subscription in self._stack.topic_subscriptions:
            record = {
                "EventVersion": "1.0",
                "EventSource": "aws:sns",
                "EventSubscriptionArn": f"{subscription.topic_arn}:local",
                "Sns": {
                    "Type": "Notification",
                    "MessageId": f"local-notification-{self._replies}",
                    "TopicArn": subscription.topic_arn,
                    "Message": json.dumps(said),
                    "Timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                },
            }
            self._accept(subscription.function_arn, {"Records": [record]}, now)
