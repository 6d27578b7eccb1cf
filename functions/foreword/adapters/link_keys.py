"""The keys that sign links, from Secrets Manager: `{"2": "<new>", "1": "<old>"}`, the first of which signs."""

from __future__ import annotations

from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from foreword.app.ports import Clock
from foreword.domain import json_text
from foreword.domain.content import MessageLinks
from foreword.domain.errors import StoreUnavailable
from foreword.domain.instants import MINUTE, Duration, Instant
from foreword.domain.messages import Message
from foreword.domain.preference_links import LinkSigner, links_of

KEPT_FOR: Duration = 5 * MINUTE
"""A new key is in use everywhere after this long; until then a token made with it is not known everywhere."""


class SecretsClient(Protocol):
    """What is used of boto3's client of Secrets Manager."""

    def get_secret_value(self, *, SecretId: str) -> Any: ...  # noqa: N803 - as boto3 names it


class LinkKeys:
    """Gives the signer. The secret is read once in a while; where that fails, what was read before serves."""

    def __init__(self, client: SecretsClient, secret: str, clock: Clock) -> None:
        self._client = client
        self._secret = secret
        self._clock = clock
        self._signer: LinkSigner | None = None
        self._ask_again: Instant = 0

    def __call__(self) -> LinkSigner:
        """Raises StoreUnavailable where no keys were ever read."""
        now = self._clock.now()
        if self._signer is None or now >= self._ask_again:
            self._signer = self._read() or self._signer
            self._ask_again = now + KEPT_FOR
        if self._signer is None:
            raise StoreUnavailable("the secret with the keys of links cannot be read")
        return self._signer

    def _read(self) -> LinkSigner | None:
        try:
            text = self._client.get_secret_value(SecretId=self._secret)["SecretString"]
            return LinkSigner({int(id): key.encode() for id, key in json_text.loads(text).items()})
        except (ClientError, BotoCoreError, LookupError, ValueError, AttributeError):
            return None  # whatever it holds must not end up in a log


class SignedLinks:
    """The port `Links`. `base_url` is where the function preferences answers."""

    def __init__(self, keys: LinkKeys, base_url: str) -> None:
        self._keys = keys
        self._base_url = base_url

    def links_for(self, message: Message) -> MessageLinks:
        return links_of(self._base_url, self._keys(), message)
