"""moto's SNS publishes to a number on its own opted-out list, and says of every number ending in 99 that it is on
it. AWS: "you cannot publish SMS messages to it" (CheckIfPhoneNumberIsOptedOut), a refusal: InvalidParameter.

Mend: the list alone decides, and is asked first. What is accepted is handed to `accepted`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from moto.sns.exceptions import InvalidParameterValue
from moto.sns.models import SNSBackend

from foreword.local.mends.patching import patched

# number, text, message attributes, message id
Accepted: TypeAlias = Callable[[str, str, Mapping[str, Any], str], None]


@contextmanager
def opted_out_numbers_are_refused(accepted: Accepted) -> Iterator[None]:
    original: Any = SNSBackend.publish

    def publish(
        self: SNSBackend, message: str, *args: Any, phone_number: str | None = None, **kwargs: Any
    ) -> str:
        if phone_number and is_opted_out(self, phone_number):
            raise InvalidParameterValue(
                "Invalid parameter: PhoneNumber Reason: the phone number is opted out"
            )
        message_id: str = original(self, message, *args, phone_number=phone_number, **kwargs)
        if phone_number:
            accepted(phone_number, message, kwargs.get("message_attributes") or {}, message_id)
        return message_id

    def is_opted_out(self: SNSBackend, number: str) -> bool:
        return number in self.opt_out_numbers

    with (
        patched(SNSBackend, "publish", publish),
        patched(SNSBackend, "check_if_phone_number_is_opted_out", is_opted_out),
    ):
        yield
