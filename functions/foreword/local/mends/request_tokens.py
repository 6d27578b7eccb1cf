"""moto ignores the ClientRequestToken of TransactWriteItems: an SDK retry writes a second time.

Mend: the same token within ten minutes answers as the first time; with other items it is refused, as on AWS.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.dynamodb.responses import DynamoHandler

from foreword.local.mends.patching import patched

REMEMBERED_SECONDS = 600


@contextmanager
def request_tokens_are_honoured() -> Iterator[None]:
    original = DynamoHandler.transact_write_items
    answered: dict[str, tuple[float, str, Any]] = {}

    def transact_write_items(self: DynamoHandler) -> Any:
        token = self.body.get("ClientRequestToken")
        if not token:
            return original(self)
        request = json.dumps(self.body["TransactItems"], sort_keys=True, default=bytes.hex)
        at, known, answer = answered.get(token, (float("-inf"), "", None))
        if time.time() - at < REMEMBERED_SECONDS:
            if known != request:
                raise JsonRESTError(
                    "IdempotentParameterMismatchException",
                    "The request token was already used with other parameters",
                )
            return answer
        answer = original(self)
        answered[token] = (time.time(), request, answer)
        return answer

    with patched(DynamoHandler, "transact_write_items", transact_write_items):
        yield
