"""What else happens in the demo beside the events that services emit: mail comes back, a mailbox unsubscribes.

They stand in `events/samples/happenings.json`, each with its time, and are about the message of that name that
was sent to the customer last:

    {"at": "2026-03-25T10:22:00Z", "customer_id": "c-ulrich", "message": "...", "happens": "bounce"}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foreword.cli.failures import CannotRun
from foreword.domain.instants import Instant, parse_instant
from foreword.local.cloud import LocalCloud
from foreword.local.records import SentMessage

FILE = "happenings.json"
ONE_CLICK = "List-Unsubscribe=One-Click"
"""What a mailbox posts, by RFC 8058."""

_KEYS = ("at", "customer_id", "message", "happens")


@dataclass(frozen=True, slots=True)
class Happening:
    at: Instant
    customer_id: str
    message: str
    happens: str

    def do(self, cloud: LocalCloud) -> None:
        """Raises CannotRun where the story has come another way, and there is no such e-mail."""
        named = [
            sent
            for sent in cloud.sent
            if sent.customer == self.customer_id and sent.channel == "email" and self._is_it(cloud, sent)
        ]
        if not named:
            raise CannotRun(f"{FILE}: {self.message} was not sent to {self.customer_id} by e-mail")
        _DOES[self.happens](cloud, named[-1])

    def _is_it(self, cloud: LocalCloud, sent: SentMessage) -> bool:
        of = {item["message_id"]: item["message"] for item in cloud.messages}
        return of.get(sent.tags.get("message_id", "")) == self.message


def read_happenings(path: Path) -> list[Happening]:
    """In the order of the file; raises CannotRun naming what is wrong."""
    try:
        entries: list[Mapping[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        found = [
            Happening(parse_instant(one["at"]), *(str(one[key]) for key in _KEYS[1:])) for one in entries
        ]
    except OSError as error:
        raise CannotRun(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise CannotRun(f"{path}: each has {', '.join(_KEYS)}: {error}") from None
    for one in found:
        if one.happens not in _DOES:
            raise CannotRun(f"{path}: '{one.happens}' is none of {', '.join(_DOES)}")
    return found


def _bounce(cloud: LocalCloud, mail: SentMessage) -> None:
    cloud.feedback(mail, "Bounce")


def _unsubscribe(cloud: LocalCloud, mail: SentMessage) -> None:
    """As a mailbox does it: a POST to the link in the mail's own header."""
    links = mail.headers["list-unsubscribe"].split(",")
    (url,) = (link.strip(" <>") for link in links if "http" in link)
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = cloud.request("POST", url, headers=form, body=ONE_CLICK)
    if answer.status != 200:
        raise CannotRun(f"the one-click link of {mail.to} was answered with {answer.status}")


_DOES: Mapping[str, Callable[[LocalCloud, SentMessage], None]] = {
    "bounce": _bounce,
    "unsubscribe": _unsubscribe,
}
