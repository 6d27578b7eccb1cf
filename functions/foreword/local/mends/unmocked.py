"""A request moto does not know is answered 404 "Not yet implemented" or, under another host name, really sent.

Mend: it fails at once, saying which request it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.core.botocore_stubber import BotocoreStubber

from foreword.local.mends.patching import patched


class UnmockedRequest(RuntimeError):
    """An AWS request nothing in the local cloud can answer."""


@contextmanager
def nothing_unmocked() -> Iterator[None]:
    original = BotocoreStubber.process_request

    def process_request(self: BotocoreStubber, request: Any) -> Any:
        response = original(self, request)
        if response is None or response == (404, {}, "Not yet implemented"):
            raise UnmockedRequest(f"{request.method} {request.url}: the local cloud has no such service")
        return response

    with patched(BotocoreStubber, "process_request", process_request):
        yield
