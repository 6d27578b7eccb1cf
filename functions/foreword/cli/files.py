"""Files of events: JSON (one event or a list), or JSON Lines, as events/README.md shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from foreword.cli.failures import CannotRun
from foreword.domain import json_text
from foreword.domain.instants import SECOND, Instant, format_instant, parse_instant

_KEYS = {"at", "source", "detail-type", "detail"}


@dataclass(frozen=True, slots=True)
class FileEvent:
    """`where` is file and line or position; `detail` the JSON text as it goes on the bus; `at` when, if said."""

    where: str
    source: str
    type: str
    detail: str
    at: Instant | None

    def entry(self, bus: str) -> dict[str, str]:
        """The PutEvents entry."""
        return {"EventBusName": bus, "Source": self.source, "DetailType": self.type, "Detail": self.detail}

    def body(self, at: Instant) -> str:
        """The event as a queue behind the bus delivers it, put there `at`; the bus draws an id anew each time."""
        envelope = {
            "version": "0",
            "id": str(uuid4()),
            "detail-type": self.type,
            "source": self.source,
            "account": "000000000000",
            "time": format_instant(at - at % SECOND),
            "region": "eu-central-1",
            "resources": [],
        }
        return f'{json_text.dumps(envelope)[:-1]},"detail":{self.detail}}}'


def read_events(path: Path) -> list[FileEvent]:
    """Raises CannotRun naming file and line where the file is no list of events at all."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CannotRun(f"{path}: cannot be read: {reason}") from None
    values = _lines(path, text) if path.suffix in (".jsonl", ".ndjson") else _whole(path, text)
    return [_event(where, value) for where, value in values]


def _lines(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield f"{path}:{number}", _json(f"{path}:{number}", line)


def _whole(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    value = _json(str(path), text)
    for number, one in enumerate(value if isinstance(value, list) else [value], 1):
        yield f"{path}: event {number}", one


def _json(where: str, text: str) -> Any:
    try:
        return json_text.loads(text)
    except ValueError as error:
        raise CannotRun(f"{where}: not JSON: {error}") from None


def _event(where: str, value: Any) -> FileEvent:
    if not isinstance(value, Mapping):
        raise CannotRun(f"{where}: an event is a JSON object with source, detail-type and detail")
    unknown = sorted(set(value) - _KEYS)
    if unknown:
        raise CannotRun(f"{where}: unknown key {unknown[0]!r}; an event has {', '.join(sorted(_KEYS))}")
    for name in ("source", "detail-type"):
        if not isinstance(value.get(name), str):
            raise CannotRun(f"{where}: {name} must be text")
    if "detail" not in value:
        raise CannotRun(f"{where}: detail is missing")
    at = value.get("at")
    try:
        instant = None if at is None else parse_instant(str(at))
    except ValueError as error:
        raise CannotRun(f"{where}: at: {error}") from None
    return FileEvent(where, value["source"], value["detail-type"], json_text.dumps(value["detail"]), instant)
