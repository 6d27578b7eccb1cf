"""`foreword demo`: the sample events, through the real template and handlers, on the local cloud."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from foreword.authoring.publish import publish
from foreword.cli.demo_records import DEMO, LEFT_IN, leave_records
from foreword.cli.demo_text import DemoText
from foreword.cli.failures import CannotRun
from foreword.cli.files import FileEvent, read_events
from foreword.cli.story import Story, Told
from foreword.cli.totals import Totals
from foreword.domain.core import Core
from foreword.domain.instants import Instant, format_instant, to_datetime, to_instant
from foreword.local import project
from foreword.local.cloud import LocalCloud
from foreword.local.records import SentMessage

AFTERWARDS = timedelta(days=4)
"""How long the clock goes on after the last event, so that whatever waits comes to its end."""


def run(*, out: Path, as_json: bool) -> None:
    """Print the story as it happens and leave the e-mails in `out`; raises CannotRun where it cannot be written."""
    console = Console(highlight=False, emoji=False)
    _make_room(out)
    events = _sample_events()
    totals = Totals()
    show = _json_printer(console) if as_json else DemoText(console).show
    ours = project.find()
    with TemporaryDirectory(prefix="foreword-") as folder:
        rulebook = publish(ours.rulebook, ours.messages, ours.schemas, Path(folder), mappings=ours.mappings)
        with LocalCloud(at=to_datetime(events[0][0]), published=Path(folder)) as cloud:
            for told in _play(cloud, Story(Core(rulebook)), events, to_datetime(events[-1][0]) + AFTERWARDS):
                totals.add(told)
                show(told)
            leave_records(cloud, out)
    mails = _leave_mails(cloud, out)
    dead = sum(map(len, cloud.dead_letters.values()))
    if as_json:
        show({"kind": "summary", **totals.as_dict(), "dead_letters": dead})
    else:
        DemoText(console).summary(totals, dead)
        console.print(
            f"{len(mails)} e-mails are in {out}/ as .eml files; any mail program opens them.",
            markup=False,
            soft_wrap=True,
        )
        again = f" --out {out}" if out != LEFT_IN else ""
        console.print(
            f"Why did a customer get a message, or not? foreword explain c-david --stage {DEMO}{again}",
            markup=False,
            soft_wrap=True,
        )


def _play(
    cloud: LocalCloud, story: Story, events: list[tuple[Instant, FileEvent]], end: datetime
) -> Iterator[Told]:
    """Emit each event at its time, and tell what happened in between and from it."""
    told_up_to = 0

    def news() -> Iterator[Told]:
        nonlocal told_up_to
        records = cloud.timeline[told_up_to:]
        told_up_to = len(cloud.timeline)
        return story.tell(records)

    for at, event in events:
        if to_instant(cloud.now) < at:
            cloud.advance(to=format_instant(at))
            yield from news()
        cloud.put_events([event.entry(cloud.bus_name)])
        yield from news()
    cloud.advance(to=end)
    yield from news()


def _sample_events() -> list[tuple[Instant, FileEvent]]:
    """The events of every case, with the times at which they are put on the bus, in order."""
    folder = project.find().samples / "bus"
    events = [event for path in sorted(folder.glob("*.json")) for event in read_events(path)]
    return sorted(((event.at, event) for event in events if event.at is not None), key=itemgetter(0))


def _json_printer(console: Console) -> Callable[[Told], None]:
    def show(told: Told) -> None:
        console.print(json.dumps(told, ensure_ascii=False, default=str), markup=False, soft_wrap=True)

    return show


def _make_room(out: Path) -> None:
    """Before anything is shown: nobody wants to be told at the end."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotRun(f"{out}: cannot be made: {error.strerror}") from None


def _leave_mails(cloud: LocalCloud, out: Path) -> list[Path]:
    """Each e-mail as it went to the provider, named by its time and customer."""
    written = []
    try:
        for message in cloud.sent:
            if message.raw is not None:
                path = out / _file_name(message)
                path.write_bytes(message.raw)
                written.append(path)
    except OSError as error:
        raise CannotRun(f"{error.filename}: cannot be written: {error.strerror}") from None
    return written


def _file_name(message: SentMessage) -> str:
    return f"{message.at:%Y-%m-%d-%H%M}-{message.customer}.eml"
