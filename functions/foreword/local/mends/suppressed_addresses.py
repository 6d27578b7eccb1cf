"""moto's SES knows no suppression list of the account.

Mend: ListSuppressedDestinations answers from a list of ours, in one page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from moto.core.botocore_stubber import BotocoreStubber

from foreword.local.mends.patching import patched

_PATH = "/v2/email/suppression/addresses"
_LISTED_AT = 1_735_689_600  # seconds; when an address was listed is nothing to us


@contextmanager
def suppressed_addresses_are_listed(addresses: Sequence[str]) -> Iterator[None]:
    original = BotocoreStubber.process_request

    def process_request(self: BotocoreStubber, request: Any) -> Any:
        if request.method != "GET" or urlsplit(request.url).path != _PATH:
            return original(self, request)
        listed = [
            {"EmailAddress": address, "Reason": "BOUNCE", "LastUpdateTime": _LISTED_AT}
            for address in addresses
        ]
        return 200, {}, json.dumps({"SuppressedDestinationSummaries": listed})

    with patched(BotocoreStubber, "process_request", process_request):
        yield
