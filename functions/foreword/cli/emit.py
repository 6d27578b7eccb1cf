"""`foreword emit`: events from a file onto the bus of a deployed stage, or only checked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from foreword.authoring.fields import RulebookErrors
from foreword.authoring.mappings import read_mappings
from foreword.authoring.schemas import read_schemas
from foreword.cli.failures import CannotRun, FoundWrong
from foreword.cli.files import FileEvent, read_events
from foreword.cli.stages import declared_stages
from foreword.contracts.bus_events import BusEvents
from foreword.domain.errors import InvalidEvent, InvalidRulebook
from foreword.domain.instants import to_instant
from foreword.local import project

AT_ONCE = 10
BYTES_AT_ONCE = 240 * 1024
"""PutEvents takes ten entries and 256 KB at a time, names and all."""


@dataclass(frozen=True, slots=True)
class Emitted:
    """What became of one event: `problem` is None where it is right, or on the bus."""

    event: FileEvent
    problem: str | None


def run(
    *, file: Path, check_only: bool, stage: str | None, profile: str | None, region: str | None, as_json: bool
) -> None:
    """Raises FoundWrong when an event is wrong or was not accepted by the bus."""
    if not check_only:
        _require(stage)
    events = read_events(file)
    results = [Emitted(event, problem) for event, problem in zip(events, _problems(events), strict=True)]
    if not check_only and stage is not None and not any(result.problem for result in results):
        results = list(_put(events, f"foreword-{stage}", profile, region))
    _show(results, "right" if check_only else f"on the bus of {stage}", as_json)
    if any(result.problem for result in results):
        raise FoundWrong


def _require(stage: str | None) -> None:
    stages = ", ".join(declared_stages())
    if stage is None:
        raise CannotRun(
            f"say where to: --stage NAME (declared: {stages}), or --check to only check the events"
        )
    if stage not in declared_stages():
        raise CannotRun(f"no stage {stage!r} is declared in cdk.json; declared: {stages}")


def _problems(events: Sequence[FileEvent]) -> Iterator[str | None]:
    """Checked as record_activity would, each at its own time: a file may hold history, or what is yet to come."""
    parsing = bus_events()
    for event in events:
        received_at = to_instant(datetime.now(UTC)) if event.at is None else event.at
        try:
            parsing.parse(event.body(received_at), received_at)
        except InvalidEvent as error:
            yield str(error)
        else:
            yield None


def bus_events() -> BusEvents:
    ours = project.find()
    try:
        return BusEvents(read_schemas(ours.schemas), read_mappings(ours.mappings))
    except InvalidRulebook as error:
        raise CannotRun(str(error)) from None
    except RulebookErrors as several:
        raise CannotRun(str(several.errors[0])) from None


def _batches(events: Sequence[FileEvent]) -> Iterator[list[FileEvent]]:
    batch: list[FileEvent] = []
    size = 0
    for event in events:
        length = len(event.detail.encode())
        if batch and (len(batch) == AT_ONCE or size + length > BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += length
    if batch:
        yield batch


def _put(events: Sequence[FileEvent], bus: str, profile: str | None, region: str | None) -> Iterator[Emitted]:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client = boto3.Session(profile_name=profile, region_name=region).client("events")
        for some in _batches(events):
            entries: Any = [
                event.entry(bus) for event in some
            ]  # the stubs know an entry by its own type only
            answers = client.put_events(Entries=entries)
            for event, answer in zip(some, answers["Entries"], strict=True):
                code = answer.get("ErrorCode")
                yield Emitted(event, None if code is None else f"{code}: {answer.get('ErrorMessage', '')}")
    except (BotoCoreError, ClientError) as error:
        raise CannotRun(f"bus {bus}: {error}") from None


def _show(results: Sequence[Emitted], right: str, as_json: bool) -> None:
    console = Console(highlight=False, emoji=False, soft_wrap=True)
    for result in results:
        if as_json:
            told = {"event": result.event.where, "type": result.event.type, "problem": result.problem}
            console.print(json.dumps(told), markup=False)
        elif result.problem is not None:
            line = f"{result.event.where}: {result.event.type}: {result.problem}"
            # What is wrong may be that it cannot be printed.
            console.print(line.encode(errors="backslashreplace").decode(), markup=False)
    if not as_json:
        wrong = sum(result.problem is not None for result in results)
        console.print(f"{len(results) - wrong} of {len(results)} events {right}")
