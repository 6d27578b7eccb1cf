"""Links as a deployed stage makes them: with the keys of its own secret."""

from __future__ import annotations

import json
import time

import boto3

from foreword.domain.instants import SECOND
from foreword.domain.preference_links import Link, LinkPurpose, LinkSigner, link_to
from foreword.local.cloud import LocalCloud

MESSAGE = "0123456789abcdef" * 2


def signer_of(secret: str) -> LinkSigner:
    text = boto3.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    return LinkSigner({int(id): key.encode() for id, key in json.loads(text).items()})


def link_in(cloud: LocalCloud, purpose: LinkPurpose, customer_id: str, about: str = "") -> str:
    """Made now, for a message that need not be there any more."""
    link = Link(purpose, customer_id, MESSAGE, int(time.time()) * SECOND, about)
    secret = cloud.deployed("LINKS_SECRET")
    return link_to(cloud.deployed("PREFERENCES_URL"), signer_of(secret), link)
