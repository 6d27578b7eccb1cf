"""Every AWS request of this process passes here on its way to moto, each attempt of the SDK by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from botocore.awsrequest import AWSPreparedRequest
from moto.core.botocore_stubber import BotocoreStubber

from foreword.local.mends.patching import patched

# botocore's event names say the service id; everybody else says the name of the client.
_CLIENT_NAMES = {"eventbridge": "events"}


@dataclass(frozen=True)
class Call:
    """One attempt of one request: `service` as in boto3.client(...), `operation` as in the API ("PutItem")."""

    service: str
    operation: str
    request: AWSPreparedRequest


Proceed: TypeAlias = Callable[[], Any]
Watch: TypeAlias = Callable[[Call, Proceed], Any]


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Each call is given to `watch`, which answers with `proceed()`, or with something else, or raises."""
    original = BotocoreStubber.__call__

    def stub(self: BotocoreStubber, event_name: str, request: AWSPreparedRequest, **kwargs: Any) -> Any:
        _, service, operation = event_name.split(".")
        call = Call(_CLIENT_NAMES.get(service, service), operation, request)
        return watch(call, lambda: original(self, event_name, request, **kwargs))

    with patched(BotocoreStubber, "__call__", stub):
        yield
