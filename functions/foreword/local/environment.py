"""The process environment while a cloud is up: made-up credentials, no profile, no endpoint of the user's.

Everything is put back when the cloud stops.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from foreword.local.account import REGION

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "local"}
SETTINGS = {
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def aws_environment() -> Iterator[None]:
    """The user's own environment with every AWS_* variable replaced by the cloud's."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with exactly(others | CREDENTIALS | SETTINGS):
        yield


@contextmanager
def exactly(variables: Mapping[str, str]) -> Iterator[None]:
    """`variables` and no others, as a function of its own process would see it."""
    before = dict(os.environ)
    _become(variables)
    try:
        yield
    finally:
        _become(before)


def _become(variables: Mapping[str, str]) -> None:
    for name in set(os.environ) - set(variables):
        del os.environ[name]
    os.environ.update(variables)
