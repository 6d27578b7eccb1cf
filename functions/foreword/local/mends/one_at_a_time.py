"""moto's backends are plain dictionaries without a lock: of eight threads claiming the same item several win.

Mend: one request at a time, through one lock for every service.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.core.botocore_stubber import BotocoreStubber

from foreword.local.mends.patching import patched

# Re-entrant, and the same for nested clouds: their requests meet the same backends.
_LOCK = threading.RLock()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    original = BotocoreStubber.process_request

    def process_request(self: BotocoreStubber, request: Any) -> Any:
        with _LOCK:
            return original(self, request)

    with patched(BotocoreStubber, "process_request", process_request):
        yield
