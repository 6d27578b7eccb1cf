"""moto, with an empty account of one's own: what another cloud or test keeps in it comes back afterwards.

All clouds of a process share one boto3 session, because reading the service models anew costs more than deploying.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from moto import mock_aws
from moto.core.base_backend import BackendDict
from moto.moto_api._internal import mock_random

from foreword.local.account import REGION
from foreword.local.environment import CREDENTIALS
from foreword.local.mends.patching import patched

SEED = 1
_REGISTRY: Any = BackendDict  # every service's backends; its type is too generic for a checker


@contextmanager
def own_moto() -> Iterator[None]:
    """moto's ids repeat from cloud to cloud, so that a run prints what the last one printed."""
    with mock_aws(), patched(boto3, "DEFAULT_SESSION", _session()):
        others = [(backends, dict(backends)) for backends in _REGISTRY._instances]
        _put([])
        random_before = mock_random.getstate()
        mock_random.seed(SEED)
        try:
            yield
        finally:
            mock_random.setstate(random_before)
            _put(others)


@cache
def _session() -> boto3.Session:
    """Made inside the cloud's environment, so it never sees the user's credentials."""
    return boto3.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )


def _put(contents: list[tuple[Any, dict[str, Any]]]) -> None:
    for backends in _REGISTRY._instances:
        backends.clear()
    _REGISTRY._instances[:] = [backends for backends, _ in contents]
    for backends, accounts in contents:
        backends.update(accounts)
