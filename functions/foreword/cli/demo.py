"""`foreword demo`: the sample events, through the real template and handlers, on the local cloud."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from foreword.authoring.publish import publish
from foreword.cli.demo_records import DEMO, LEFT_IN, leave_records
from foreword.cli.demo_text import DemoText
from foreword.cli.failures import CannotRun
from foreword.cli.files import FileEvent, read_events
from foreword.cli.happenings import FILE as HAPPENINGS
from foreword.cli.happenings import Happening, read_happenings
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
    gc.set_threshold(
        100_000
    )  # it ends soon, and leaves little behind: looking for it costs a tenth of the time
    _make_room(out)
    script = _script()
    totals = Totals()
    show = _json_printer(console) if as_json else DemoText(console).show
    ours = project.find()
    with TemporaryDirectory(prefix="foreword-") as folder:
        rulebook = publish(ours.rulebook, ours.messages, ours.schemas, Path(folder), mappings=ours.mappings)
        with LocalCloud(at=to_datetime(script[0][0]), published=Path(folder)) as cloud:
            for told in _play(cloud, Story(Core(rulebook)), script):
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
    cloud: LocalCloud, story: Story, script: list[tuple[Instant, FileEvent | Happening]]
) -> Iterator[Told]:
    """Let each thing happen at its time, and tell what came of it and in between."""
    told_up_to = 0

    def news() -> Iterator[Told]:
        nonlocal told_up_to
        records = cloud.timeline[told_up_to:]
        told_up_to = len(cloud.timeline)
        return story.tell(records)

    for at, one in script:
        if to_instant(cloud.now) < at:
            cloud.advance(to=format_instant(at))
            yield from news()
        if isinstance(one, Happening):
            yield story.happening(one)
            one.do(cloud)
        else:
            cloud.put_events([one.entry(cloud.bus_name)])
        yield from news()
    cloud.advance(to=to_datetime(script[-1][0]) + AFTERWARDS)
    yield from news()


def _script() -> list[tuple[Instant, FileEvent | Happening]]:
    """The events of every case, each when it is put on the bus, and what else happens, in order."""
    samples = project.find().samples
    events = [event for path in sorted((samples / "bus").glob("*.json")) for event in read_events(path)]
    script: list[tuple[Instant, FileEvent | Happening]] = [
        (event.at, event) for event in events if event.at is not None
    ]
    script += [(one.at, one) for one in read_happenings(samples / HAPPENINGS)]
    return sorted(script, key=itemgetter(0))


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
