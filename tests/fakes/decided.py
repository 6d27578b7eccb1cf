"""A decided message in a local cloud, whatever the rulebook would decide."""

from __future__ import annotations

from typing import Any

import boto3

from foreword.adapters.message_items import message_item
from foreword.domain.instants import DAY, HOUR, to_instant
from foreword.local.cloud import LocalCloud
from tests.fakes.samples import a_message


def decide(cloud: LocalCloud, **changes: Any) -> None:
    """`a_message`, READY now, as evaluate_triggers writes it; and all that comes of it at once."""
    now = to_instant(cloud.now)
    message = a_message(decided_for=now, decided_at=now, deliver_by=now + DAY, due_at=now + HOUR, **changes)
    client = boto3.client("dynamodb")
    (table,) = [name for name in client.list_tables()["TableNames"] if "Messages" in name]
    client.put_item(TableName=table, Item=message_item(message))
    cloud.settle()
